"""The example for Daft, with an object store on this machine."""

import os
import subprocess
import sys

import pytest

from conftest import EXAMPLES, SONGS, body, check_masters, report

pytest.importorskip("daft")
pytest.importorskip("obstore")


def run(*words: str) -> str:
    """Runs the example as a program; the last line that it prints."""
    line = [sys.executable, EXAMPLES / "daft_master.py", *words, "--settings", '{"loudness": -12}', "--workers", "2"]
    # Daft reports its use to its makers otherwise.
    environment = os.environ | {"DO_NOT_TRACK": "true"}
    done = subprocess.run(line, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_songs_of_a_bucket_are_mastered_as_by_the_command_line(bucket, tmp_path, by_command):
    words = ("--input", "s3://music/songs/*.wav", "--output", "s3://music/daft")
    assert run(*words) == f"{SONGS} mastered, 0 unchanged, 1 failed"
    rows = report(bucket, "daft")
    check_masters(bucket, rows, tmp_path, by_command)
    assert run(*words) == f"0 mastered, {SONGS} unchanged, 1 failed"


def test_an_album_is_mastered_as_by_the_command_line(bucket, tmp_path, command):
    album, masters = tmp_path / "album", tmp_path / "masters"
    album.mkdir()
    for n in range(2):
        (album / f"{n}.wav").write_bytes(body(bucket, f"songs/{n}.wav"))
        bucket.put_object(Key=f"daft-albums/one/{n}.wav", Body=body(bucket, f"songs/{n}.wav"))
    words = ("--input", "s3://music/daft-albums/*.wav", "--albums", "--output", "s3://music/daft-records")
    assert run(*words) == "2 mastered, 0 unchanged, 0 failed"
    done = command("batch", album, "-o", masters, "--album", "--loudness", "-12", "--quiet")
    assert done.returncode == 0, done.stderr
    for name, row in report(bucket, "daft-records").items():
        assert body(bucket, row["output"].removeprefix("s3://music/")) == (masters / name).read_bytes()
    assert run(*words) == "0 mastered, 2 unchanged, 0 failed"
