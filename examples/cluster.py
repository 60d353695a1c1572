"""What the examples for clusters share: songs and albums of an object store as work, and what became of them as rows.

Every song is one row of the report (OUTPUT/report.parquet): a song that cannot be mastered as well, with the reason. A
master is named by what is in its song and by its settings, and what became of it lies beside it, so that work that is
tried again, and the same command tomorrow, do nothing twice. `--plan` is a CSV table with a column `input` and columns
for settings, named as in `goldmaster.Settings`. With `--albums`, the songs of each folder are one album: each
song goes from step to step on whichever worker is free, and two steps bring the album together (`album`). Addresses may
be s3://, gs://, az:// and file://; credentials come from the environment.
"""

import argparse
import csv
import fnmatch
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import repeat
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


def told(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step, which returns why it failed as part of a row, and passes on why a step before it failed."""

    @wraps(step)
    def run(worker: "Worker", *given: Any) -> Any:
        if failures := [one for one in given if has_failed(one)]:
            return failures[0]
        try:
            return step(worker, *given)
        except goldmaster.Error as error:
            # A step of a song is given its address first.
            cause = str(error).replace("<bytes>", str(given[0]))
            return {"status": "failed", "code": error.code, "cause": cause}
        except (OSError, obstore.exceptions.BaseError) as error:
            return {"status": "failed", "code": "store", "cause": str(error)}

    return run


def has_failed(result: Any) -> bool:
    """Whether this is why a step failed."""
    return isinstance(result, dict) and result.get("status") == "failed"


class Worker:
    """Masters songs, and takes the steps of albums, in one process with one thread; networks are loaded and references
    measured once."""

    def __init__(self, output: str, extension: str) -> None:
        self.output, self.extension, self.objects = output.rstrip("/"), extension, Objects()
        self.folder = tempfile.TemporaryDirectory(prefix="goldmaster-worker-")
        self.reused: dict[str, Any] = {}
        self.references: dict[str, tuple[str, str]] = {}

    def rows(self, work: Work) -> list[Row]:
        """What became of the songs, all of which this worker masters."""
        if work["is_album"]:
            return album(self.here, lambda results: results, work["songs"], work["settings"])
        return [{"input": url} | self.song(url, work["settings"]) for url in work["songs"]]

    def here(self, step: str, *columns: Any) -> list[Any]:
        """Takes a step once for every row of the columns."""
        return [getattr(self, step)(*given) for given in zip(*columns)]

    @told
    def song(self, url: str, settings: dict[str, Any]) -> Row:
        """Masters a song, unless that was done before."""
        settings, content = self.prepared(settings)
        data = self.objects.read(url)
        content.update(mark(url, hashlib.sha256(data).digest()))
        output = f"{self.output}/{stem(url)}.{content.hexdigest()[:16]}"
        if known := self.note(output, [url]):
            return known[0]
        path = os.path.join(self.folder.name, f"master.{self.extension}")
        master = self.reuse(goldmaster.Master, settings)
        report = master.master(data, output=path, force=True, threads=1).report
        return self.finished(output, [self.delivered(url, f"{output}.{self.extension}", path, report)])[0]

    @told
    def digest(self, url: str) -> bytes:
        """The hash of a song."""
        return hashlib.sha256(self.objects.read(url)).digest()

    @told
    def known(self, urls: list[str], settings: dict[str, Any], digests: list[bytes]) -> tuple[str, list[Row] | None]:
        """The hash of an album, and what became of its songs if it is finished."""
        content = self.prepared(settings)[1]
        for url, digest in zip(urls, digests):
            content.update(mark(url, digest))
        digest = content.hexdigest()[:16]
        return digest, self.note(f"{self.output}/{folder(urls[0])}.{digest}", urls)

    @told
    def measure(self, url: str, settings: dict[str, Any]) -> bytes:
        """The first step of a song."""
        return self.as_one(settings).measure(self.objects.read(url), threads=1)

    @told
    def decide(self, settings: dict[str, Any], *songs: bytes) -> bytes:
        """The first step of an album, whose songs are measured."""
        return self.as_one(settings).decide(songs, threads=1)

    @told
    def prepare(self, url: str, settings: dict[str, Any], song: bytes, decided: bytes) -> bytes:
        """The second step of a song."""
        return self.as_one(settings).prepare(self.objects.read(url), song, decided, threads=1)

    def balance(self, settings: dict[str, Any], decided: Any, *songs: Any) -> list[Any]:
        """The second step of an album, whose songs are prepared. Those that failed stay as they are."""
        ready = [song for song in songs if not has_failed(song)]
        balanced = self.balanced(settings, decided, ready) if ready else []
        others = repeat(balanced) if has_failed(balanced) else iter(balanced)
        return [song if has_failed(song) else next(others) for song in songs]

    @told
    def balanced(self, settings: dict[str, Any], decided: bytes, songs: list[bytes]) -> list[bytes]:
        """All songs of an album that can be mastered."""
        return list(self.as_one(settings).balance(decided, songs))

    @told
    def deliver(self, url: str, settings: dict[str, Any], song: bytes, digest: str) -> Row:
        """The last step of a song: its master."""
        path = os.path.join(self.folder.name, f"master.{self.extension}")
        data = self.objects.read(url)
        report = self.as_one(settings).master(data, song, output=path, force=True, threads=1).report
        target = f"{self.output}/{folder(url)}/{stem(url)}.{digest}.{self.extension}"
        return self.delivered(url, target, path, report)

    @told
    def finish(self, rows: list[Row], digest: str) -> None:
        """The last step of an album. Without one of its songs it is mastered again."""
        if not any(has_failed(row) for row in rows):
            self.finished(f"{self.output}/{folder(rows[0]['input'])}.{digest}", rows)

    def prepared(self, settings: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """The settings with files as references, and a hash of both and of the program."""
        named = settings.get("reference") or []
        references = [self.reference(url) for url in ([named] if isinstance(named, str) else named)]
        others = {name: value for name, value in settings.items() if name != "reference"}
        digests = [digest for _, digest in references]
        of_all = json.dumps([others, digests, goldmaster.__version__, self.extension], sort_keys=True)
        paths = {"reference": [path for path, _ in references]} if references else {}
        return others | paths, hashlib.sha256(of_all.encode())

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

    def as_one(self, settings: dict[str, Any]) -> goldmaster.Album:
        """What masters albums with these settings."""
        return self.reuse(goldmaster.Album, self.prepared(settings)[0] | {"format": self.extension})

    def reuse(self, kind: type, settings: dict[str, Any]) -> Any:
        """What masters with these settings."""
        key = json.dumps([kind.__name__, settings], sort_keys=True)
        if key not in self.reused:
            self.reused[key] = kind(**settings)
        return self.reused[key]

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


def album(
    take: Callable[..., list[Any]], read: Callable[[list[Any]], list[Any]], urls: list[str], settings: dict[str, Any]
) -> list[Row]:
    """Masters an album, unless that was done before.

    `take` takes a step of `Worker`, named by its first argument, for every row of the columns that follow. What it
    returns may stand for results that are elsewhere: it goes into the columns of the next step as it is, and `read`
    fetches it.
    """
    digests = read(take("digest", urls))
    # What cannot be read has no hash, and neither has its album.
    unread = next((one for one in digests if has_failed(one)), None)
    (known,) = [unread] if unread else read(take("known", [urls], [settings], [digests]))
    if has_failed(known):
        return [{"input": url} | known for url in urls]
    digest, rows = known
    if rows:
        return rows
    same = repeat(settings)
    measured = read(take("measure", urls, same))
    (decided,) = take("decide", [settings], *([song] for song in measured if not has_failed(song)))
    prepared = take("prepare", urls, same, measured, repeat(decided))
    (balanced,) = read(take("balance", [settings], [decided], *([song] for song in prepared)))
    delivered = read(take("deliver", urls, same, balanced, repeat(digest)))
    rows = [{"input": url} | row for url, row in zip(urls, delivered)]
    (failed,) = read(take("finish", [rows], [digest]))
    return [row | failed for row in rows] if failed else rows


def mark(url: str, digest: bytes) -> bytes:
    """What a song adds to the hash that its master, or its album, is named by: its name and its own hash."""
    return os.path.basename(url).encode() + b"\n" + digest


def stem(path: str) -> str:
    """The name of a file without folders and extension."""
    return os.path.splitext(os.path.basename(path))[0]


def folder(url: str) -> str:
    """The name of the folder that a song lies in."""
    return os.path.basename(os.path.dirname(url))


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
