"""What the statistics of a full table cost: 11 rows, 5 seeds, 3,068 test images, 10,000 bootstrap resamples.

    python benchmarks/stats_bootstrap.py [--resamples 10000] [--images 3068] [--seeds 5]

The table is as the paper's Table 1 on RAF-DB: eight trained networks with an accuracy each and eleven rows with a
CAM-COS (CAM, GradCAM, GradCAM++ and LayerCAM explain one network), with and without guidance. Scores are made up, the
work is the real one: crossed bootstrap of all differences, then the permutation tests of every seed and of the mean
over seeds. The naive way takes the images of a resample one by one from the saved scores and averages each expression
with `fer_bench.metrics.macro`; it runs on a few resamples, in turns with ours, and must give the same numbers.
Promise: bootstrap of the table within 10 s.
"""

import argparse
import statistics
import time

import numpy as np

from fer_bench import stats
from fer_bench.expressions import EXPRESSIONS
from fer_bench.metrics import macro

PROMISE = 10.0  # seconds
ROWS, NETWORKS = 11, 8
SHARES = (0.22, 0.39, 0.11, 0.02, 0.05, 0.05, 0.16)  # of the expressions among RAF-DB's test images, roughly
NAIVE = 20  # resamples of the naive way, in each of PAIRS turns
PAIRS = 3


def main() -> None:
    """Measure and print."""
    options = _options()
    labels, cosines, accuracies = _scores(options.images, options.seeds)
    over_images, over_classes = _layouts(labels)
    started = time.perf_counter()
    stats.bootstrap(over_classes, cosines, options.resamples)
    stats.bootstrap(over_images, accuracies, options.resamples)
    bootstrapped = time.perf_counter() - started
    for layout, values in ((over_classes, cosines), (over_images, accuracies)):
        means = values.reshape(options.images, -1, options.seeds).mean(axis=2)
        stats.sign_flip_test(layout, np.hstack([values, means]))
    everything = time.perf_counter() - started
    print(f"{options.images} images, {options.seeds} seeds, {ROWS} rows, {options.resamples} resamples")
    print(f"bootstrap: {bootstrapped:.2f} s, {'within' if bootstrapped <= PROMISE else 'BEYOND'} {PROMISE:.0f} s")
    print(f"bootstrap and permutation tests: {everything:.2f} s")
    ratios = [_ratio(over_classes, cosines, labels, turn) for turn in range(PAIRS)]
    print(
        f"naive loop / ours, per resample of the CAM-COS rows: {statistics.median(ratios):.0f} "
        f"(median of {PAIRS} turns of {NAIVE} resamples, {min(ratios):.0f} to {max(ratios):.0f})"
    )


def _scores(images: int, seeds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (N,), differences of CAM-COS (N, 11 * seeds) and of accuracy (N, 8 * seeds)."""
    rng = np.random.default_rng(0)
    labels = rng.choice(len(EXPRESSIONS), images, p=SHARES)
    cosines = rng.normal(0.1, 0.1, (images, ROWS * seeds))
    accuracies = 100.0 * rng.choice([-1, 0, 1], (images, NETWORKS * seeds), p=[0.05, 0.89, 0.06])
    return labels, cosines, accuracies


def _layouts(labels: np.ndarray) -> tuple[stats.Layout, stats.Layout]:
    """The plain mean over images, and the mean over the six expressions with action units; no subjects are known."""
    everyone = np.ones(len(labels), dtype=bool)
    units = stats.unit_numbers([f"test_{number:04d}" for number in range(len(labels))], [""] * len(labels))
    return stats.micro_layout(everyone, units), stats.macro_layout(everyone, labels, units, skip=[0])


def _ratio(layout: stats.Layout, values: np.ndarray, labels: np.ndarray, turn: int) -> float:
    """Time of the naive way over ours, on the same resamples."""
    started = time.perf_counter()
    slow = _naive(values, labels, turn)
    between = time.perf_counter()
    fast = stats.bootstrap(layout, values, 10 * NAIVE, seed=turn).draws
    ours = (time.perf_counter() - between) / 10  # ten times as many: the fixed part counts as in a whole table
    if not np.allclose(slow, fast[:NAIVE], atol=1e-12):
        raise SystemExit("the naive way and ours disagree")
    return (between - started) / ours


def _naive(values: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Scores (NAIVE, M), image by image as they would be averaged without any of our bookkeeping."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(NAIVE):
        images = rng.integers(0, len(labels), len(labels))
        found.append([macro(column[images], labels[images], EXPRESSIONS).value for column in values.T])
    return np.array(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=stats.RESAMPLES)
    parser.add_argument("--images", type=int, default=3068)
    parser.add_argument("--seeds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
