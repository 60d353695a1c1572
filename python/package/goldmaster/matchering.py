"""Matchering's way to ask for a master, so that an import line is all that changes:

    import goldmaster.matchering as mg

    mg.log(print)
    mg.process(target="mix.wav", reference="hit.flac", results=[mg.pcm16("master.wav"), mg.pcm24("master24.wav")])

The sound is goldmaster's: masters stay under -1 dBTP and keep every promise. Existing results are replaced, as there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ._api import Master
from ._errors import UsageError

__all__ = ["Result", "log", "pcm16", "pcm24", "process"]

_BITS: dict[str, int | str] = {"PCM_16": 16, "PCM_24": 24, "FLOAT": "32f"}
_listeners: list[Callable[[str], object]] = []


@dataclass
class Result:
    """A file to write, with samples of a subtype: PCM_16, PCM_24 or FLOAT."""

    file: str
    subtype: str = "PCM_24"
    use_limiter: bool = True
    normalize: bool = True


def pcm16(file: str) -> Result:
    """A file with 16 bits per sample."""
    return Result(file, "PCM_16")


def pcm24(file: str) -> Result:
    """A file with 24 bits per sample."""
    return Result(file, "PCM_24")


def log(
    handler: Callable[[str], object] | None = None,
    *,
    warning_handler: Callable[[str], object] | None = None,
    info_handler: Callable[[str], object] | None = None,
    debug_handler: Callable[[str], object] | None = None,
    show_codes: bool = False,
) -> None:
    """Sends messages to functions such as `print`; none of them has a code."""
    del show_codes
    handlers = (handler, warning_handler, info_handler, debug_handler)
    _listeners[:] = [one for one in handlers if one is not None]


def process(
    target: str,
    reference: str,
    results: Iterable[Result | str] | Result | str,
    config: None = None,
    preview_target: None = None,
    preview_result: None = None,
) -> None:
    """Masters `target` towards `reference` and writes all `results`.

    Args:
        target: path of the mix.
        reference: path of the record to sound like.
        results: the files to write.
        config, preview_target, preview_result: not supported, and refused.

    Raises:
        UsageError: something is asked for that goldmaster does not do.
        Error: a file could not be read or written.
    """
    for name, value in {"config": config, "preview_target": preview_target, "preview_result": preview_result}.items():
        if value is not None:
            raise UsageError(f"{name} is not supported here; goldmaster.master has settings of its own", "usage")
    wanted = [_result(one) for one in ([results] if isinstance(results, (Result, str)) else results)]
    if not wanted:
        raise UsageError("results is empty; name a file to write", "usage")
    masters: dict[str, Master] = {}
    for result in wanted:
        if result.subtype not in masters:
            masters[result.subtype] = Master(reference=reference, bits=_BITS[result.subtype])
        _say(f"mastering {target} towards {reference}: {result.file}")
        mastered = masters[result.subtype].master(target, output=result.file, force=True)
        for warning in mastered.report["warnings"]:
            _say(f"please note: {warning['sentence']}")
    _say("done")


def _result(one: Result | str) -> Result:
    result = Result(one) if isinstance(one, str) else one
    if result.subtype not in _BITS:
        raise UsageError(f"subtype {result.subtype} is not written; choose one of {', '.join(_BITS)}", "usage")
    if not result.use_limiter or not result.normalize:
        raise UsageError("a master without limiter or loudness is not made; use goldmaster.master", "usage")
    return result


def _say(text: str) -> None:
    for listener in _listeners:
        listener(text)
