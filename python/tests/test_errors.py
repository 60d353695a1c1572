"""Errors are exceptions with a code, a file and advice, and nothing is written."""

import io
import pickle

import numpy as np
import pytest
import soundfile

import goldmaster
import goldmaster.matchering as mg


def failing(kind, work, *arguments, **named):
    with pytest.raises(goldmaster.Error) as raised:
        work(*arguments, **named)
    assert type(raised.value) is kind and str(raised.value)
    return raised.value


def test_a_missing_file(tmp_path):
    error = failing(goldmaster.Error, goldmaster.master, tmp_path / "missing.wav")
    assert (error.code, error.file, error.advice) == ("not_found", str(tmp_path / "missing.wav"), None)
    assert failing(goldmaster.Error, goldmaster.analyze, tmp_path / "missing.wav").code == "not_found"
    assert failing(goldmaster.Error, goldmaster.check, tmp_path / "missing.wav", "cd").code == "not_found"
    assert failing(goldmaster.Error, goldmaster.variations, tmp_path / "missing.wav").code == "not_found"


def test_a_folder_a_text_and_a_damaged_file(tmp_path, mix):
    assert failing(goldmaster.Error, goldmaster.master, tmp_path).code == "not_a_file"
    text = failing(goldmaster.Error, goldmaster.master, b"words and nothing else")
    assert (text.code, text.file) == ("not_audio", "<bytes>") and "WAV" in text.advice
    assert "<bytes>" in str(text) and "source" not in str(text)
    assert failing(goldmaster.Error, goldmaster.master, io.BytesIO(b"")).file == "<file>"
    empty = failing(goldmaster.Error, goldmaster.master, mix.read_bytes()[:60])
    assert empty.code in ("empty", "damaged", "not_audio")


def test_too_many_channels_and_an_odd_rate(tmp_path):
    path = tmp_path / "quad.wav"
    soundfile.write(path, np.zeros((4_410, 4)), 44_100)
    assert failing(goldmaster.Error, goldmaster.master, path).code == "channels"
    tone = np.sin(np.arange(4_000) / 9)
    assert failing(goldmaster.Error, goldmaster.master, (tone, 4_000)).code == "sample_rate"


def test_silence(tmp_path, mix):
    silence = (np.zeros((44_100, 2)), 44_100)
    assert failing(goldmaster.Error, goldmaster.master, silence).code == "silent"
    path = tmp_path / "silence.wav"
    soundfile.write(path, *silence)
    assert failing(goldmaster.Error, goldmaster.master, mix, reference=path).code == "silent"


def test_outputs_that_cannot_be(tmp_path, mix):
    taken = tmp_path / "taken.wav"
    taken.write_bytes(b"mine")
    error = failing(goldmaster.Error, goldmaster.master, mix, output=taken)
    assert (error.code, error.file) == ("exists", str(taken)) and error.advice
    assert taken.read_bytes() == b"mine"
    assert failing(goldmaster.Error, goldmaster.master, mix, output=tmp_path / "no" / "x.wav").code == "no_folder"
    assert failing(goldmaster.Error, goldmaster.master, mix, output=mix, force=True).code == "same_file"
    assert failing(goldmaster.UsageError, goldmaster.master, mix, output=tmp_path / "x.ogg").code == "usage"
    usage = failing(goldmaster.UsageError, goldmaster.master, mix, output=tmp_path / "x.flac", bits="32f")
    assert "floating point" in str(usage)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken.wav"]


@pytest.mark.parametrize(
    "settings",
    [
        {"colour": "red"},
        {"character": "purple"},
        {"genre": "polka"},
        {"intensity": 101},
        {"loudness": "loud"},
        {"bits": 17},
        {"destination": "moon"},
        {"destination": ["cd", "club"]},
        {"ceiling": 3},
        {"set": {"limiter.colour": 1}},
        {"set": ["nonsense"]},
    ],
)
def test_settings_that_make_no_sense(mix, settings):
    error = failing(goldmaster.UsageError, goldmaster.master, mix, **settings)
    assert isinstance(error, ValueError) and error.code in ("usage", "recipe")


@pytest.mark.parametrize(
    "source",
    [42, ([1, 2, 3], 44_100), (np.zeros((10, 3)), 44_100), (np.zeros((1, 10, 2)), 44_100), (np.zeros(10), -1)],
)
def test_sources_that_are_none(source):
    failing(goldmaster.UsageError, goldmaster.master, source)


def test_a_broken_promise_writes_nothing(tmp_path, mix):
    output = tmp_path / "master.wav"
    error = failing(goldmaster.PromiseError, goldmaster.master, mix, output=output, loudness=-3, strict=True)
    assert (error.code, error.file) == ("promise", str(output))
    assert not output.exists()
    in_memory = failing(goldmaster.PromiseError, goldmaster.master, mix, loudness=-3, strict=True)
    assert in_memory.file == "<memory>" and "<memory>" in str(in_memory) and "master.wav" not in str(in_memory)


def test_recipes_and_profiles_that_are_none(tmp_path, mix):
    assert failing(goldmaster.UsageError, goldmaster.render, mix, {"colour": 1}).code == "recipe"
    path = tmp_path / "no.profile.json"
    path.write_text("{}")
    assert failing(goldmaster.Error, goldmaster.master, mix, profile=path).code == "profile_file"
    assert failing(goldmaster.UsageError, goldmaster.profile, tmp_path / "none*", tmp_path / "x.json").code == "usage"
    (tmp_path / "empty").mkdir()
    assert failing(goldmaster.Error, goldmaster.profile, tmp_path / "empty", tmp_path / "x.json").code == "folder"


def test_names_that_do_not_suit_what_is_written(tmp_path, mix):
    assert failing(goldmaster.UsageError, goldmaster.profile, mix, tmp_path / "x.wav").code == "usage"
    assert failing(goldmaster.UsageError, goldmaster.variations, mix, tmp_path / "x.wav").code == "usage"
    places = {"destination": ["cd", "club"]}
    assert failing(goldmaster.UsageError, goldmaster.variations, mix, tmp_path / "x.html", **places).code == "usage"
    assert list(tmp_path.iterdir()) == []


def test_batches_that_make_no_sense(tmp_path, mix):
    assert failing(goldmaster.UsageError, goldmaster.batch, mix, tmp_path, colour=1).code == "usage"
    assert failing(goldmaster.UsageError, goldmaster.batch, mix, tmp_path, album="purple").code == "usage"
    dry_run = failing(goldmaster.UsageError, goldmaster.batch, mix, tmp_path / "masters", dry_run=True)
    assert "--dry-run" in str(dry_run) and not (tmp_path / "masters").exists()
    assert failing(goldmaster.Error, goldmaster.batch, tmp_path / "missing.wav", tmp_path).code == "not_found"


def test_a_bad_song_of_a_batch_raises_nothing(tmp_path, mix):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"words")
    summary = goldmaster.batch([mix, bad], tmp_path / "masters")["summary"]
    assert (summary["mastered"], summary["failed"]) == (1, 1)


def test_what_matchering_does_and_goldmaster_does_not(tmp_path, mix, record):
    output = str(tmp_path / "x.wav")
    no_limiter = mg.Result(output, "PCM_16", use_limiter=False)
    failing(goldmaster.UsageError, mg.process, str(mix), str(record), [no_limiter])
    failing(goldmaster.UsageError, mg.process, str(mix), str(record), [])
    failing(goldmaster.UsageError, mg.process, str(mix), str(record), [output], config=object())


def test_an_error_can_be_sent_to_another_process(tmp_path):
    error = failing(goldmaster.Error, goldmaster.master, tmp_path / "missing.wav")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.code, again.file) == (type(error), str(error), error.code, error.file)
