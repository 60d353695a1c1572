"""The example for Ray, with an object store and a cluster on this machine."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import EXAMPLES, SONGS, body, check_masters, keys, report

ray = pytest.importorskip("ray")
pytest.importorskip("obstore")


@pytest.fixture(scope="module")
def example(bucket):
    """The example, in a cluster of two."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.syspath_prepend(EXAMPLES)
    module = importlib.import_module("ray_master")
    # On a busy machine the workers of a cluster would otherwise starve.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    try:
        ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": str(EXAMPLES)}})
    except Exception as cause:
        monkeypatch.undo()
        pytest.skip(f"no cluster can be started on this machine: {cause}")
    yield module
    ray.shutdown()
    monkeypatch.undo()


def run(example, monkeypatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ray_master.py", *words])
    example.main()


def test_songs_of_a_bucket_are_mastered_as_by_the_command_line(
    bucket, example, monkeypatch, tmp_path, by_command, capsys
):
    words = ("--input", "s3://music/songs/*.wav", "--output", "s3://music/masters", "--settings", '{"loudness": -12}')
    run(example, monkeypatch, *words)
    assert capsys.readouterr().out.endswith(f"{SONGS} mastered, 0 unchanged, 1 failed\n")
    rows = report(bucket, "masters")
    assert len(rows) == SONGS + 1
    check_masters(bucket, rows, tmp_path, by_command)
    run(example, monkeypatch, *words)
    assert capsys.readouterr().out.endswith(f"0 mastered, {SONGS} unchanged, 1 failed\n")


def test_albums_of_a_bucket_are_mastered_as_by_the_command_line(
    bucket, example, monkeypatch, tmp_path, command, capsys
):
    album, masters = tmp_path / "album", tmp_path / "masters"
    album.mkdir()
    for n in range(2):
        (album / f"{n}.wav").write_bytes(body(bucket, f"songs/{n}.wav"))
        bucket.put_object(Key=f"albums/one/{n}.wav", Body=body(bucket, f"songs/{n}.wav"))
        bucket.put_object(Key=f"albums/two/{n + 2}.wav", Body=body(bucket, f"songs/{n + 2}.wav"))
    bucket.put_object(Key="albums/two/bad.wav", Body=b"words")
    words = ("--input", "s3://music/albums/*.wav", "--albums", "--output", "s3://music/records")
    run(example, monkeypatch, *words, "--settings", '{"loudness": -12}')
    assert capsys.readouterr().out.endswith("4 mastered, 0 unchanged, 1 failed\n")
    rows = report(bucket, "records")
    assert (rows["bad.wav"]["status"], rows["bad.wav"]["code"]) == ("failed", "not_audio")
    assert rows["bad.wav"]["cause"].startswith("s3://music/albums/two/bad.wav: ")
    done = command("batch", album, "-o", masters, "--album", "--loudness", "-12", "--quiet")
    assert done.returncode == 0, done.stderr
    for n in range(2):
        master = body(bucket, rows[f"{n}.wav"]["output"].removeprefix("s3://music/"))
        assert master == (masters / f"{n}.wav").read_bytes()
    # An album without one of its songs is mastered again.
    run(example, monkeypatch, *words, "--settings", '{"loudness": -12}')
    assert capsys.readouterr().out.endswith("2 mastered, 2 unchanged, 1 failed\n")


def test_other_machines_need_no_file_of_the_example(example, tmp_path):
    worker = tmp_path / "worker"
    worker.write_bytes(ray.cloudpickle.dumps(example.cluster.Worker))
    line = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb'))('s3://music/masters', 'wav').extension)"
    done = subprocess.run([sys.executable, "-c", line, worker], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "wav\n", done.stderr


def test_a_plan_has_settings_for_every_song(bucket, example, monkeypatch, tmp_path):
    plan = tmp_path / "plan.csv"
    rows = ("input,loudness,reference", "s3://music/songs/0.wav,-16,", "s3://music/songs/1.wav,,s3://music/songs/2.wav")
    plan.write_text("\n".join(rows) + "\n")
    run(example, monkeypatch, "--plan", str(plan), "--output", "s3://music/planned", "--format", "flac")
    rows = report(bucket, "planned")
    assert [row["status"] for row in rows.values()] == ["mastered"] * 2
    assert rows["0.wav"]["loudness_lufs"] == pytest.approx(-16, abs=0.1)
    assert all(row["output"].endswith(".flac") for row in rows.values())


def descendants() -> dict[int, str]:
    """The processes that this one has started, by their names."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text().split("\0")[0]
        except OSError:
            continue

    def is_ours(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == os.getpid():
                return True
        return False

    return {process: name for process, name in names.items() if is_ours(process)}


@contextmanager
def one_worker_killed(kind: str, is_due: Callable[[], bool]) -> Iterator[None]:
    """Kills a worker meanwhile, as soon as one is at work and it is due."""
    killed: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 300
        while not killed and time.monotonic() < deadline:
            if is_due():
                for process in [process for process, name in descendants().items() if kind in name][:1]:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    killer.join()
    assert killed


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_worker_that_is_killed_costs_nothing_but_time(bucket, example, monkeypatch, tmp_path, by_command):
    with one_worker_killed("MapWorker", lambda: len(keys(bucket, "again/")) >= 2):
        run(example, monkeypatch, "--input", "s3://music/songs/?.wav", "--output", "s3://music/again")
    rows = report(bucket, "again")
    assert len(rows) == SONGS
    for n in range(SONGS):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(body(bucket, f"songs/{n}.wav"))
        assert body(bucket, rows[path.name]["output"].removeprefix("s3://music/")) == by_command(path)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.parametrize("step", ["prepare", "deliver"])
def test_a_worker_of_an_album_that_is_killed_in_a_step_changes_nothing(
    bucket, example, monkeypatch, tmp_path, command, step
):
    album, masters = tmp_path / "songs", tmp_path / "masters"
    album.mkdir()
    for n in range(SONGS):
        (album / f"{n}.wav").write_bytes(body(bucket, f"songs/{n}.wav"))
    # Ray names a process by what it does.
    with one_worker_killed(f"Worker.{step}", lambda: True):
        words = ("--input", "s3://music/songs/?.wav", "--albums", "--output", f"s3://music/{step}")
        run(example, monkeypatch, *words)
    done = command("batch", album, "-o", masters, "--album", "--quiet")
    assert done.returncode == 0, done.stderr
    rows = report(bucket, step)
    assert [row["status"] for row in rows.values()] == ["mastered"] * SONGS
    for name, row in rows.items():
        assert body(bucket, row["output"].removeprefix("s3://music/")) == (masters / name).read_bytes()
