"""What the examples for clusters share: songs and albums of an object store as work, and what became of them as rows.

Every song is one row of the report (OUTPUT/report.parquet): a song that cannot be mastered as well, with the reason. A
master is named by what is in its song and by its settings, and what became of it lies beside it, so that work that is
tried again, and the same command tomorrow, do nothing twice. `--plan` is a CSV table with a column `input` and columns
for settings, named as in `goldmaster.Settings`. With `--albums`, the songs of each folder are one album: they are
mastered by one worker, since each depends on all others. Addresses may be s3://, gs://, az:// and file://; credentials
come from the environment.
"""

import argparse
import csv
import fnmatch
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import obstore
import pyarrow
import pyarrow.parquet
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

Row = dict[str, Any]
Work = dict[str, Any]
"""Addresses of `songs`, their `settings`, and `is_album`: whether they are one, or one song alone."""


class Objects:
    """Object stores by address: a bucket each, or this machine's files. Each is opened once."""

    def __init__(self) -> None:
        self.stores: dict[str, ObjectStore] = {}

    def place(self, url: str) -> tuple[ObjectStore, str]:
        """The store and the key of an address."""
        scheme, is_address, rest = url.partition("://")
        if not is_address:
            raise SystemExit(f"{url}: write an address, as in s3://bucket/{url} or file:///folder/{url}")
        bucket, _, key = rest.partition("/")
        base = f"{scheme}://{bucket}"
        if base not in self.stores:
            self.stores[base] = LocalStore() if base == "file://" else from_url(base)
        return self.stores[base], key

    def read(self, url: str) -> bytes:
        """All bytes of an object."""
        objects, key = self.place(url)
        return bytes(obstore.get(objects, key).bytes())

    def write(self, url: str, data: bytes) -> None:
        """An object, which appears when it is complete."""
        objects, key = self.place(url)
        obstore.put(objects, key, data)

    def listed(self, pattern: str) -> Iterator[str]:
        """The addresses that fit a pattern."""
        objects, key = self.place(pattern)
        base = pattern.removesuffix(key)
        prefix = key[: min((key.find(sign) for sign in "*?[" if sign in key), default=len(key))].rpartition("/")[0]
        for some in obstore.list(objects, prefix=prefix or None):
            yield from (base + one["path"] for one in some if fnmatch.fnmatchcase(one["path"], key))


class Worker:
    """Masters songs and albums in one process with one thread; networks are loaded and references measured once."""

    def __init__(self, output: str, extension: str) -> None:
        self.output, self.extension, self.objects = output.rstrip("/"), extension, Objects()
        self.folder = tempfile.TemporaryDirectory(prefix="goldmaster-worker-")
        self.masters: dict[str, goldmaster.Master] = {}
        self.references: dict[str, tuple[str, str]] = {}

    def rows(self, work: Work) -> list[Row]:
        """What became of the songs."""
        urls, settings = work["songs"], work["settings"]
        try:
            return self.album(urls, settings) if work["is_album"] else [self.song(url, settings) for url in urls]
        except goldmaster.Error as error:
            failed = {"status": "failed", "code": error.code, "cause": str(error)}
        except (OSError, obstore.exceptions.BaseError) as error:
            failed = {"status": "failed", "code": "store", "cause": str(error)}
        return [{"input": url} | failed for url in urls]

    def song(self, url: str, settings: dict[str, Any]) -> Row:
        """Masters a song, unless that was done before."""
        settings, content = self.prepared(settings)
        data = self.fetched(url, content)
        output = f"{self.output}/{stem(url)}.{content.hexdigest()[:16]}"
        if known := self.note(output, [url]):
            return known[0]
        path = os.path.join(self.folder.name, f"master.{self.extension}")
        report = self.master(settings).master(data, output=path, force=True, threads=1).report
        return self.finished(output, [self.delivered(url, f"{output}.{self.extension}", path, report)])[0]

    def album(self, urls: list[str], settings: dict[str, Any]) -> list[Row]:
        """Masters an album, unless that was done before: all songs are measured, decided together, and rendered."""
        settings, content = self.prepared(settings)
        with tempfile.TemporaryDirectory(dir=self.folder.name) as folder:
            songs, masters = os.path.join(folder, "songs"), os.path.join(folder, "masters")
            os.mkdir(songs)
            paths = {os.path.join(songs, os.path.basename(url)): url for url in urls}
            for path, url in paths.items():
                with open(path, "wb") as file:
                    file.write(self.fetched(url, content))
                # A file of today might still grow, and a batch would wait for it.
                os.utime(path, (0, 0))
            digest = content.hexdigest()[:16]
            output = f"{self.output}/{os.path.basename(os.path.dirname(urls[0]))}"
            if known := self.note(f"{output}.{digest}", urls):
                return known
            done = goldmaster.batch(list(paths), masters, album=True, jobs=1, format=self.extension, **settings)
            with open(done["report"], encoding="utf-8") as file:
                entries = json.load(file)["songs"]
            rows = []
            for entry in entries:
                path, url = entry["output"], paths[entry["input"]]
                if report := entry["report"]:
                    target = f"{output}/{stem(path)}.{digest}.{self.extension}"
                    rows.append(self.delivered(url, target, path, report))
                else:
                    cause = (entry["cause"] or "").replace(entry["input"], url)
                    rows.append({"input": url, "status": "failed", "code": entry["code"], "cause": cause})
            # An album without one of its songs is mastered again.
            is_whole = all(row["status"] == "mastered" for row in rows)
            return self.finished(f"{output}.{digest}", rows) if is_whole else rows

    def prepared(self, settings: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """The settings with files as references, and a hash of both and of the program."""
        named = settings.get("reference") or []
        references = [self.reference(url) for url in ([named] if isinstance(named, str) else named)]
        others = {name: value for name, value in settings.items() if name != "reference"}
        digests = [digest for _, digest in references]
        of_all = json.dumps([others, digests, goldmaster.__version__, self.extension], sort_keys=True)
        paths = {"reference": [path for path, _ in references]} if references else {}
        return others | paths, hashlib.sha256(of_all.encode())

    def fetched(self, url: str, content: Any) -> bytes:
        """The bytes of a song, which are added to a hash with its name."""
        data = self.objects.read(url)
        content.update(os.path.basename(url).encode() + b"\n" + hashlib.sha256(data).digest())
        return data

    def note(self, name: str, urls: list[str]) -> list[Row] | None:
        """What became of songs that are finished."""
        by_name = {os.path.basename(url): url for url in urls}
        try:
            rows = json.loads(self.objects.read(f"{name}.json"))
        except FileNotFoundError:
            return None
        return [row | {"input": by_name[row["input"]], "status": "unchanged"} for row in rows]

    def finished(self, name: str, rows: list[Row]) -> list[Row]:
        """Notes that songs are finished. It is written last: where it lies, their masters are complete."""
        named = [row | {"input": os.path.basename(row["input"])} for row in rows]
        self.objects.write(f"{name}.json", json.dumps(named).encode())
        return rows

    def delivered(self, url: str, output: str, path: str, report: dict[str, Any]) -> Row:
        """Uploads a master."""
        with open(path, "rb") as file:
            self.objects.write(output, file.read())
        after = report["after"]
        levels = {"loudness_lufs": after["integrated_lufs"], "true_peak_dbtp": after["true_peak_dbtp"]}
        return {"input": url, "output": output, "status": "mastered"} | levels

    def master(self, settings: dict[str, Any]) -> goldmaster.Master:
        """What masters with these settings."""
        key = json.dumps(settings, sort_keys=True)
        if key not in self.masters:
            self.masters[key] = goldmaster.Master(**settings)
        return self.masters[key]

    def reference(self, url: str) -> tuple[str, str]:
        """A reference as a file, and a hash of it."""
        if url not in self.references:
            data = self.objects.read(url)
            digest = hashlib.sha256(data).hexdigest()
            path = os.path.join(self.folder.name, f"{digest[:16]}.{os.path.basename(url)}")
            with open(path, "wb") as file:
                file.write(data)
            self.references[url] = path, digest
        return self.references[url]


def stem(path: str) -> str:
    """The name of a file without folders and extension."""
    return os.path.splitext(os.path.basename(path))[0]


def planned(path: str, common: dict[str, Any]) -> Iterator[Work]:
    """The songs of a plan."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            settings = {name: value for name, value in row.items() if name != "input" and value}
            yield {"songs": [row["input"]], "settings": common | settings, "is_album": False}


def albums(urls: list[str], settings: dict[str, Any]) -> Iterator[Work]:
    """The songs of every folder as an album."""
    folders: dict[str, list[str]] = {}
    for url in sorted(set(urls)):
        folders.setdefault(url.rpartition("/")[0], []).append(url)
    for songs in folders.values():
        yield {"songs": songs, "settings": settings, "is_album": True}


def main(description: str, run: Callable[[list[Work], str, str, int], list[Row]]) -> None:
    """What the command line asks for. `run` masters songs with a number of workers (0: as many as there are cores)."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--input", action="append", default=[], help="songs, as in s3://bucket/songs/*.flac")
    parser.add_argument("--plan", help="a table of songs with settings for each, CSV")
    parser.add_argument("--albums", action="store_true", help="the songs of every folder are one album")
    parser.add_argument("--output", required=True, help="where masters and report go, as in s3://bucket/masters")
    parser.add_argument("--format", default="wav", help="wav, flac, mp3 or opus")
    of_all = """for all songs, as in '{"destination": "spotify"}'"""
    parser.add_argument("--settings", type=json.loads, default={}, help=of_all)
    parser.add_argument("--workers", type=int, default=0, help="songs at once; by default the cluster's cores")
    arguments = parser.parse_args()
    if arguments.albums and arguments.plan:
        raise SystemExit("the songs of an album have one set of settings: name them with --input, not with --plan")
    settings, objects = arguments.settings, Objects()
    urls = [url for pattern in arguments.input for url in objects.listed(pattern)]
    if arguments.albums:
        work = list(albums(urls, settings))
    else:
        work = [{"songs": [url], "settings": settings, "is_album": False} for url in urls]
        work += planned(arguments.plan, settings) if arguments.plan else []
    if not work:
        raise SystemExit("there is no song: name some with --input or --plan")
    rows = sorted(run(work, arguments.output, arguments.format, arguments.workers), key=lambda row: row["input"])
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=COLUMNS), sink)
    objects.write(f"{arguments.output.rstrip('/')}/report.parquet", sink.getvalue().to_pybytes())
    counts = {status: sum(row["status"] == status for row in rows) for status in ("mastered", "unchanged", "failed")}
    print(", ".join(f"{count} {status}" for status, count in counts.items()))
