"""What can go wrong."""

from typing import Self


class Error(Exception):
    """Work that failed; nothing was written.

    Attributes:
        code: kind of failure, as "not_found" or "exists"; no release changes it.
        file: the file that it is about, if it is about one.
        advice: what to do about it, if that is known.
    """

    def __init__(self, message: str, code: str, file: str | None = None, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.file = file
        self.advice = advice

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.message, self.code, self.file, self.advice)

    def about(self, file: str, label: str) -> Self:
        """The same, with a label instead of the name of a temporary file."""
        message = self.message.replace(file, label)
        return type(self)(message, self.code, label if self.file == file else self.file, self.advice)


class UsageError(Error, ValueError):
    """Arguments that make no sense, or do not fit together."""


class PromiseError(Error):
    """A master that would have broken a promise, such as its ceiling; it was not written."""
