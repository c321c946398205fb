"""What the saved scores of single images say about the difference between two printed numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fer_bench import stats
from fer_bench.cells import seed_of
from fer_bench.errors import InputError
from fer_bench.report import image_scores
from fer_bench.report.results import Results
from fer_bench.report.score_key import ACCURACY
from fer_bench.report.value import Value, difference
from fer_bench.stats import Layout

Interval = tuple[float, float]
EXACT = 1e-5  # scores are printed with six decimals and saved in single precision


@dataclass(frozen=True)
class OnFaces:
    """What the images say, the trained networks being fixed.

    interval: over other faces. both: over other faces and other trainings. p: of the mean over seeds. seed_p: seed ->
    p of the two networks of a seed. effects: seed -> paired odds ratio (accuracy), else Cohen's d over images.
    lost: resamples without an image of some class. units, unit_word: what was resampled.
    """

    interval: Interval
    both: Interval | None
    p: float
    seed_p: Mapping[int, float]
    effects: Mapping[int, float]
    lost: int
    units: int
    unit_word: str


@dataclass(frozen=True)
class Evidence:
    """A difference and what is known of it; faces: None where no scores of single images are saved."""

    difference: Value
    faces: OnFaces | None
    is_accuracy: bool

    @property
    def differences(self) -> list[float]:
        """One difference per seed."""
        return list(self.difference.by_seed.values())

    @property
    def interval(self) -> Interval | None:
        """Over other trainings, the faces being fixed."""
        return stats.t_interval(self.differences)

    @property
    def p(self) -> float | None:
        """Of no difference between trainings, the faces being fixed."""
        return stats.t_test(self.differences)

    @property
    def stands_together(self) -> bool:
        """Whether the interval over other trainings and other faces at once leaves out 0."""
        both = self.faces.both if self.faces else None
        return both is not None and not both[0] <= 0 <= both[1]


@dataclass(frozen=True, eq=False)
class _Paired:
    """Scores (N, S) of two numbers on the same images with the same seeds."""

    layout: Layout
    before: np.ndarray
    after: np.ndarray
    seeds: list[int]
    test_dataset: str
    is_accuracy: bool

    @property
    def differences(self) -> np.ndarray:
        return self.after - self.before


def evidence(results: Results, comparisons: Sequence[tuple[Value, Value]]) -> list[Evidence]:
    """Compare pairs of numbers (after, before), those of one test dataset on the same resamples.

    Raises:
        InputError: saved scores that do not give the printed number, or of other images.
    """
    paired = [_paired(results, *values) for values in comparisons]
    found: dict[int, OnFaces] = {}
    for batch in _batches(paired):
        found |= _on_faces(results, batch)
    return [
        Evidence(difference(*values), found.get(number), _is_accuracy(values[0]))
        for number, values in enumerate(comparisons)
    ]


def _paired(results: Results, after: Value, before: Value) -> _Paired | None:
    """Read both numbers' images, over the seeds that both have."""
    if after.key is None or before.key is None or after.key.test_dataset != before.key.test_dataset:
        return None
    first, second = image_scores.matrix(results, before.key), image_scores.matrix(results, after.key)
    seeds = sorted(set(before.by_seed) & set(after.by_seed))
    if first is None or second is None or not seeds:
        return None
    scores = [frame[seeds].to_numpy() for frame in (first, second)]
    undefined = [np.isnan(matrix) for matrix in scores]
    if any((missing != undefined[0][:, :1]).any() for missing in undefined):
        raise InputError(f"{after.key.column}: trainings to compare have scores of different images")
    layout = image_scores.layout(results, after.key, ~undefined[0][:, 0])
    for value, matrix in zip((before, after), scores, strict=True):
        _check(value, layout, matrix, seeds)
    first_scores, second_scores = (np.nan_to_num(matrix) for matrix in scores)
    return _Paired(layout, first_scores, second_scores, seeds, after.key.test_dataset, _is_accuracy(after))


def _is_accuracy(value: Value) -> bool:
    return value.key is not None and value.key.column == ACCURACY


def _check(value: Value, layout: Layout, scores: np.ndarray, seeds: list[int]) -> None:
    """Refuse saved scores that do not give the printed number; an accuracy must give the same number of images."""
    assert value.key is not None  # asked before
    enough = 50.0 / len(scores) if _is_accuracy(value) else EXACT
    for seed, found in zip(seeds, layout.statistic(np.nan_to_num(scores)), strict=True):
        if abs(found - value.by_seed[seed]) > enough:
            raise InputError(
                f"{value.key.model}, {value.key.guidance}, seed {seed}: {value.key.column} is {value.by_seed[seed]} in "
                f"the scores of the cell, but {found:.6f} from its single images; run `dvc repro evaluate`"
            )


def _batches(paired: Sequence[_Paired | None]) -> list[dict[int, _Paired]]:
    """Comparisons by number, together where they average the same images in the same way."""
    batches: dict[tuple[str, bytes], dict[int, _Paired]] = {}
    for number, one in enumerate(paired):
        if one is not None:
            batches.setdefault((one.test_dataset, one.layout.groups.tobytes()), {})[number] = one
    return list(batches.values())


def _on_faces(results: Results, batch: Mapping[int, _Paired]) -> dict[int, OnFaces]:
    first = next(iter(batch.values()))
    values = np.hstack([one.differences for one in batch.values()])
    resampled = stats.bootstrap(first.layout, values, seed=seed_of("bootstrap", first.test_dataset))
    means = np.column_stack([one.differences.mean(axis=1) for one in batch.values()])
    flipped = _flips(first, np.hstack([means, values]))
    split = image_scores.faces(results, first.test_dataset)
    found, start = {}, 0
    for place, (number, one) in enumerate(batch.items()):
        columns = slice(start, start := start + len(one.seeds))
        over_faces = stats.percentile_interval(resampled.draws[:, columns].mean(axis=1))
        single = one.layout.statistic(one.differences)  # a difference per seed
        found[number] = OnFaces(
            interval=over_faces,
            both=stats.combined_interval(float(single.mean()), stats.t_interval(single), over_faces),
            p=float(flipped[place]),
            lost=resampled.lost,
            units=split.unit_count,
            unit_word=split.unit_word,
            **_per_seed(one, flipped[len(batch) :][columns]),
        )
    return found


def _flips(one: _Paired, columns: np.ndarray) -> np.ndarray:
    return stats.sign_flip_test(one.layout, columns, seed=seed_of("sign flips", one.test_dataset))


def _per_seed(one: _Paired, flipped: np.ndarray) -> dict[str, Mapping[int, float]]:
    """Tests of the two networks of each seed: exact McNemar of accuracies, else the permutation test."""
    if one.is_accuracy:
        counts = [stats.discordant(*arms) for arms in zip(one.before.T > 0, one.after.T > 0, strict=True)]
        p, effects = [count.p for count in counts], [count.odds_ratio for count in counts]
    else:
        inside = one.differences[one.layout.groups >= 0]
        p, effects = flipped.tolist(), (inside.mean(axis=0) / inside.std(axis=0, ddof=1)).tolist()
    return {"seed_p": dict(zip(one.seeds, p, strict=True)), "effects": dict(zip(one.seeds, effects, strict=True))}
