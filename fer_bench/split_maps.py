"""The faces of one split as guidance sees them: classes, landmarks, units, and sources of unit maps."""

from collections.abc import Sequence

import numpy as np
import torch

from fer_bench import landmarks
from fer_bench.data import Faces, MapSource
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError

Units = Sequence[frozenset[int]]


class SplitMaps:
    """What `fer_bench.guidance.base.Split` promises, from the prepared files of a dataset."""

    def __init__(self, files: DatasetFiles, faces: Faces) -> None:
        self.files, self.faces = files, faces
        self.labels = faces.labels
        self.expressions: tuple[str, ...] = files.plugin.expressions
        self._positions = faces.frame.index.to_numpy()

    def unit_maps(
        self, units: Units, variant: str, faces: np.ndarray | None = None, strengths: np.ndarray | None = None
    ) -> MapSource:
        """Return the source of maps of action units, each drawn on its own face or on that of `faces`."""
        store = self.files.store(variant)
        positions = self._positions if faces is None else self._positions[faces]

        def source(rows: np.ndarray, side: int) -> tuple[torch.Tensor, torch.Tensor]:
            chosen = [units[row] for row in rows]
            strong = None if strengths is None else strengths[rows]
            return store.maps(positions[rows], chosen, (side, side), strengths=strong)

        return source

    def has_map(self, units: Units, variant: str) -> np.ndarray:
        """Tell on which faces a map of these units can be drawn, (N,) bool."""
        return self.files.store(variant).valid(self._positions, units)

    def points(self) -> np.ndarray:
        """Read the landmarks (N, 68, 2) as shares of the image's width and height."""
        path = self.files.landmarks
        ids, points, _ = landmarks.read(path)
        if list(ids) != list(self.files.index["id"]):
            again = f"run `dvc repro landmarks@{self.files.name}`"
            raise InputError(f"{path}: its faces are not those of the index; {again}")
        sizes = self.files.index[["width", "height"]].to_numpy(np.float32)[:, None]
        return ((points + 0.5) / sizes)[self._positions]

    def intensities(self) -> list[dict[int, float]]:
        """Read the action units of each face off the ground truth; units that nobody annotated are left out."""
        truth = self.files.ground_truth()
        if truth is None:
            raise InputError(f"dataset {self.files.name}: nobody knows which action units are really in its faces")
        names = {name: name.removeprefix("au_") for name in truth.columns if name.startswith("au_")}
        units = {name: int(unit) for name, unit in names.items() if unit.isdigit()}
        rows = truth.loc[self.faces.frame["id"], list(units)].to_numpy()
        numbers = list(units.values())
        return [
            {unit: float(value) for unit, value in zip(numbers, row, strict=True) if np.isfinite(value)} for row in rows
        ]

    def training(self) -> "SplitMaps":
        """Return the training split of the same dataset."""
        return SplitMaps(self.files, self.files.faces("train"))
