"""How often the three 95 % intervals of a difference hold what they are about, in simulated experiments.

    python benchmarks/stats_coverage.py [--experiments 2000] [--subjects 80] [--resamples 500]

A difference of one training on one subject is truth + effect of the training + effect of the subject + what this
training does on this subject, all normal. Every experiment draws new trainings and new subjects. Each interval is held
against its own question and against the question of all three: the truth for other trainings on other faces. The
truth is no difference, so claims are false: by the test over trainings and the test over faces, each below 0.05, and
by these two and the interval over both, which is the rule of the tables.
"""

import argparse

import numpy as np
from tabulate import tabulate

from fer_bench import stats

# Deviations of the effects of (training, subject, training on subject): who dominates.
WORLDS = {"trainings differ": (0.3, 1.0, 1.0), "alike": (0.1, 1.0, 1.0), "faces differ": (0.02, 1.5, 1.0)}
SEEDS = (3, 5, 10)
LEVEL = 0.05


def main() -> None:
    """Simulate and print."""
    options = _options()
    rows = [
        [world, seeds, *(f"{100 * share:.1f}" for share in _shares(effects, seeds, options))]
        for world, effects in WORLDS.items()
        for seeds in SEEDS
    ]
    heading = [
        "effects", "seeds", "trainings: own", "faces: own", "trainings: all", "faces: all", "both: all",
        "false: two tests", "false: all three",
    ]  # fmt: skip
    print(
        f"{options.experiments} experiments, {options.subjects} subjects; % of the 95 % intervals that hold the value"
    )
    print(tabulate(rows, heading, tablefmt="pipe", disable_numparse=True))


def _shares(effects: tuple[float, float, float], seeds: int, options: argparse.Namespace) -> np.ndarray:
    """Share of experiments in which each interval holds its value, and in which a false claim is made, (7,)."""
    rng = np.random.default_rng([seeds, *(int(100 * effect) for effect in effects)])
    names = [f"{number:04d}" for number in range(options.subjects)]
    layout = stats.micro_layout(np.ones(len(names), dtype=bool), stats.unit_numbers(names, [""] * len(names)))
    held = []
    for number in range(options.experiments):
        training, subject = rng.normal(0, effects[0], seeds), rng.normal(0, effects[1], len(names))
        scores = training + subject[:, None] + rng.normal(0, effects[2], (len(names), seeds))
        differences = scores.mean(axis=0)
        trainings = stats.t_interval(differences)
        draws = stats.bootstrap(layout, scores, options.resamples, seed=number).draws
        faces = stats.percentile_interval(draws.mean(axis=1))
        both = stats.combined_interval(float(differences.mean()), trainings, faces)
        asked = ((trainings, subject.mean()), (faces, training.mean()), (trainings, 0), (faces, 0), (both, 0))
        flipped = float(stats.sign_flip_test(layout, scores.mean(axis=1, keepdims=True), options.resamples, number)[0])
        p = stats.t_test(differences)
        apart = p is not None and p < LEVEL and flipped < LEVEL
        claimed = apart and not both[0] <= 0 <= both[1]
        held.append([*(low <= value <= high for (low, high), value in asked), apart, claimed])
    return np.mean(held, axis=0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2000)
    parser.add_argument("--subjects", type=int, default=80)
    parser.add_argument("--resamples", type=int, default=500)
    return parser.parse_args()


if __name__ == "__main__":
    main()
