"""What the package does, as functions."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypedDict, Unpack

import numpy as np

from . import _native
from ._errors import Error
from ._source import Source, as_file, read

Path = str | os.PathLike[str]
Progress = Callable[[str, int, int | None], object]


class _SettingsButReference(TypedDict, total=False):
    """All settings but the reference, which `master` takes by its place as well."""

    profile: Path | None
    """A profile that `goldmaster.profile` wrote."""
    genre: str | None
    """A genre's name, or "auto"."""
    match: str | None
    """How a reference is followed: "balance", "literal" or "cautious"."""
    character: str | None
    """"balanced", "warm", "bright", "open", "punchy" or "loud"."""
    intensity: float | None
    """How much of everything is done, 0 to 100 %."""
    tone: float | None
    """How much of the equalisation is done, 0 to 100 %."""
    dynamics: float | None
    """How much of the compression and expansion is done, 0 to 100 %."""
    width: float | None
    """How much of the change in stereo width is done, 0 to 100 %."""
    destination: str | None
    """Loudness, ceiling and format of a place, as "spotify"; the option `--for`."""
    loudness: float | str | None
    """Integrated loudness in LUFS, or "auto"; by default the reference's, or -14."""
    ceiling: float | None
    """True peak that is never exceeded, dBTP; by default -1."""
    codec_safe: bool | None
    """Leaves room for what MP3, Vorbis and Opus do to peaks."""
    max_limiting_db: float | None
    """Gain reduction that the limiter may exceed for 5 % of the time only, dB."""
    rate: int | None
    """Sample rate of the master, Hz; by default the mix's."""
    bits: int | str | None
    """16, 24 or "32f"; by default 24."""
    bitrate: int | None
    """Bit rate of an MP3 or Opus, kbit/s."""
    refine: str | None
    """Time spent on fine-tuning: "off", "fast" or "best"."""
    decider: str | None
    """"model", "rules" or "none"."""
    set: Mapping[str, object] | Iterable[str] | None
    """Values of the recipe that are set by hand: `{"multiband.low.ratio": 1.5}`."""
    strict: bool | None
    """A loudness that cannot be reached, a damaged mix, or a fade longer than the song is an error."""
    trim: float | None
    """Cuts silence at head and tail but for so many milliseconds."""
    fade_in: float | str | None
    """Fades the head in, seconds."""
    fade_out: float | str | None
    """Fades the tail out, seconds: `8`, or with a shape `"8:linear"`."""


class Settings(_SettingsButReference, total=False):
    """How a song is mastered. `goldmaster --help` describes every setting, under the name of its option."""

    reference: Path | Iterable[Path] | None
    """Records to sound like: `"hit.flac"`, with a section and a weight `"hit.flac@1:05-1:35:0.5"`."""


class Mastered:
    """A master.

    Attributes:
        path: its file; None when no output was named, so that it is in memory only.
        report: everything that was measured, decided and checked, as `goldmaster --json` prints it.
        recipe: what `goldmaster.render` replays to the same bytes.
        sample_rate: frames per second, Hz.
    """

    def __init__(self, report: dict[str, Any], path: str | None) -> None:
        self.report = report
        self.path = path
        self.recipe: dict[str, Any] = report["recipe"]
        self.sample_rate: int = report["output"]["sample_rate_hz"]

    @cached_property
    def audio(self) -> np.ndarray:
        """The samples, float32 of shape (frames, channels), as they are in the file; read when first asked for."""
        assert self.path is not None
        return read(self.path)[0]

    def __repr__(self) -> str:
        after = self.report["after"]
        loudness, peak = after["integrated_lufs"], after["true_peak_dbtp"]
        return f"<Mastered {self.path or 'in memory'}: {loudness} LUFS, {peak} dBTP>"


class Master:
    """Masters one song after another in the same way: networks are loaded and references measured once.

    An object may be used by several threads at once, and it may be pickled: what it has loaded stays behind.

        master = goldmaster.Master(reference="hit.flac", character="warm")
        for song in songs:
            master.master(song, output=f"masters/{song}")

    Raises:
        UsageError: there is no such setting, or it does not take this value.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        self.settings = settings
        self._native = _native.Master(as_text(settings))

    def master(
        self,
        src: Source,
        output: Path | None = None,
        *,
        force: bool = False,
        threads: int | None = None,
        on_progress: Progress | None = None,
    ) -> Mastered:
        """Masters a song; see `goldmaster.master`."""

        def work(source: str, target: str) -> str:
            return self._native.master(source, target, force, threads, on_progress)

        return mastered(src, output, work)

    def __getstate__(self) -> Settings:
        return self.settings

    def __setstate__(self, settings: Settings) -> None:
        self.settings = settings
        self._native = _native.Master(as_text(settings))

    def __repr__(self) -> str:
        return f"Master({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"


def master(
    src: Source,
    reference: Path | Iterable[Path] | None = None,
    output: Path | None = None,
    *,
    force: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
    **settings: Unpack[_SettingsButReference],
) -> Mastered:
    """Masters a song.

        result = goldmaster.master("mix.wav", reference="hit.flac", output="master.wav")
        result.audio, result.sample_rate, result.report, result.recipe

    The interpreter's lock is free meanwhile. Ctrl-C, or what `on_progress` raises, ends the work; nothing is written.

    Args:
        src: the mix: a path, the bytes of a file, a binary file object, or `(samples, sample_rate)` with floats from -1
            to 1 of shape (frames,) or (frames, channels), mono or stereo, and a rate in Hz.
        reference: records to sound like, as `Settings` describes them.
        output: file of the master, .wav, .flac, .mp3 or .opus; without one the master is in memory only.
        force: an existing file is replaced.
        threads: threads to work with; by default as many as there are cores. No result depends on it.
        on_progress: called with the name of a stage, what is done of it and all of it (or None), both in frames.
        settings: see `Settings`.

    Raises:
        UsageError: settings that make no sense.
        PromiseError: the master would have broken a promise.
        Error: a file could not be read or written.
    """
    reused = Master(reference=reference, **settings)
    return reused.master(src, output, force=force, threads=threads, on_progress=on_progress)


def render(
    src: Source,
    recipe: Mapping[str, Any] | Path,
    output: Path | None = None,
    *,
    set: Mapping[str, object] | Iterable[str] | None = None,
    as_is: bool = False,
    strict: bool = False,
    force: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> Mastered:
    """Renders a recipe: the same bytes again on its own song; on another, loudness is solved anew.

    Args:
        src: the mix, as in `master`.
        recipe: the recipe of a master, or the path of one.
        set: values that are changed, as `{"multiband.low.ratio": 1.5}`.
        as_is: keeps the gain of the recipe even for another song.
        strict: a loudness that cannot be reached is an error.

    The other arguments, and what is raised, are those of `master`.
    """
    if isinstance(recipe, Mapping):
        text = json.dumps(recipe)
    else:
        with open(recipe, encoding="utf-8") as file:
            text = file.read()
    values = _texts(set)

    def work(source: str, target: str) -> str:
        return _native.render(source, target, text, values, as_is, strict, force, threads, on_progress)

    return mastered(src, output, work)


def analyze(src: Source, *, threads: int | None = None, on_progress: Progress | None = None) -> dict[str, Any]:
    """Measures a song: loudness, true peak, spectrum, width and defects, as `goldmaster analyze --json` does.

    The arguments, and what is raised, are those of `master`.
    """
    with as_file(src) as (path, label):
        return json.loads(_native.analyze(path, threads, on_progress)) | {"path": label}


def check(
    src: Source, destination: str, *, threads: int | None = None, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Checks a finished file against what a destination asks for: `result["is_ready"]`, and why not.

    Args:
        src: the file, as in `master`.
        destination: where it is delivered, as "spotify".
    """
    with as_file(src) as (path, label):
        return json.loads(_native.check(path, destination, threads, on_progress)) | {"path": label}


def variations(
    src: Path,
    output: Path | None = None,
    *,
    force: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
    **settings: Unpack[Settings],
) -> list[dict[str, Any]]:
    """Masters a song in several ways and writes a page to choose from; the result says how they compare.

    Args:
        src: path of the mix.
        output: the page; by default `SONG.variations.html` beside the mix.
        settings: what all of them have in common, see `Settings`.
    """
    source = os.fspath(src)
    page = os.fspath(output) if output is not None else os.path.splitext(source)[0] + ".variations.html"
    common = _native.Master(as_text(settings))
    return json.loads(common.variations(source, page, force, threads, on_progress))


def profile(
    inputs: Path | Iterable[Path],
    output: Path,
    *,
    name: str | None = None,
    force: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Measures records that you like and writes their profile, to master towards it with `profile=`.

    Args:
        inputs: files, folders and globs.
        output: file of the profile.
        name: its name in reports; by default the file's.

    Returns:
        `profile`: what was written; `failed`: why files are not in it.
    """
    path = os.fspath(output)
    name = name or os.path.splitext(os.path.basename(path))[0].removesuffix(".profile")
    return json.loads(_native.profile(_texts(inputs), path, name, force, threads, on_progress))


def batch(
    inputs: Path | Iterable[Path] = (),
    output: Path = "masters",
    *,
    on_progress: Progress | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Masters many songs or a whole album; goes on where it was interrupted.

        goldmaster.batch("label/", output="masters", album="folders", jobs=4)
        goldmaster.batch(plan="songs.csv")

    A song that fails does not end the others, and raises nothing.

    Args:
        inputs: files, folders and globs.
        output: the folder for masters and reports.
        on_progress: called with "mastering", what is done and all of it, in bytes of the songs' files.
        options: those of `goldmaster batch`, with underscores: `jobs=4`, `shard="1/2"`, `album=True`,
            `plan="songs.csv"`, and all settings. Those that only print are refused or do nothing.

    Returns:
        `summary`: how many songs came out how; `albums`: a report of each; `without_cue_sheet`: albums whose cue sheet
        could not be written, and the songs that it waits for; `stale_cue_sheets`: those of earlier runs that are
        no longer written; `unusable_records`: those of `reference_folder=` that were left out, and why; `report` and
        `table`: the files with a row for every song.
    """
    words = []
    for name, value in ({"output": output} | options).items():
        option = "--" + _column(name).replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not False:
            words += [f"{option}={text}" for text in _texts(value)]
    return json.loads(_native.batch([*words, "--", *_texts(inputs)], on_progress))


def mastered(src: Source, output: Path | None, work: Callable[[str, str], str]) -> Mastered:
    """Makes a master of a source, in a file or in memory."""
    with as_file(src) as (source, label):
        if output is not None:
            path = os.fspath(output)
            return _result(work(source, path), label, path)
        folder = _native.TemporaryFolder()
        path = os.path.join(folder.path, "master.wav")
        try:
            result = _result(work(source, path), label, path)
        except Error as error:
            raise error.about(path, "<memory>") from None
        result.audio  # is kept from here on
        os.remove(path)
        result.path = None
        result.report["output"]["path"] = "<memory>"
        return result


def _result(report: str, label: str, path: str) -> Mastered:
    data = json.loads(report)
    data["input"]["path"] = label
    return Mastered(data, path)


def as_text(settings: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Settings by the names of their columns in a plan."""
    return [(_column(name), _texts(value)) for name, value in settings.items() if value is not None]


def _column(name: str) -> str:
    """The name of a setting in a plan and as an option: `for` is a word of Python's own."""
    return "for" if name == "destination" else name


def _texts(value: Any) -> list[str]:
    """One value or several as text, as the command line takes them."""
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (str, os.PathLike)):
        return [os.fspath(value)]
    if isinstance(value, Mapping):
        return [f"{name}={number}" for name, number in value.items()]
    if isinstance(value, Iterable):
        return [text for one in value for text in _texts(one)]
    return [str(value)]
