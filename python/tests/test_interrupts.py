"""Work that is ended from outside writes nothing and leaves nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest

import goldmaster


class Enough(Exception):
    pass


def test_progress_goes_through_the_stages(mix):
    seen = []
    goldmaster.master(mix, on_progress=lambda stage, done, total: seen.append((stage, done, total)))
    stages = list(dict.fromkeys(stage for stage, _, _ in seen))
    assert stages[0] == "reading" and stages[-1] == "limiting"
    assert all(0 <= done and (total is None or total > 0) for _, done, total in seen)


@pytest.mark.parametrize("stage", ["reading", "refining", "rendering", "limiting"])
def test_an_exception_in_on_progress_ends_the_work(mix, tmp_path, stage):
    def stop(at: str, done: int, total: int | None) -> None:
        if at == stage:
            raise Enough(at)

    with pytest.raises(Enough, match=stage):
        goldmaster.master(mix, output=tmp_path / "master.wav", on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_exception_ends_every_other_work(mix, tmp_path):
    def stop(*_: object) -> None:
        raise Enough

    recipe = goldmaster.master(mix).recipe
    for work in (
        lambda: goldmaster.render(mix, recipe, tmp_path / "x.wav", on_progress=stop),
        lambda: goldmaster.analyze(mix, on_progress=stop),
        lambda: goldmaster.check(mix, "cd", on_progress=stop),
        lambda: goldmaster.variations(mix, tmp_path / "x.html", on_progress=stop),
        lambda: goldmaster.profile(mix, tmp_path / "x.json", on_progress=stop),
    ):
        with pytest.raises(Enough):
            work()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Enough):
        goldmaster.batch(mix, tmp_path / "masters", on_progress=stop)
    assert not list(tmp_path.rglob("*.wav"))


WORKER = """
import sys, goldmaster
try:
    while True:
        print("begun", flush=True)
        goldmaster.master(sys.argv[1], output=sys.argv[2], force=True, refine="best")
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.mark.skipif(os.name == "nt", reason="has no SIGINT to send")
def test_ctrl_c_is_a_keyboard_interrupt(mix, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    line = [sys.executable, "-c", WORKER, str(mix), str(tmp_path / "master.wav")]
    worker = subprocess.Popen(line, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(temporary)})
    worker.stdout.readline()
    time.sleep(0.3)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(30) == 7
    left = {path.name for path in tmp_path.iterdir()} - {"temporary", "master.wav"}
    assert not left and list(temporary.iterdir()) == []


def test_the_interpreter_goes_on_meanwhile(mix):
    counted, is_over = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not is_over.is_set():
            counted += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    goldmaster.master(mix)
    is_over.set()
    counter.join()
    assert counted > 10, f"{counted} steps"


def test_nothing_is_left_among_the_temporary_files(mix, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    goldmaster.master(mix.read_bytes())
    with pytest.raises(goldmaster.Error):
        goldmaster.master(b"words")
    assert list(tmp_path.iterdir()) == []
