"""Threads, processes and many calls."""

import gc
import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import goldmaster
from conftest import RATE_HZ, song


def samples_of(master: goldmaster.Master, path: Path) -> bytes:
    return master.master(path, threads=1).audio.tobytes()


def test_one_object_serves_several_threads(mix, record):
    master = goldmaster.Master(reference=record)
    expected = samples_of(goldmaster.Master(reference=record), mix)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(samples_of, [master] * 8, [mix] * 8)) == {expected}


@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
def test_an_object_serves_other_processes(mix, record, method):
    master = goldmaster.Master(reference=record, loudness=-12)
    expected = samples_of(master, mix)  # so that there is something to leave behind
    assert pickle.loads(pickle.dumps(master)).settings == master.settings
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert set(pool.map(samples_of, [master] * 4, [mix] * 4)) == {expected}


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_process_may_fork_while_a_thread_masters(mix):
    master = goldmaster.Master()
    expected = samples_of(master, mix)
    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(lambda: [samples_of(master, mix) for _ in range(4)])
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            assert set(pool.map(samples_of, [goldmaster.Master()] * 4, [mix] * 4)) == {expected}
        assert set(working.result()) == {expected}


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_thousand_calls_take_no_more_memory_than_a_hundred():
    master = goldmaster.Master(decider="none", refine="off")
    source = (song(0.5, 3), RATE_HZ)

    def call(n: int) -> None:
        match n % 10:
            case 0:
                with pytest.raises(goldmaster.Error):
                    master.master(b"words")
            case 1 | 2:
                master.master(source, threads=n % 10, on_progress=lambda *_: None)
            case _:
                goldmaster.analyze(source)

    for n in range(100):
        call(n)
    gc.collect()
    before = resident_bytes()
    for n in range(900):
        call(n)
    gc.collect()
    grown = resident_bytes() - before
    assert grown < 8 << 20, f"{grown} bytes more"
