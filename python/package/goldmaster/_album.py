"""Albums whose songs are spread over several processes."""

from collections.abc import Iterable
from typing import Any, Literal, NewType, Unpack

from . import _native
from ._api import Mastered, Path, Progress, Settings, as_text, mastered
from ._source import Source, as_file

Measured = NewType("Measured", bytes)
"""A measured song of an album: 70 kB."""
Decided = NewType("Decided", bytes)
"""What the songs of an album share: 12 kB, and 0.2 MB more for every reference."""
Prepared = NewType("Prepared", bytes)
"""A song whose recipe is complete but for the loudness, and all that its loudness depends on: 6.6 MB per minute at 44.1 kHz."""
Balanced = NewType("Balanced", bytes)
"""A song with its complete recipe: 4 kB."""


class Album:
    """Masters the songs of albums, in five steps that may be done in different processes.

    The masters have the same bytes as those of `goldmaster.batch(album=True)` with the same settings. `measure`,
    `prepare` and `master` take one song each and are done anywhere; `decide` and `balance` take all of an album. What
    goes from one step to the next is bytes: they may be kept, sent by any means and used again, by the same version of
    this package. The order of the songs has no influence.

        album = goldmaster.Album(loudness=-12)
        measured = [album.measure(mix) for mix in mixes]
        decided = album.decide(measured)
        prepared = [album.prepare(mix, song, decided) for mix, song in zip(mixes, measured)]
        balanced = album.balance(decided, prepared)
        for mix, song in zip(mixes, balanced):
            album.master(mix, song, output=f"masters/{mix}")

    A song that fails in a step is left out of the steps that follow, as a batch does.

    An object may be used by several threads at once and for several albums, and it may be pickled: what it has loaded
    stays behind. Every step does the same when it is done again.

    Args:
        album: what is brought to the loudness that is asked for: the "whole" album, played through, or its "loudest"
            song.
        album_balance: differences in loudness between the songs: "keep" or "even".
        reference_from_album: the album is its own reference: songs that stand out move towards the others.
        format: that of the masters: "wav", "flac", "mp3" or "opus".
        settings: those of every song, see `Settings`.

    Raises:
        UsageError: there is no such setting, it does not take this value, or settings do not fit together.
    """

    def __init__(
        self,
        *,
        album: Literal["whole", "loudest"] = "whole",
        album_balance: Literal["keep", "even"] = "keep",
        reference_from_album: bool = False,
        format: Literal["wav", "flac", "mp3", "opus"] = "wav",
        **settings: Unpack[Settings],
    ) -> None:
        self.options = (album, album_balance, reference_from_album, format)
        self.settings = settings
        self._native = _native.Album(as_text(settings), *self.options)

    def measure(self, src: Source, *, threads: int | None = None, on_progress: Progress | None = None) -> Measured:
        """Measures a song.

        Args:
            src: the mix, as in `goldmaster.master`; the same sound in `prepare` and in `master`.

        The other arguments, and what is raised, are those of `goldmaster.master`; so are those of all other steps.
        """
        with as_file(src) as (path, _):
            return Measured(self._native.measure(path, threads, on_progress))

    def decide(
        self, songs: Iterable[Measured], *, threads: int | None = None, on_progress: Progress | None = None
    ) -> Decided:
        """Decides what all songs of an album share: target, tone and loudness. References are measured here."""
        return Decided(self._native.decide(list(songs), threads, on_progress))

    def prepare(
        self,
        src: Source,
        song: Measured,
        decided: Decided,
        *,
        threads: int | None = None,
        on_progress: Progress | None = None,
    ) -> Prepared:
        """Prepares a song: decides its own part, and renders it for all that its loudness depends on."""
        with as_file(src) as (path, _):
            return Prepared(self._native.prepare(path, song, decided, threads, on_progress))

    def balance(self, decided: Decided, songs: Iterable[Prepared]) -> list[Balanced]:
        """Sets the loudness of all songs so that the album is at its own; the result is in the order of `songs`.

        Raises:
            PromiseError: the album misses its loudness, and the settings are `strict`. Songs are numbered from 1.
        """
        return [Balanced(song) for song in self._native.balance(decided, list(songs))]

    def master(
        self,
        src: Source,
        song: Balanced,
        output: Path | None = None,
        *,
        force: bool = False,
        threads: int | None = None,
        on_progress: Progress | None = None,
    ) -> Mastered:
        """Masters a song.

        Args:
            output: file of the master, with the extension of the album's format: another format takes the same
                decisions, but has not the bytes of a batch. Without one the master is in memory only.

        Raises:
            UsageError: `src` is not the song that was prepared.
        """

        def work(source: str, target: str) -> str:
            return self._native.master(source, song, target, force, threads, on_progress)

        return mastered(src, output, work)

    def __getstate__(self) -> tuple[tuple[Any, ...], Settings]:
        return self.options, self.settings

    def __setstate__(self, state: tuple[tuple[Any, ...], Settings]) -> None:
        self.options, self.settings = state
        self._native = _native.Album(as_text(self.settings), *self.options)

    def __repr__(self) -> str:
        names = ("album", "album_balance", "reference_from_album", "format")
        given = dict(zip(names, self.options)) | self.settings
        return f"Album({', '.join(f'{name}={value!r}' for name, value in given.items())})"
