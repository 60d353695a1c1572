"""Sound in any form as a file."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from . import _native
from ._errors import Error, UsageError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | tuple[np.ndarray, int]


@contextmanager
def as_file(source: Source) -> Iterator[tuple[str, str]]:
    """The path of a file that holds the sound, and what to call it in reports and errors."""
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        yield path, path
        return
    folder = _native.TemporaryFolder()
    path = os.path.join(folder.path, "source")
    label = _write(source, path)
    try:
        yield path, label
    except Error as error:
        raise error.about(path, label) from None
    finally:
        # The folder goes with its last reference, which a traceback may hold.
        os.remove(path)


def _write(source: Any, path: str) -> str:
    """Writes sound into a file; the result is what to call it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        with open(path, "wb") as file:
            file.write(source)
        return "<bytes>"
    if hasattr(source, "read"):
        with open(path, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        name = getattr(source, "name", None)
        return name if isinstance(name, str) else "<file>"
    if isinstance(source, tuple) and len(source) == 2:
        samples, sample_rate = np.asarray(source[0]), int(source[1])
        if samples.dtype.kind != "f":
            raise UsageError(f"samples must be floats from -1 to 1, not {samples.dtype}", "usage")
        if samples.ndim == 1:
            samples = samples[:, np.newaxis]
        if samples.ndim != 2 or samples.shape[1] not in (1, 2):
            raise UsageError(f"samples must have the shape (frames, 1 or 2), not {samples.shape}", "usage")
        if not 0 < sample_rate < 1 << 32:
            raise UsageError(f"{sample_rate} is not a sample rate in Hz", "usage")
        samples = np.ascontiguousarray(samples, dtype=np.float32)
        _native.write_audio(path, samples, sample_rate, samples.shape[1])
        return "<array>"
    raise UsageError(f"a source is a path, bytes, a binary file or (array, rate), not {type(source).__name__}", "usage")


def read(path: str) -> tuple[np.ndarray, int]:
    """The samples of a file, float32 of shape (frames, channels), and its sample rate in Hz."""
    samples, sample_rate, channels = _native.read_audio(path)
    return np.frombuffer(samples, dtype=np.float32).reshape(-1, channels), sample_rate
