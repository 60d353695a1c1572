"""Songs, on disk and in a bucket, and the command line to compare with."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE_HZ = 44_100
SONGS = 8
"""Number of songs in the bucket."""
EXAMPLES = Path(__file__).parents[2] / "examples"


def song(seconds: float, seed: int) -> np.ndarray:
    """Chords, a bass and hits, float32 of shape (frames, 2)."""
    noise = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * (1 + 0.1 * seed) * time) for hz in (220.0, 277.2, 329.6))
    bass = np.sin(2 * np.pi * 55.0 * time)
    hits = noise.standard_normal(len(time)) * np.exp(-30 * (time % 0.5))
    middle = 0.03 * chord + 0.1 * bass + 0.1 * hits
    sides = 0.01 * noise.standard_normal(len(time))
    return np.stack([middle + sides, middle - sides], axis=1).astype(np.float32)


@pytest.fixture(scope="session")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("songs") / "mix.wav"
    soundfile.write(path, song(3.0, 1), RATE_HZ, "FLOAT")
    return path


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "record.flac"
    soundfile.write(path, np.tanh(6 * song(3.0, 2)), RATE_HZ, "PCM_24")
    return path


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess]:
    """Runs the command line."""

    def run(*words: object) -> subprocess.CompletedProcess:
        line = [sys.executable, "-m", "goldmaster", *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def by_command(command: Callable, tmp_path: Path) -> Callable[..., bytes]:
    """The bytes of the master that the command line makes."""

    def run(*words: object, extension: str = "wav") -> bytes:
        output = tmp_path / f"by-command.{extension}"
        done = command(*words, "-o", output, "--force", "--quiet")
        assert done.returncode == 0, done.stderr
        return output.read_bytes()

    return run


@pytest.fixture(scope="session")
def bucket():
    """A bucket with songs, one of which is none, in an object store on this machine."""
    boto3, moto = pytest.importorskip("boto3"), pytest.importorskip("moto.server")
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


def keys(bucket, prefix: str) -> list[str]:
    """The names of objects."""
    return [one.key for one in bucket.objects.filter(Prefix=prefix)]


def body(bucket, key: str) -> bytes:
    """The bytes of an object."""
    return bucket.Object(key).get()["Body"].read()


def report(bucket, prefix: str) -> dict[str, dict]:
    """The rows of a report, by the names of the songs."""
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(io.BytesIO(body(bucket, f"{prefix}/report.parquet"))).to_pylist()
    return {row["input"].rpartition("/")[2]: row for row in rows}


def check_masters(bucket, rows: dict[str, dict], folder: Path, by_command: Callable[..., bytes]) -> None:
    """Checks that every song has the bytes of the command line's master, and that the bad one failed."""
    assert (rows["bad.wav"]["status"], rows["bad.wav"]["code"]) == ("failed", "not_audio")
    for n in range(SONGS):
        path = folder / f"{n}.wav"
        path.write_bytes(body(bucket, f"songs/{n}.wav"))
        master = body(bucket, rows[path.name]["output"].removeprefix("s3://music/"))
        assert master == by_command(path, "--loudness", "-12")
