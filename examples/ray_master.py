"""Masters the songs of an object store over a Ray cluster.

    pip install ./python 'ray[data]' obstore
    python examples/ray_master.py --input 's3://bucket/songs/*.flac' --output s3://bucket/masters

Every song is one row of the report (OUTPUT/report.parquet): a song that cannot be mastered as well, with the reason. A
master is named by what is in its song and by its settings, and what became of it lies beside it, so that a task that is
tried again, and the same command tomorrow, do nothing twice. `--plan` is a CSV table with a column `input` and columns
for settings, named as in `goldmaster.Settings`; addresses may be s3://, gs://, az:// and file://, credentials come from
the environment.
"""

import argparse
import csv
import fnmatch
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import obstore
import pyarrow
import pyarrow.parquet
import ray
from obstore.store import LocalStore, ObjectStore, from_url

import goldmaster

COLUMNS = pyarrow.schema(
    [
        ("input", pyarrow.string()),
        ("output", pyarrow.string()),
        ("status", pyarrow.string()),
        ("code", pyarrow.string()),
        ("cause", pyarrow.string()),
        ("loudness_lufs", pyarrow.float64()),
        ("true_peak_dbtp", pyarrow.float64()),
    ]
)


@lru_cache(maxsize=16)
def store(base: str) -> ObjectStore:
    """A bucket, or this machine's files."""
    return LocalStore() if base == "file://" else from_url(base)


def place(url: str) -> tuple[ObjectStore, str]:
    """The store and the key of an address."""
    scheme, is_address, rest = url.partition("://")
    if not is_address:
        raise SystemExit(f"{url}: write an address, as in s3://bucket/{url} or file:///folder/{url}")
    bucket, _, key = rest.partition("/")
    return store(f"{scheme}://{bucket}"), key


def read(url: str) -> bytes:
    """All bytes of an object."""
    objects, key = place(url)
    return bytes(obstore.get(objects, key).bytes())


def write(url: str, data: bytes) -> None:
    """An object, which appears when it is complete."""
    objects, key = place(url)
    obstore.put(objects, key, data)


def listed(pattern: str) -> Iterator[str]:
    """The addresses that fit a pattern."""
    objects, key = place(pattern)
    base = pattern.removesuffix(key)
    prefix = key[: min((key.find(sign) for sign in "*?[" if sign in key), default=len(key))].rpartition("/")[0]
    for some in obstore.list(objects, prefix=prefix or None):
        yield from (base + one["path"] for one in some if fnmatch.fnmatchcase(one["path"], key))


class Worker:
    """Masters songs in one process with one thread; networks are loaded and references measured once."""

    def __init__(self, output: str, extension: str) -> None:
        self.output, self.extension = output.rstrip("/"), extension
        self.folder = tempfile.TemporaryDirectory(prefix="ray-master-")
        self.masters: dict[str, goldmaster.Master] = {}
        self.references: dict[str, tuple[str, str]] = {}

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        rows = [self.row(url, json.loads(text)) for url, text in zip(batch["input"], batch["settings"])]
        return pyarrow.Table.from_pylist(rows, schema=COLUMNS)

    def row(self, url: str, settings: dict[str, Any]) -> dict[str, Any]:
        """What became of a song."""
        try:
            return {"input": url} | self.mastered(url, settings)
        except goldmaster.Error as error:
            return {"input": url, "status": "failed", "code": error.code, "cause": str(error)}
        except (OSError, obstore.exceptions.BaseError) as error:
            return {"input": url, "status": "failed", "code": "store", "cause": str(error)}

    def mastered(self, url: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Masters a song, unless that was done before."""
        song = read(url)
        settings, content = dict(settings), hashlib.sha256(song)
        if reference := settings.get("reference"):
            settings["reference"], digest = self.reference(reference)
            content.update(digest.encode())
        told = json.dumps([settings | {"reference": None}, goldmaster.__version__, self.extension], sort_keys=True)
        content.update(told.encode())
        stem = os.path.splitext(os.path.basename(url))[0]
        output = f"{self.output}/{stem}.{content.hexdigest()[:16]}"
        try:
            return json.loads(read(f"{output}.json")) | {"status": "unchanged"}
        except FileNotFoundError:
            pass
        path = os.path.join(self.folder.name, f"master.{self.extension}")
        report = self.master(settings).master(song, output=path, force=True, threads=1).report
        with open(path, "rb") as file:
            write(f"{output}.{self.extension}", file.read())
        row = {
            "output": f"{output}.{self.extension}",
            "loudness_lufs": report["after"]["integrated_lufs"],
            "true_peak_dbtp": report["after"]["true_peak_dbtp"],
        }
        # It is written last: where it lies, its master is complete.
        write(f"{output}.json", json.dumps(row).encode())
        return row | {"status": "mastered"}

    def master(self, settings: dict[str, Any]) -> goldmaster.Master:
        """What masters with these settings."""
        key = json.dumps(settings, sort_keys=True)
        if key not in self.masters:
            self.masters[key] = goldmaster.Master(**settings)
        return self.masters[key]

    def reference(self, url: str) -> tuple[str, str]:
        """A reference as a file, and a hash of it."""
        if url not in self.references:
            data = read(url)
            digest = hashlib.sha256(data).hexdigest()
            path = os.path.join(self.folder.name, f"{digest[:16]}.{os.path.basename(url)}")
            with open(path, "wb") as file:
                file.write(data)
            self.references[url] = path, digest
        return self.references[url]


def planned(path: str) -> Iterator[dict[str, str]]:
    """The rows of a plan."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            settings = {name: value for name, value in row.items() if name != "input" and value}
            yield {"input": row["input"], "settings": json.dumps(settings)}


def run(songs: list[dict[str, str]], output: str, extension: str, workers: int) -> list[dict[str, Any]]:
    """Masters songs; the rows of the report."""
    rows = ray.data.from_items(songs, override_num_blocks=max(1, len(songs)))
    done = rows.map_batches(
        Worker,
        fn_constructor_args=(output, extension),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    ).materialize()
    return sorted(done.take_all(), key=lambda row: row["input"])


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--input", action="append", default=[], help="songs, as in s3://bucket/songs/*.flac")
    parser.add_argument("--plan", help="a table of songs with settings for each, CSV")
    parser.add_argument("--output", required=True, help="where masters and report go, as in s3://bucket/masters")
    parser.add_argument("--format", default="wav", help="wav, flac, mp3 or opus")
    parser.add_argument("--settings", type=json.loads, default={}, help='for all songs, as in \'{"destination": "spotify"}\'')
    parser.add_argument("--workers", type=int, default=0, help="songs at once; by default the cluster's cores")
    arguments = parser.parse_args()
    settings = json.dumps(arguments.settings)
    songs = [{"input": url, "settings": settings} for pattern in arguments.input for url in listed(pattern)]
    for row in planned(arguments.plan) if arguments.plan else ():
        songs.append(row | {"settings": json.dumps(arguments.settings | json.loads(row["settings"]))})
    if not songs:
        raise SystemExit("there is no song: name some with --input or --plan")
    ray.init(ignore_reinit_error=True)
    workers = arguments.workers or int(ray.cluster_resources()["CPU"])
    rows = run(songs, arguments.output, arguments.format, min(workers, len(songs)))
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=COLUMNS), sink)
    write(f"{arguments.output.rstrip('/')}/report.parquet", sink.getvalue().to_pybytes())
    counts = {status: sum(row["status"] == status for row in rows) for status in ("mastered", "unchanged", "failed")}
    print(", ".join(f"{count} {status}" for status, count in counts.items()))


if __name__ == "__main__":
    main()
