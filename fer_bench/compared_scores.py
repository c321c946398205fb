"""Metrics of compared maps over a split: scores of every image, and what random, shuffled and ideal maps score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_bench import registry
from fer_bench.au.resize import resize as resize_maps
from fer_bench.metrics import Found, Pair, Wanted, as_attention, as_cam, references
from fer_bench.metrics.base import ComparedMetric
from fer_bench.protocols import Protocol
from fer_bench.score_rows import Averaging, Row
from fer_bench.scoring import TRUE_TRUE
from fer_bench.targets import PRESENT, Targets

RANDOM, SHUFFLED, IDEAL = "chance_random", "chance_shuffled", "target_scored"
Grid = tuple[int, int]
Key = tuple[str, str, str]  # metric with its suffix, layer or explainer (empty: all of them), target


@dataclass(frozen=True)
class Comparison:
    """What is compared over a split of N images.

    maps: `att.LAYER` and `cam.EXPLAINER` -> (N, h, w), of the true class. priors: target -> (S, S), the mean map of the
    training split over all classes. ids: (N,) names of the images, which decide the random maps with `seed`.
    """

    metrics: Sequence[ComparedMetric]
    maps: Mapping[str, Tensor]
    targets: Targets
    priors: Mapping[str, Tensor]
    ids: Sequence[str]
    num_classes: int
    protocol: Protocol
    seed: int
    batch: int = 64

    def scores(self) -> tuple[dict[str, np.ndarray], dict[Key, np.ndarray]]:
        """Score everything.

        Returns:
            `METRIC.LAYER_OR_EXPLAINER.TARGET.true_true` -> (N,) scores, NaN where undefined; the same of references.
        """
        parts: dict[Key, list[Tensor]] = {}
        maps = {**{key: (key, "", found) for key, found in self.maps.items()}, **self._others()}
        count = len(self.ids)
        for start in range(0, count if self.metrics else 0, self.batch):
            rows = np.arange(start, min(start + self.batch, count))
            found = [(key, suffix, self._found(key, native[rows])) for key, suffix, native in maps.values()]
            for name in self.targets.names:
                wanted = self._wanted(name, rows)
                for key, suffix, one in [*found, *self._ideal(wanted)]:
                    pair = Pair(one, wanted)
                    for metric in self.metrics:
                        place = self._name(metric, key, suffix, name)
                        parts.setdefault(place, []).append(metric.per_image(pair))
        joined = {place: torch.cat(found).numpy() for place, found in parts.items()}
        suffixes = (RANDOM, SHUFFLED, IDEAL)
        own = {f"{m}.{s}.{t}.{TRUE_TRUE}": v for (m, s, t), v in joined.items() if not m.endswith(suffixes)}
        return own, {place: values for place, values in joined.items() if place[0].endswith(suffixes)}

    def _others(self) -> dict[str, tuple[str, str, Tensor]]:
        """The maps of other faces, and random smooth maps of every grid."""
        partner = partners(len(self.ids), self.seed)
        maps = {f"{key} {SHUFFLED}": (key, SHUFFLED, found[partner]) for key, found in self.maps.items()}
        for key, grid in self._grids.items():
            maps[f"{key} {RANDOM}"] = (key, RANDOM, references.random_smooth_maps(self.ids, grid, self.seed))
        return maps

    @property
    def _grids(self) -> dict[str, Grid]:
        """`att.LAYER` or `cam.EXPLAINER` -> (h, w); one entry, `cam.`, where all explainers have the same grid."""
        grids = {key: (int(found.shape[1]), int(found.shape[2])) for key, found in self.maps.items()}
        cams = {grid for key, grid in grids.items() if key.startswith("cam.")}
        if len(cams) != 1:
            return grids
        return {key: grid for key, grid in grids.items() if key.startswith("att.")} | {"cam.": cams.pop()}

    def _found(self, key: str, native: Tensor) -> Found:
        size = (self.targets.side, self.targets.side)
        if key.startswith("cam."):
            return as_cam(native, size)
        return as_attention(native, size, self.protocol.resize, self.protocol.shift_in_score)

    def _ideal(self, wanted: Wanted) -> list[tuple[str, str, Found]]:
        """The action-unit map itself, brought down to every grid by the operator of the loss."""
        maps = torch.where(wanted.valid[:, None, None], wanted.maps, 0.0)
        return [
            (key, IDEAL, self._found(key, resize_maps(maps, grid, self.protocol.resize).clamp(0, 1)))
            for key, grid in self._grids.items()
        ]

    def _wanted(self, name: str, rows: np.ndarray) -> Wanted:
        if name == PRESENT:  # what is present does not depend on a class
            return Wanted(self.targets.true(name, rows), None, self.priors[name])
        every = [self.targets.of_classes(name, rows, np.full(len(rows), k)) for k in range(self.num_classes)]
        maps = torch.stack(every, dim=1)
        own = torch.from_numpy(self.targets.labels[rows])
        others = torch.stack([(own + step) % self.num_classes for step in range(1, self.num_classes)], dim=1)
        places = torch.arange(len(rows))
        return Wanted(maps[places, own], maps[places[:, None], others], self.priors[name])

    @staticmethod
    def _name(metric: ComparedMetric, key: str, suffix: str, target: str) -> Key:
        kind, source = key.split(".")
        return f"{kind}_{metric.id}" + (f"_{suffix}" if suffix else ""), source, target


def compared_metrics(names: Sequence[str]) -> list[ComparedMetric]:
    """Those of the named metrics that score attention and class activation maps alike."""
    made = [registry.plugin("metrics", name)() for name in names]
    return [metric for metric in made if isinstance(metric, ComparedMetric)]


def reference_averages(scored: Mapping[Key, np.ndarray], averaging: Averaging) -> list[Row]:
    """Rows of the references that `Comparison.scores` returns: macro averages alone, to keep the files small."""
    rows: list[Row] = []
    for (metric, source, target), values in scored.items():
        place = {"layer" if metric.startswith("att_") else "explainer": source, "target": target}
        rows += [one for one in averaging.rows(metric, values, place, ("all",)) if one["average"] == "macro"]
    return rows


def partners(count: int, seed: int) -> np.ndarray:
    """(N,) for each image another one, drawn at random; nobody is its own partner where there are two or more."""
    order = np.random.default_rng(seed).permutation(count)
    found = np.empty(count, dtype=np.int64)
    found[order] = np.roll(order, 1)
    return found
