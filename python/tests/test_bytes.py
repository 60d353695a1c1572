"""Masters are those of the command line, to the byte."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

import goldmaster


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "opus"])
def test_a_master_has_the_bytes_of_the_command_line(mix, tmp_path, by_command, extension):
    output = tmp_path / f"master.{extension}"
    goldmaster.master(mix, output=output)
    assert output.read_bytes() == by_command(mix, extension=extension)


def test_settings_mean_what_the_options_mean(mix, record, tmp_path, by_command):
    output = tmp_path / "master.wav"
    settings = {
        "loudness": -11,
        "character": "warm",
        "intensity": 70.5,
        "bits": 16,
        "ceiling": -1.5,
        "codec_safe": True,
        "set": {"limiter.release_ms": 80},
    }
    goldmaster.master(mix, record, output, **settings)
    words = "--loudness -11 --character warm --intensity 70.5 --bits 16 --ceiling -1.5 --codec-safe".split()
    assert output.read_bytes() == by_command(mix, "-r", record, *words, "--set", "limiter.release_ms=80")


def test_a_destination_is_that_of_the_option_for(mix, tmp_path, by_command):
    output = tmp_path / "master.wav"
    goldmaster.master(mix, output=output, destination="apple-music")
    assert output.read_bytes() == by_command(mix, "--for", "apple-music")


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_threads_change_nothing(mix, tmp_path, by_command, threads):
    output = tmp_path / "master.wav"
    goldmaster.master(mix, output=output, threads=threads)
    assert output.read_bytes() == by_command(mix)


def test_every_kind_of_source_gives_the_same_samples(mix):
    expected = goldmaster.master(mix)
    samples, rate = soundfile.read(mix)
    with open(mix, "rb") as file:
        sources = {
            str(mix): file,
            "<bytes>": mix.read_bytes(),
            "<file>": io.BytesIO(mix.read_bytes()),
            "<array>": (samples, rate),
        }
        for label, source in sources.items():
            result = goldmaster.master(source)
            assert result.report["input"]["path"] == label
            assert result.report["output"]["path"] == "<memory>" and result.path is None
            assert np.array_equal(result.audio, expected.audio), label
    assert result.report["input_hash"] == expected.report["input_hash"]


def test_samples_are_those_of_the_file(mix, tmp_path):
    output = tmp_path / "master.wav"
    result = goldmaster.master(str(mix), output=output)
    samples, rate = soundfile.read(output, dtype="float32", always_2d=True)
    assert result.sample_rate == rate
    assert result.audio.dtype == np.float32 and result.audio.flags.writeable
    assert np.array_equal(result.audio, samples)


def test_mono_stays_mono(tmp_path):
    samples = np.sin(np.arange(44_100) / 20).astype(np.float32) * 0.1
    result = goldmaster.master((samples, 44_100))
    assert result.audio.shape == (44_100, 1)


def test_a_recipe_gives_the_same_bytes_again(mix, tmp_path, command):
    first, again, by_command = (tmp_path / f"{name}.wav" for name in ("first", "again", "by-command"))
    recipe = goldmaster.master(mix, output=first).recipe
    goldmaster.render(mix, recipe, again)
    assert again.read_bytes() == first.read_bytes()
    saved = tmp_path / "recipe.json"
    assert command(mix, "-o", tmp_path / "x.wav", "--save-recipe", saved).returncode == 0
    goldmaster.render(mix, saved, again, set={"output.dither_seed": 5}, force=True)
    done = command("render", mix, "--recipe", saved, "--set", "output.dither_seed=5", "-o", by_command)
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == by_command.read_bytes() != first.read_bytes()


def test_an_object_masters_song_after_song_as_the_function_does(mix, record, tmp_path, by_command):
    master = goldmaster.Master(reference=[record], match="cautious")
    expected = by_command(mix, "-r", record, "--match", "cautious")
    for n in range(3):
        output = tmp_path / f"{n}.wav"
        master.master(mix, output)
        assert output.read_bytes() == expected


def test_a_batch_has_the_bytes_of_single_masters(mix, record, tmp_path, by_command):
    result = goldmaster.batch([mix, record], tmp_path / "masters", jobs=2, loudness=-12)
    assert result["summary"]["mastered"] == 2 and result["albums"] == []
    assert Path(result["report"]).exists() and Path(result["table"]).exists()
    for song in (mix, record):
        mastered = next((tmp_path / "masters").rglob(f"{song.stem}*.wav"))
        assert mastered.read_bytes() == by_command(song, "--loudness", "-12")


def test_an_album_is_one(mix, record, tmp_path):
    result = goldmaster.batch([mix, record], tmp_path / "masters", album=True)
    assert len(result["albums"]) == 1 and len(result["albums"][0]["songs"]) == 2
    assert result["without_cue_sheet"] == [] and result["unusable_records"] == []


def test_an_album_without_a_cue_sheet_is_named(mix, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"words")
    result = goldmaster.batch([mix, bad], tmp_path / "masters", album=True, cue=True)
    (album,) = result["without_cue_sheet"]
    assert album["songs"] == 2 and album["unfinished"] == [str(bad)]
