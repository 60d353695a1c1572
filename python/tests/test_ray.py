"""The example for Ray, with an object store and a cluster on this machine."""

import importlib.util
import io
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import soundfile

from conftest import RATE_HZ, song

ray = pytest.importorskip("ray")
pytest.importorskip("obstore")
boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto.server")
parquet = pytest.importorskip("pyarrow.parquet")

EXAMPLE = Path(__file__).parents[2] / "examples" / "ray_master.py"
SONGS = 8


@pytest.fixture(scope="module")
def bucket():
    """A bucket with songs, one of which is none."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
    }
    before = dict(os.environ)
    os.environ.update(settings)
    objects = boto3.resource("s3").create_bucket(Bucket="music")
    for n in range(SONGS):
        wav = io.BytesIO()
        soundfile.write(wav, song(1.5, n), RATE_HZ, "PCM_24", format="WAV")
        objects.put_object(Key=f"songs/{n}.wav", Body=wav.getvalue())
    objects.put_object(Key="songs/bad.wav", Body=b"words")
    objects.put_object(Key="other/9.wav", Body=b"is not asked for")
    yield objects
    server.stop()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def example(bucket):
    """The example, in a cluster of two."""
    spec = importlib.util.spec_from_file_location("ray_master", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ray_master"] = module
    spec.loader.exec_module(module)
    # On a busy machine the workers of a cluster would otherwise starve.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("RAY_worker_niceness", "0")
    try:
        ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": str(EXAMPLE.parent)}})
    except Exception as cause:
        monkeypatch.undo()
        pytest.skip(f"no cluster can be started on this machine: {cause}")
    yield module
    ray.shutdown()
    monkeypatch.undo()


def keys(bucket, prefix: str) -> list[str]:
    return [one.key for one in bucket.objects.filter(Prefix=prefix)]


def body(bucket, key: str) -> bytes:
    return bucket.Object(key).get()["Body"].read()


def report(bucket, prefix: str) -> dict[str, dict]:
    rows = parquet.read_table(io.BytesIO(body(bucket, f"{prefix}/report.parquet"))).to_pylist()
    return {row["input"].rpartition("/")[2]: row for row in rows}


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
    assert (rows["bad.wav"]["status"], rows["bad.wav"]["code"]) == ("failed", "not_audio")
    for n in range(SONGS):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(body(bucket, f"songs/{n}.wav"))
        master = body(bucket, rows[path.name]["output"].removeprefix("s3://music/"))
        assert master == by_command(path, "--loudness", "-12")
    run(example, monkeypatch, *words)
    assert capsys.readouterr().out.endswith(f"0 mastered, {SONGS} unchanged, 1 failed\n")


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


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_worker_that_is_killed_costs_nothing_but_time(bucket, example, monkeypatch, tmp_path, by_command):
    killed: list[int] = []

    def kill() -> None:
        deadline = time.monotonic() + 300
        while not killed and time.monotonic() < deadline:
            if len(keys(bucket, "again/")) >= 2:
                workers = [process for process, name in descendants().items() if "MapWorker" in name]
                for process in workers[:1]:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    run(example, monkeypatch, "--input", "s3://music/songs/?.wav", "--output", "s3://music/again")
    killer.join()
    rows = report(bucket, "again")
    assert killed and len(rows) == SONGS
    for n in range(SONGS):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(body(bucket, f"songs/{n}.wav"))
        assert body(bucket, rows[path.name]["output"].removeprefix("s3://music/")) == by_command(path)
