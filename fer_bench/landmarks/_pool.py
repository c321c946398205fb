"""Run a backend over image files in one or several processes, handing over each result as it comes."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from time import perf_counter

import numpy as np

from fer_bench.errors import InputError
from fer_bench.landmarks._journal import Entry
from fer_bench.landmarks.base import BackendBase, nothing

ReadImage = Callable[[Path], np.ndarray]
Task = tuple[str, Path]  # SHA-256 of the file, where it lies
_CHUNK = 8  # images that a process takes at once: few enough to lose little when killed
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class _Image:
    """An image that was read: the hash of its file, (H, W, 3) uint8 RGB, and the seconds that reading took."""

    sha256: str
    pixels: np.ndarray
    seconds: float


_state: dict[str, BackendBase] = {}  # a worker's own copy of the backend, with the models it has loaded


def detect_files(backend: BackendBase, read_image: ReadImage, tasks: Sequence[Task], workers: int) -> Iterator[Entry]:
    """Yield an entry per task, in any order.

    Args:
        backend: picklable as long as it has loaded no model.
        read_image: path -> (H, W, 3) uint8 RGB; a function of a module when there are several workers.
        tasks: the image files.
        workers: processes; 0 = one per core this process may use, 1 = this process alone.
    """
    workers = min(workers or len(os.sched_getaffinity(0)), -(-len(tasks) // _CHUNK))
    workers = backend.processes(workers)
    if workers <= 1:
        backend.load()
        yield from _detect_tasks(backend, read_image, tasks)
        return
    with one_thread_each():
        yield from _in_processes(backend, read_image, tasks, workers)


def _in_processes(backend: BackendBase, read_image: ReadImage, tasks: Sequence[Task], workers: int) -> Iterator[Entry]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(backend,))
    chunks = [tasks[start : start + _CHUNK] for start in range(0, len(tasks), _CHUNK)]
    try:
        futures = [pool.submit(partial(_detect_chunk, read_image), chunk) for chunk in chunks]
        for future in as_completed(futures):
            yield from future.result()
    except BrokenProcessPool:
        raise InputError(
            f"{backend.source}: a worker process was killed (out of memory?); what was found is kept, run again, "
            "with fewer workers if it happens again"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(backend: BackendBase) -> None:
    _state["backend"] = backend
    _limit_threads()
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End this worker when its parent is gone, killed included: nobody is left to take its results."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_threads() -> None:
    import cv2  # noqa: PLC0415 - only workers need it here

    cv2.setNumThreads(1)


def _detect_chunk(read_image: ReadImage, tasks: Sequence[Task]) -> list[Entry]:
    _state["backend"].load()
    return list(_detect_tasks(_state["backend"], read_image, tasks))


def _detect_tasks(backend: BackendBase, read_image: ReadImage, tasks: Sequence[Task]) -> Iterator[Entry]:
    """Read and detect batch by batch; what goes wrong with an image becomes its status, never the end of the run."""
    for start in range(0, len(tasks), backend.batch_size):
        read = [_read(read_image, task) for task in tasks[start : start + backend.batch_size]]
        yield from (one for one in read if isinstance(one, Entry))
        yield from _detect_images(backend, [one for one in read if not isinstance(one, Entry)])


def _read(read_image: ReadImage, task: Task) -> _Image | Entry:
    """Return the image with the time it took, or the entry of an image that cannot be read."""
    sha256, path = task
    start = perf_counter()
    try:
        return _Image(sha256, read_image(path), perf_counter() - start)
    except Exception as error:
        return _failed(sha256, error, 0.0)


def _detect_images(backend: BackendBase, images: Sequence[_Image]) -> list[Entry]:
    """Detect in all at once; when that fails, one by one, so that a failure stays with its image."""
    if len(images) > 1:
        try:
            return _entries(backend, images)
        except Exception as error:
            warnings.warn(
                f"{backend.source}: {len(images)} images at once failed ({error}); trying one by one", stacklevel=2
            )
    return [entry for image in images for entry in _detect_image(backend, image)]


def _detect_image(backend: BackendBase, image: _Image) -> list[Entry]:
    try:
        return _entries(backend, [image])
    except Exception as error:
        return [_failed(image.sha256, error, image.seconds)]


def _entries(backend: BackendBase, images: Sequence[_Image]) -> list[Entry]:
    found = backend.detect_batch([image.pixels for image in images])
    return [
        Entry(image.sha256, detection, {"read": image.seconds, **seconds})
        for image, (detection, seconds) in zip(images, found, strict=True)
    ]


def _failed(sha256: str, error: Exception, reading: float) -> Entry:
    text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return Entry(sha256, nothing("error", " ".join(text.split())), {"read": reading})


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes started inside use one thread each: several that use more are many times slower."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
