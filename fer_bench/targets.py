"""The maps that a face's attention and class activation maps are compared with."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_bench.au import REGIONS
from fer_bench.data import Faces
from fer_bench.dataset_files import DatasetFiles
from fer_bench.expressions import EXPRESSIONS_8

logger = logging.getLogger(__name__)
PRESENT = "present"
PRESENT_FROM = 0.1  # intensity (0..1) from which an action unit counts as there


class Targets:
    """Maps of one split: per variant for any expression, and `present`, the action units really in each face.

    They are known of generated faces and of collections with annotated units. A face without a map (neutral, no
    landmarks) has infinite pixels, which every score reads as undefined.
    """

    def __init__(self, files: DatasetFiles, faces: Faces, variants: list[str], side: int) -> None:
        self.side = side
        self.positions = faces.frame.index.to_numpy()
        self.labels = faces.labels
        self._stores = {variant: files.store(variant) for variant in variants}
        truth = files.ground_truth()
        self._present = None if truth is None else self._drawable(action_units_present(truth.loc[faces.frame["id"]]))
        self.names = [*variants, *([PRESENT] if truth is not None else [])]

    def true(self, name: str, rows: np.ndarray) -> Tensor:
        """Maps (B, S, S) of the true expression, or of the action units present, for rows of the split."""
        if name == PRESENT:
            assert self._present is not None  # the name is offered only where the truth is known
            return self._maps(self._drawn, rows, [self._present[row] for row in rows])
        return self.of_classes(name, rows, self.labels[rows])

    def of_classes(self, name: str, rows: np.ndarray, classes: np.ndarray) -> Tensor:
        """Maps (B, S, S) that the given classes would have on these faces."""
        return self._maps(name, rows, [EXPRESSIONS_8[number] for number in classes])

    def of_units(self, name: str, rows: np.ndarray, units: frozenset[int]) -> Tensor:
        """Maps (B, S, S) that a set of action units would have on these faces."""
        return self._maps(name, rows, [units] * len(rows))

    @property
    def _drawn(self) -> str:
        """Variant in which the action units present are drawn: the first one stored."""
        return next(iter(self._stores))

    def _drawable(self, faces: list[frozenset[int]]) -> list[frozenset[int]]:
        """Leave out units without a region, such as lip bite (32), and say which: annotators know more than we draw."""
        drawn = {unit for units in REGIONS[self._drawn] for unit in units}
        missing = sorted(frozenset().union(*faces) - drawn)
        if missing:
            logger.warning("no region in maps `%s` for AU %s: left out of `present`", self._drawn, str(missing)[1:-1])
        return [units & drawn for units in faces]

    def _maps(self, variant: str, rows: np.ndarray, wanted: list[Any]) -> Tensor:
        maps, valid = self._stores[variant].maps(self.positions[rows], wanted, (self.side, self.side))
        return torch.where(valid[:, None, None], maps, torch.inf)


def action_units_present(truth: pd.DataFrame) -> list[frozenset[int]]:
    """Read the action units of each face off the ground truth (columns au_N, intensity 0..1)."""
    columns = [name for name in truth.columns if name.startswith("au_") and name.removeprefix("au_").isdigit()]
    numbers = np.array([int(name.removeprefix("au_")) for name in columns])
    there = truth[columns].to_numpy() >= PRESENT_FROM
    return [frozenset(int(number) for number in numbers[row]) for row in there]
