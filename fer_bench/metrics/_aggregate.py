"""From one score per image to one number: averages over images or over expressions, and subsets of images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WITHOUT_MAP = ("neutral",)


@dataclass(frozen=True)
class Average:
    """A mean of per-image scores.

    value: NaN where nothing is defined. n: images averaged. undefined: images without a score (no map).
    left_out: expressions with too few scores to count in a macro average.
    """

    value: float
    n: int
    undefined: int
    left_out: tuple[str, ...] = ()


def micro(scores: np.ndarray) -> Average:
    """Mean over the images with a score; scores (N,) hold NaN where an image has none."""
    scores = np.asarray(scores, dtype=np.float64)
    defined = scores[~np.isnan(scores)]
    value = float(defined.mean()) if len(defined) else float("nan")
    return Average(value, len(defined), len(scores) - len(defined))


def per_expression(scores: np.ndarray, labels: np.ndarray, expressions: Sequence[str]) -> dict[str, Average]:
    """Mean of each expression's images, in the order of class ids."""
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    return {name: micro(scores[labels == k]) for k, name in enumerate(expressions)}


def macro(
    scores: np.ndarray,
    labels: np.ndarray,
    expressions: Sequence[str],
    minimum: int = 1,
    skip: Sequence[str] = WITHOUT_MAP,
) -> Average:
    """Plain mean over expressions of the mean over their images, as Belharbi et al. average their cosines.

    Args:
        scores: (N,), NaN where an image has no score.
        labels: (N,) class ids that group the images (the true ones).
        expressions: names, the position is the class id.
        minimum: expressions with fewer scores are left out, and named.
        skip: expressions that never take part: neutral has no action units.
    """
    means = per_expression(scores, labels, [*expressions])
    taking_part = {name: mean for name, mean in means.items() if name not in skip}
    counted = [mean for mean in taking_part.values() if mean.n >= max(minimum, 1)]
    value = float(np.mean([mean.value for mean in counted])) if counted else float("nan")
    left_out = tuple(name for name, mean in taking_part.items() if mean.n < max(minimum, 1))
    n = sum(mean.n for mean in counted)
    return Average(value, n, sum(mean.undefined for mean in means.values()), left_out)


def subsets(labels: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """Masks (N,) of all images, of those recognised and of those not."""
    right = np.asarray(labels) == np.asarray(predicted)
    return {"all": np.ones_like(right), "correct": right, "wrong": ~right}
