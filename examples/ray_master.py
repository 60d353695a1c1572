"""Masters the songs of an object store over a Ray cluster.

    pip install ./python 'ray[data]' obstore
    python examples/ray_master.py --input 's3://bucket/songs/*.flac' --output s3://bucket/masters
    python examples/ray_master.py --input 's3://bucket/label/*.flac' --albums --output s3://bucket/masters

`cluster.py`, beside this file, says what is read and written.
"""

import json
from typing import Any

import pyarrow
import ray

import cluster

# The other machines of a cluster have no copy of that file.
ray.cloudpickle.register_pickle_by_value(cluster)


class RayWorker(cluster.Worker):
    """A worker that takes and gives tables."""

    def __call__(self, batch: dict[str, Any]) -> pyarrow.Table:
        rows = [row for text in batch["work"] for row in self.rows(json.loads(text))]
        return pyarrow.Table.from_pylist(rows, schema=cluster.COLUMNS)


def run(work: list[cluster.Work], output: str, extension: str, workers: int) -> list[cluster.Row]:
    """Masters songs; the rows of the report."""
    ray.init(ignore_reinit_error=True)
    workers = min(workers or int(ray.cluster_resources()["CPU"]), len(work))
    items = ray.data.from_items([{"work": json.dumps(one)} for one in work], override_num_blocks=len(work))
    done = items.map_batches(
        RayWorker,
        fn_constructor_args=(output, extension),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    return done.materialize().take_all()


def main() -> None:
    """What the command line asks for."""
    cluster.main(__doc__, run)


if __name__ == "__main__":
    main()
