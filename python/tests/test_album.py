"""Albums whose songs are mastered in steps, in several processes."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import soundfile

import goldmaster
from conftest import RATE_HZ, song

SONGS = 3
SECONDS = 2.0


@pytest.fixture(scope="module")
def mixes(tmp_path_factory) -> list[Path]:
    """The songs of an album."""
    folder = tmp_path_factory.mktemp("album")
    paths = [folder / f"{n}.wav" for n in range(SONGS)]
    for n, path in enumerate(paths):
        soundfile.write(path, (1 - 0.25 * n) * song(SECONDS, n), RATE_HZ, "PCM_24")
    return paths


def mastered(album: goldmaster.Album, mix: Path, song: goldmaster.Balanced, output: Path) -> bytes:
    album.master(mix, song, output, threads=1)
    return output.read_bytes()


def in_steps(album: goldmaster.Album, mixes: list[Path], folder: Path, each) -> list[bytes]:
    """The masters of an album; `each` calls a method of it for every song, as `map` does."""
    measured = list(each(goldmaster.Album.measure, [album] * SONGS, mixes))
    decided = album.decide(measured)
    prepared = list(each(goldmaster.Album.prepare, [album] * SONGS, mixes, measured, [decided] * SONGS))
    balanced = album.balance(decided, prepared)
    outputs = [folder / mix.name for mix in mixes]
    return list(each(mastered, [album] * SONGS, mixes, balanced, outputs))


def by_batch(command, mixes: list[Path], folder: Path, *words: object) -> list[bytes]:
    done = command("batch", mixes[0].parent, "-o", folder, "--album", "--quiet", *words)
    assert done.returncode == 0, done.stderr
    return [(folder / mix.name).read_bytes() for mix in mixes]


@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
def test_the_songs_of_an_album_may_be_in_several_processes(mixes, tmp_path, command, method):
    album = goldmaster.Album(loudness=-12)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        masters = in_steps(album, mixes, tmp_path, pool.map)
    assert masters == by_batch(command, mixes, tmp_path / "batch", "--loudness", "-12")


def test_settings_of_an_album_mean_what_the_options_mean(mixes, record, tmp_path, command):
    album = goldmaster.Album(album_balance="even", reference=record, character="warm")
    masters = in_steps(album, mixes[::-1], tmp_path, map)
    words = ("--album-balance", "even", "-r", record, "--character", "warm")
    # The order of the songs has no influence.
    assert masters == by_batch(command, mixes, tmp_path / "batch", *words)[::-1]


def test_an_album_may_be_in_memory_and_its_object_may_be_pickled(mixes):
    album = pickle.loads(pickle.dumps(goldmaster.Album(album="loudest", format="flac", loudness=-16)))
    assert repr(album).startswith("Album(album='loudest', album_balance='keep', reference_from_album=False")
    data = mixes[0].read_bytes()
    measured = album.measure(data)
    decided = album.decide([measured])
    prepared = album.prepare(data, measured, decided)
    (balanced,) = album.balance(decided, [prepared])
    result = album.master(data, balanced)
    assert result.report["input"]["path"] == "<bytes>" and result.path is None
    assert result.report["after"]["integrated_lufs"] == pytest.approx(-16, abs=0.1)
    assert result.report["decision"]["target"] and len(result.audio) == SECONDS * RATE_HZ
    # A trace has 40 bytes for every 16 frames.
    assert len(prepared) == pytest.approx(SECONDS * RATE_HZ / 16 * 40, abs=20_000)


def test_a_step_takes_what_the_step_before_returned(mixes, tmp_path):
    album = goldmaster.Album(strict=True, loudness=-3)
    measured = album.measure(mixes[0])
    decided = album.decide([measured])
    prepared = album.prepare(mixes[0], measured, decided)
    for work in (
        lambda: album.decide([decided]),
        lambda: album.decide([b"words"]),
        lambda: album.prepare(mixes[0], decided, decided),
        lambda: album.balance(decided, [measured]),
    ):
        with pytest.raises(goldmaster.UsageError, match="of goldmaster 0.1.0; each step of an album takes"):
            work()
    with pytest.raises(goldmaster.PromiseError) as raised:
        album.balance(decided, [prepared])
    assert raised.value.code == "promise"
    (balanced,) = goldmaster.Album(loudness=-3).balance(decided, [prepared])
    with pytest.raises(goldmaster.UsageError, match="not the song of the steps before"):
        album.master(mixes[1], balanced, tmp_path / "x.wav")
    with pytest.raises(goldmaster.Error) as raised:
        album.measure(tmp_path / "missing.wav")
    assert raised.value.code == "not_found" and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        {"album": "purple"},
        {"album_balance": "odd"},
        {"format": "ogg"},
        {"colour": "red"},
        {"ceiling": 3},
        {"destination": ["cd", "club"]},
        {"format": "flac", "bits": "32f"},
        {"reference_from_album": True, "genre": "rock"},
    ],
)
def test_settings_of_an_album_that_make_no_sense(options):
    with pytest.raises(goldmaster.UsageError):
        goldmaster.Album(**options)
