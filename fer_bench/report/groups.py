"""Scores of groups of faces, the gap between the best and the worst group, and the gap that equal groups would show."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

BINS = 15  # of confidence, as in the expected calibration error of the whole split
PERMUTATIONS = 200
UNKNOWN = -1


@dataclass(frozen=True)
class Score:
    """A score that is a sum over the images of a group, divided by their number.

    parts: (N,) what each image adds; NaN: the score is undefined for it, and it does not count. bins: (N,) whole
    numbers; sums are made per bin and their absolute values added (calibration), None: one signed sum (a mean).
    """

    parts: np.ndarray
    bins: np.ndarray | None = None
    lower_is_better: bool = False

    def of_groups(self, groups: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Score groups.

        Args:
            groups: (P, N) group of each image, UNKNOWN where it belongs to none, under P ways to group them.
            number: G, of groups.

        Returns:
            (P, G) scores, NaN where no image counts, and (P, G) number of images that count.
        """
        used = (groups != UNKNOWN) & np.isfinite(self.parts)
        bins = np.zeros(len(self.parts), dtype=np.int64) if self.bins is None else self.bins
        width = int(bins.max(initial=0)) + 1
        place = np.arange(len(groups))[:, None] * number + groups
        shape = (len(groups), number, width)
        cells = (place * width + bins)[used]
        sums = np.bincount(cells, np.broadcast_to(self.parts, used.shape)[used], int(np.prod(shape))).reshape(shape)
        count = np.bincount(place[used], minlength=shape[0] * number).reshape(shape[:2])
        total = sums[..., 0] if self.bins is None else np.abs(sums).sum(axis=2)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), count

    def gap(self, groups: np.ndarray, number: int, least: int) -> np.ndarray:
        """(P,) largest minus smallest score of groups with at least `least` images; NaN with fewer than two."""
        scores, count = self.of_groups(groups, number)
        enough = count >= max(least, 1)
        high = np.where(enough, scores, -np.inf).max(axis=1, initial=-np.inf)
        low = np.where(enough, scores, np.inf).min(axis=1, initial=np.inf)
        return np.subtract(high, low, out=np.full(len(groups), np.nan), where=enough.sum(axis=1) >= 2)


def accuracy(predictions: pd.DataFrame) -> Score:
    """Share of images that are recognised, in percent."""
    return Score(100.0 * (predictions["predicted"] == predictions["label"]).to_numpy(dtype=float))


def calibration(predictions: pd.DataFrame) -> Score | None:
    """Expected calibration error in percent (Guo et al. 2017), 15 equal bins (a, b]; None without probabilities."""
    names = [name for name in predictions.columns if name.startswith("p_")]
    if not names:
        return None
    confidence = predictions[names].to_numpy(dtype=float).max(axis=1)
    right = (predictions["predicted"] == predictions["label"]).to_numpy(dtype=float)
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return Score(100.0 * (right - confidence), bins, lower_is_better=True)


def encoded(words: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Groups (N,) as numbers, UNKNOWN for the empty word, and their words in order."""
    names = sorted(set(words) - {""}, key=_in_order)
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(word, UNKNOWN) for word in words], dtype=np.int64), names


def _in_order(word: str) -> tuple[int, float, str]:
    """By the first number of a word (4-19 before 20-39, below 5 before 5-10), words without one first."""
    digits = "".join(letter if letter.isdigit() else " " for letter in word).split()
    known = {"light": 0, "medium": 1, "dark": 2}.get(word, 0)
    below = 0.5 if word.startswith("below") else 0.0
    return (1, float(digits[0]) - below, word) if digits else (0, known, word)


def shuffled(groups: np.ndarray, labels: np.ndarray, number: int = PERMUTATIONS, seed: int = 0) -> np.ndarray:
    """Deal the groups anew among the images of each expression.

    Every group keeps its number of images of every expression, so that what is left of a gap comes from the
    expressions in a group and from the finite number of images, not from the group.

    Args:
        groups: (N,) group of each image; images of UNKNOWN stay unknown.
        labels: (N,) expression of each image.
        number: P.
        seed: of the random numbers.

    Returns:
        (P, N).
    """
    # Strata of an expression, known and unknown apart; both orders list the strata one after the other.
    strata = 2 * labels + (groups == UNKNOWN)
    keys = np.random.default_rng(seed).random((number, len(groups)))
    drawn = np.argsort(strata + keys, axis=1)
    places = np.argsort(strata, kind="stable")
    dealt = np.empty_like(drawn)
    dealt[:, places] = groups[drawn]
    return dealt


def dealt(groups: np.ndarray, labels: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Deal groups anew, (P, N): among the subjects where a subject belongs to one group as a whole, as with sex.

    Images of a subject are alike, so that groups of few subjects differ more than groups of as many single images do.
    Otherwise, or where any subject is unknown (""), among the images of each expression: see `shuffled`.
    """
    names, first, place = np.unique(subjects, return_index=True, return_inverse=True)
    whole = "" not in names and bool((groups[first][place] == groups).all())
    if whole:
        return shuffled(groups[first], np.zeros(len(first), dtype=np.int64))[:, place]
    return shuffled(groups, labels)


def attributes_of(frame: pd.DataFrame) -> Iterator[str]:
    """Columns that hold a group, two groups or more: all but id, subject and the landmarks' status."""
    for name in frame.columns:
        if name not in ("id", "subject", "landmark status") and len(set(frame[name]) - {""}) > 1:
            yield str(name)
