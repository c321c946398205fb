"""Which action units of the codebook the maps of a classifier visit, per expression."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_bench.au import REGIONS
from fer_bench.au.codebook import union, wanted_aus
from fer_bench.au.resize import resize
from fer_bench.metrics import REGION, Found, as_attention, as_cam, coverage
from fer_bench.protocols import Protocol
from fer_bench.targets import Targets

IDEAL = "ideal"


@dataclass(frozen=True)
class UnitCoverage:
    """What is measured over a split of N images.

    maps: `att.LAYER` and `cam.EXPLAINER` -> (N, h, w), of the true class. hulls: (N, S, S) bool, the convex hull of
    each face's landmarks. expressions: names of the K classes.
    """

    maps: Mapping[str, Tensor]
    targets: Targets
    hulls: np.ndarray
    expressions: tuple[str, ...]
    protocol: Protocol
    batch: int = 64

    def arrays(self, variant: str) -> dict[str, np.ndarray]:
        """Measure one variant of the maps.

        Returns:
            units.VARIANT: (U,) the regions, e.g. `22, 23, 24` for units drawn alike. own.VARIANT: (K, U) bool, the
            expression's codebook has the unit. KEY.VARIANT: (K, U) coverage, mean over the images of each true
            class, NaN where none has it. ideal.VARIANT: the same of the action unit map itself, brought down to the
            grid of the attention.
        """
        regions = drawn_regions(self.expressions, variant)
        parts: dict[str, list[Tensor]] = {}
        for start in range(0, len(self.targets.labels), self.batch):
            rows = np.arange(start, min(start + self.batch, len(self.targets.labels)))
            units = [self.targets.of_units(variant, rows, frozenset(one)) for one in regions]
            masks = torch.stack([torch.isfinite(one) & (one >= REGION) for one in units], dim=1)
            # A brow is raised above the hull of the landmarks, so the regions belong to the face too.
            face = torch.from_numpy(self.hulls[rows]) | masks.any(dim=1)
            for key, found in self._found(variant, rows).items():
                parts.setdefault(f"{key}.{variant}", []).append(coverage(found.maps, masks, face))
        own = [[bool(set(one) & set(wanted_aus(name, variant))) for one in regions] for name in self.expressions]
        names = [", ".join(map(str, one)) for one in regions]
        means = {key: self._by_class(torch.cat(found).numpy()) for key, found in parts.items()}
        return {f"units.{variant}": np.array(names), f"own.{variant}": np.array(own, dtype=bool)} | means

    def _found(self, variant: str, rows: np.ndarray) -> dict[str, Found]:
        size = (self.targets.side, self.targets.side)
        found: dict[str, Found] = {}
        for key, maps in self.maps.items():
            found[key] = as_cam(maps[rows], size) if key.startswith("cam.") else self._attention(maps[rows])
            if key.startswith("att."):
                wanted = self.targets.true(variant, rows)
                wanted = torch.where(torch.isfinite(wanted), wanted, 0.0)  # no map: no energy, so undefined
                grid = (int(maps.shape[1]), int(maps.shape[2]))
                found[IDEAL] = self._attention(resize(wanted, grid, self.protocol.resize).clamp(0, 1))
        return found

    def _attention(self, maps: Tensor) -> Found:
        size = (self.targets.side, self.targets.side)
        return as_attention(maps, size, self.protocol.resize, self.protocol.shift_in_score)

    def _by_class(self, scores: np.ndarray) -> np.ndarray:
        """(N, U) -> (K, U) means over the images of each class in which the score is defined."""
        defined = np.isfinite(scores)
        of_class = (self.targets.labels[:, None] == np.arange(len(self.expressions))).astype(float)
        count = of_class.T @ defined
        total = of_class.T @ np.where(defined, scores, 0.0)
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def drawn_regions(expressions: tuple[str, ...], variant: str) -> list[tuple[int, ...]]:
    """Units of the codebook of any of the expressions, those that are drawn alike together."""
    used = set(union(expressions, variant))
    rows = [tuple(unit for unit in row if unit in used) for row in REGIONS[variant]]
    return [row for row in rows if row]
