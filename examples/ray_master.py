"""Masters the songs of an object store over a Ray cluster.

    pip install ./python 'ray[data]' obstore
    python examples/ray_master.py --input 's3://bucket/songs/*.flac' --output s3://bucket/masters
    python examples/ray_master.py --input 's3://bucket/label/*.flac' --albums --output s3://bucket/masters

`cluster.py`, beside this file, says what is read and written.
"""

import json
import queue
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
    workers = min(workers or int(ray.cluster_resources()["CPU"]), sum(len(one["songs"]) for one in work))
    if work[0]["is_album"]:
        return albums(work, (output, extension), workers)
    items = ray.data.from_items([{"work": json.dumps(one)} for one in work], override_num_blocks=len(work))
    done = items.map_batches(
        RayWorker,
        fn_constructor_args=(output, extension),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    return done.materialize().take_all()


def albums(work: list[cluster.Work], given: tuple[str, str], workers: int) -> list[cluster.Row]:
    """Masters albums, whose songs are spread over all workers; as many albums at once as there are workers."""
    kind = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(cluster.Worker)
    idle = queue.SimpleQueue()
    for _ in range(workers):
        idle.put(kind.remote(*given))

    def by_idle(step: str, *given: Any) -> ray.ObjectRef:
        worker = idle.get()
        try:
            done = getattr(worker, step).remote(*given)
            # Results go from worker to worker, and not through here.
            ray.wait([done], fetch_local=False)
            return done
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(workers) as steps, ThreadPoolExecutor(workers) as together:

        def take(step: str, *columns: Any) -> list[ray.ObjectRef]:
            return list(steps.map(partial(by_idle, step), *columns))

        done = together.map(lambda one: cluster.album(take, ray.get, one["songs"], one["settings"]), work)
        return [row for rows in done for row in rows]


def main() -> None:
    """What the command line asks for."""
    cluster.main(__doc__, run)


if __name__ == "__main__":
    main()
