"""The command line: `goldmaster` and `python -m goldmaster`."""

import sys

from ._native import command_line


def main() -> int:
    """Does what the command line asks for; the result is the exit code."""
    return command_line(["goldmaster", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
