"""Speed of the action-unit maps against a per-image OpenCV loop that draws the same units, and against writing memory.

    python benchmarks/au_maps.py [--faces 256] [--rounds 9]

One thread each, measured side by side: every round times all contestants once, in turn, and the ratios are medians over
the rounds. The clock counts processor time, so that other programs on the machine enter as little as can be.
A new array is one of torch.full. The maps' own memory is asked of NumPy, which asks the system for huge pages, so that
such an array is timed too; NUMPY_MADVISE_HUGEPAGE=0 in the environment measures everything without huge pages.
Promise: at least 20 times faster than the loop up to 28 px, and at 224 px at most 3 times the cost of a new array.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from tabulate import tabulate

from fer_bench.au import CODEBOOK, REGIONS, au_maps
from fer_bench.au.preview import TEMPLATE
from fer_bench.expressions import EXPRESSIONS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import opencv_maps  # the literal drawing that the tests compare with

SIDE = 224


def opencv_loop(landmarks: np.ndarray, expressions: list[str]) -> None:
    """Draw face after face and unit after unit, as the published code does."""
    for points, expression in zip(landmarks, expressions, strict=True):
        opencv_maps.draw(points, CODEBOOK[expression].drawn, (SIDE, SIDE))


def contestants(faces: int) -> dict[str, tuple[Callable[[], object], int]]:
    """Return name -> (what to time, how many faces it handles)."""
    generator = torch.Generator().manual_seed(0)
    shift = 8 * torch.randn(faces, 1, 2, generator=generator)
    landmarks = torch.from_numpy(TEMPLATE) + shift + 3 * torch.randn(faces, 68, 2, generator=generator)
    names = [EXPRESSIONS[1 + index % 6] for index in range(faces)]
    ids = torch.tensor([EXPRESSIONS.index(name) for name in names])
    few = min(faces, 48)
    buffer = torch.empty(faces, SIDE, SIDE)

    def ours(side: int, variant: str) -> Callable[[], object]:
        return lambda: au_maps(landmarks, ids, (side, side), variant, canvas=(SIDE, SIDE))

    sample = landmarks[:few].numpy()
    table: dict[str, tuple[Callable[[], object], int]] = {
        "OpenCV loop, 224 px": (lambda: opencv_loop(sample, names[:few]), few),
        "write a new 224 px array": (lambda: torch.full((faces, SIDE, SIDE), 0.5), faces),
        "overwrite a 224 px array": (lambda: buffer.fill_(0.5), faces),
        "write a new NumPy array, 224 px": (lambda: np.full((faces, SIDE, SIDE), 0.5, np.float32), faces),
    }
    for side in (28, 14, 7, SIDE):
        table |= {f"{variant}, {side} px": (ours(side, variant), faces) for variant in REGIONS}
    return table


def measure(table: dict[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, np.ndarray]:
    """Return microseconds per face, one value per round; the contestants take turns within a round."""
    times: dict[str, list[float]] = {name: [] for name in table}
    for number in range(rounds + 1):
        for name, (call, faces) in table.items():
            call()  # the contestant before left its own data in the cache
            start = time.process_time()
            call()
            if number:  # the first round warms up
                times[name].append((time.process_time() - start) / faces * 1e6)
    return {name: np.array(values) for name, values in times.items()}


def report(times: dict[str, np.ndarray]) -> str:
    """Return the table: time per face, and median ratios to the OpenCV loop and to writing the array."""
    loop, new, over = (times[name] for name in list(times)[:3])
    rows: list[list[object]] = []
    for name, values in times.items():
        ratios = [np.median(values / new), np.median(values / over)] if "224 px" in name else [None, None]
        rows.append([name, np.median(values), np.median(loop / values), *ratios])
    head = ["one thread", "us per face", "x faster than OpenCV", "x cost of a new array", "x cost of overwriting one"]
    return tabulate(rows, head, floatfmt=("", ".1f", ".1f", ".1f", ".1f"))


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.zeros(7_000_000)  # 28 MB: from then on the C library keeps freed memory, as in any process that trains
    print(report(measure(contestants(arguments.faces), arguments.rounds)))


if __name__ == "__main__":
    main()
