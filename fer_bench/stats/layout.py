"""How a reported score is averaged: which class an image counts in, and which images were drawn together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

LEFT_OUT = -1


class GroupSums(NamedTuple):
    """One class of a macro mean: units (u,) that have images of it, their sums (u, M) and numbers of images (u,)."""

    units: np.ndarray
    sums: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class Layout:
    """A mean over classes of the mean over a class's images; with one class it is the plain mean over images.

    groups: (N,) class of each image, 0 to G - 1, or LEFT_OUT for an image that the score does not average.
    units: (N,) what was drawn from the population: number of the image's subject, or of the image itself, 0 to U - 1.
    """

    groups: np.ndarray
    units: np.ndarray

    @cached_property
    def unit_count(self) -> int:
        """U, those without an averaged image included: a resample may draw them too."""
        return int(self.units.max()) + 1

    @cached_property
    def group_count(self) -> int:
        """G, number of classes in the mean."""
        return int(self.groups.max()) + 1

    def statistic(self, values: np.ndarray) -> np.ndarray:
        """The reported score of each column of (N, M) values, (M,)."""
        return np.mean([part.sums.sum(axis=0) / part.counts.sum() for part in self.sums(values)], axis=0)

    def sums(self, values: np.ndarray) -> list[GroupSums]:
        """Sums per class and unit of (N, M) values; values of images that are left out do not matter."""
        return [self._group(values, group) for group in range(self.group_count)]

    def shares(self, values: np.ndarray) -> np.ndarray:
        """What each unit adds to the score of each column, (U, M); the shares of a column sum to its score."""
        found = np.zeros((self.unit_count, values.shape[1]))
        for part in self.sums(values):
            found[part.units] += part.sums / part.counts.sum() / self.group_count
        return found

    def _group(self, values: np.ndarray, group: int) -> GroupSums:
        inside = self.groups == group
        units, position = np.unique(self.units[inside], return_inverse=True)
        sums = np.zeros((len(units), values.shape[1]))
        np.add.at(sums, position, np.asarray(values[inside], dtype=np.float64))
        return GroupSums(units, sums, np.bincount(position, minlength=len(units)).astype(np.float64))


def micro_layout(defined: np.ndarray, units: np.ndarray) -> Layout:
    """The plain mean over the images (N,) that are `defined`.

    Raises:
        ValueError: no image is defined.
    """
    return _layout(np.where(defined, 0, LEFT_OUT), units)


def macro_layout(
    defined: np.ndarray, labels: np.ndarray, units: np.ndarray, skip: Sequence[int] = (), minimum: int = 1
) -> Layout:
    """The plain mean over classes of the mean over their images, as `fer_bench.metrics.macro` takes it.

    Args:
        defined: (N,) images with a score.
        labels: (N,) class ids.
        units: (N,) as in `Layout`.
        skip: class ids that never take part.
        minimum: classes with fewer images in `labels`, defined or not, are left out.

    Raises:
        ValueError: no class is left.
    """
    counts = np.bincount(labels)
    present = np.unique(labels[defined])
    classes = [k for k in present.tolist() if counts[k] >= minimum and k not in skip]
    number = np.full(len(counts), LEFT_OUT)
    number[classes] = np.arange(len(classes))
    return _layout(np.where(defined, number[labels], LEFT_OUT), units)


def unit_numbers(ids: Sequence[str], subjects: Sequence[str]) -> np.ndarray:
    """Number what was drawn: the subject of an image where it is known, else the image, (N,) in the order of names.

    The numbers depend on the names alone, so the order of the images does not change what a resample draws.
    """
    names = [("subject", who) if who else ("image", one) for one, who in zip(ids, subjects, strict=True)]
    place = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names])


def _layout(groups: np.ndarray, units: np.ndarray) -> Layout:
    if groups.max(initial=LEFT_OUT) == LEFT_OUT:
        raise ValueError("no image is left to average: every one is undefined or of a class that is left out")
    return Layout(groups, np.asarray(units))
