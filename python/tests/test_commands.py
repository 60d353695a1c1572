"""What is no master: measurements, checks, pages, profiles, and Matchering's way to ask."""

import json
from pathlib import Path

import soundfile

import goldmaster
import goldmaster.matchering as mg


def test_an_analysis_is_that_of_the_command_line(mix, command):
    assert goldmaster.analyze(mix) == json.loads(command("analyze", mix, "--json").stdout)
    assert goldmaster.analyze(mix.read_bytes())["path"] == "<bytes>"


def test_a_check_is_that_of_the_command_line(mix, command):
    checked = goldmaster.check(mix, "cd")
    assert [checked] == json.loads(command("check", mix, "--for", "cd", "--json").stdout)
    assert checked["is_ready"] is False


def test_variations_are_those_of_the_command_line(mix, tmp_path, command):
    done = goldmaster.variations(mix, tmp_path / "page.html", character="bright")
    words = ("variations", mix, "-o", tmp_path / "other.html", "--character", "bright", "--json")
    assert done == json.loads(command(*words).stdout)
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_a_profile_is_that_of_the_command_line(mix, record, tmp_path, command):
    output, other = tmp_path / "python" / "mine.profile.json", tmp_path / "mine.profile.json"
    output.parent.mkdir()
    done = goldmaster.profile([mix, record], output)
    assert command("profile", mix, record, "-o", other).returncode == 0
    assert output.read_bytes() == other.read_bytes()
    assert done["profile"] == json.loads(output.read_text()) and done["failed"] == []
    assert goldmaster.master(mix, profile=output).report["decision"]["target"] == "mine"


def test_matchering_is_asked_as_ever(mix, record, tmp_path, by_command):
    said: list[str] = []
    mg.log(said.append)
    results = [tmp_path / "16.wav", tmp_path / "24.wav"]
    for _ in range(2):  # results are replaced
        wanted = [mg.pcm16(str(results[0])), mg.pcm24(str(results[1]))]
        mg.process(target=str(mix), reference=str(record), results=wanted)
    assert [soundfile.info(path).subtype for path in results] == ["PCM_16", "PCM_24"]
    assert results[1].read_bytes() == by_command(mix, "-r", record)
    assert said[-1] == "done"


def test_the_command_line_comes_with_the_package(mix, tmp_path, command):
    assert command("--version").stdout == "goldmaster 0.1.0\n"
    missing = command(tmp_path / "missing.wav")
    assert missing.returncode == 1 and "there is no such file" in missing.stderr
    assert command("--colour").returncode == 2
    assert command(mix, "-o", tmp_path / "master.wav").returncode == 0


def test_the_package_says_what_it_takes():
    from goldmaster import _native

    names = {{"for": "destination"}.get(name, name) for name in _native.setting_names()}
    assert names == set(goldmaster.Settings.__annotations__)
    assert (Path(goldmaster.__file__).parent / "py.typed").exists()
    assert all(getattr(goldmaster, name).__doc__ for name in goldmaster.__all__ if name not in ("Progress", "Source"))
