"""One function over many files: several processes, one progress bar, results in the order given."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")
_WORTH_A_PROCESS = 500  # a fresh process takes about as long to start as a few hundred images to read


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, progress: bool, description: str
) -> list[Result]:
    """Apply a picklable function to every item; workers 0 = every core this process may use, 1 = no extra process."""
    workers = min(workers or _cores(), len(items) // _WORTH_A_PROCESS)
    bar = partial(tqdm, total=len(items), desc=description, unit="img", disable=not progress)
    if workers <= 1:
        return list(bar(map(function, items)))
    # `spawn`, because a forked copy of a process that has used OpenCV's threads can hang
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:  # a Pool would wait for a killed worker for ever
        return list(bar(pool.map(function, items, chunksize=16)))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
