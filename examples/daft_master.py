"""Masters the songs of an object store with Daft, in processes of this machine or over the cluster that Daft runs on.

    pip install ./python daft obstore
    python examples/daft_master.py --input 's3://bucket/songs/*.flac' --output s3://bucket/masters
    python examples/daft_master.py --input 's3://bucket/label/*.flac' --albums --output s3://bucket/masters

`cluster.py`, beside this file, says what is read and written. An album is a row of the table, so that one worker takes
all its steps.
"""

import json
import os

import daft
from daft.pickle import cloudpickle

import cluster

# The processes that Daft starts do not find that file.
cloudpickle.register_pickle_by_value(cluster)


class DaftWorker(cluster.Worker):
    """A worker that takes and gives text."""

    def __call__(self, work: str) -> str:
        return json.dumps(self.rows(json.loads(work)))


def run(work: list[cluster.Work], output: str, extension: str, workers: int) -> list[cluster.Row]:
    """Masters songs; the rows of the report."""
    workers = min(workers or os.cpu_count() or 1, len(work))
    worker = daft.cls(DaftWorker, cpus=1, use_process=True, max_concurrency=workers)(output, extension)
    table = daft.from_pydict({"work": [json.dumps(one) for one in work]}).into_batches(1)
    done = table.select(worker(daft.col("work")).alias("rows")).to_pydict()
    return [row for text in done["rows"] for row in json.loads(text)]


def main() -> None:
    """What the command line asks for."""
    cluster.main(__doc__, run)


if __name__ == "__main__":
    main()
