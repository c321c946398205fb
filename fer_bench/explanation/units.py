"""Which action units of the codebook the maps of one face visit: docs/metrics.md, "Coverage of action units"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fer_bench.au import AU_NAMES, au_maps, resize, wanted_aus
from fer_bench.explanation.face import Face
from fer_bench.explanation.maps import NetworkMaps
from fer_bench.metrics import REGION, Found, as_attention, as_cam, coverage, face_region
from fer_bench.trained import Reading
from fer_bench.unit_coverage import drawn_regions

BAND = 0.1  # a coverage this near to 1 is called neither visited nor ignored
ATTENTION, IDEAL = "attention", "ideal"
Verdict = Literal["visited", "even", "ignored", "undefined"]


@dataclass(frozen=True, eq=False)
class Region:
    """A region of the codebook's drawing and how maps cover it.

    units: FACS numbers drawn here, of any expression. own: those of the predicted expression, () where it has none.
    mask: (S, S) bool. coverage: `attention`, explainers and `ideal` (the action unit map itself at the grid of the
    attention) -> coverage, 1 is chance, None where undefined. largest: what no map can exceed.
    """

    units: tuple[int, ...]
    own: tuple[int, ...]
    mask: np.ndarray
    coverage: dict[str, float | None]
    largest: float | None

    @property
    def verdict(self) -> Verdict:
        """What the attention does here."""
        value = self.coverage[ATTENTION]
        if value is None:
            return "undefined"
        return "visited" if value > 1 + BAND else "ignored" if value < 1 - BAND else "even"

    @property
    def shown(self) -> tuple[int, ...]:
        """The units that a reader is told of: those of the predicted expression, else all."""
        return self.own or self.units

    @property
    def names(self) -> list[str]:
        """Names of these units."""
        return [AU_NAMES[unit] for unit in self.shown]


@dataclass(frozen=True, eq=False)
class UnitReading:
    """One variant of the maps; target: (S, S) map of the predicted expression, None where it has no action units."""

    variant: str
    target: np.ndarray | None
    regions: tuple[Region, ...]

    @property
    def own(self) -> list[Region]:
        """Regions of the predicted expression."""
        return [region for region in self.regions if region.own]


def read_units(
    face: Face, network: NetworkMaps, expressions: tuple[str, ...], how: Reading, variant: str
) -> UnitReading:
    """Measure every region of the codebook on one face, for the expression that the network predicts."""
    predicted, side = expressions[network.predicted], how.map_size
    regions = drawn_regions(expressions, variant)
    maps, valid = _drawn(face, [predicted, *regions], how, variant)
    masks = (maps[1:] >= REGION) & valid[1:, None, None]
    hull = torch.from_numpy(face_region(_relative(face)[None], side))[0] | masks.any(dim=0)
    target = maps[0] if bool(valid[0]) else None
    found = {name: one.maps for name, one in _found(network, target, how).items()}
    scores = {name: coverage(one, masks[None], hull[None])[0].tolist() for name, one in found.items()}
    largest = (hull.sum() / masks.sum(dim=(1, 2))).tolist()
    own = set(wanted_aus(predicted, variant))
    return UnitReading(
        variant,
        None if target is None else target.numpy(),
        tuple(
            Region(
                units=units,
                own=tuple(unit for unit in units if unit in own),
                mask=masks[row].numpy(),
                coverage={name: _finite(values[row]) for name, values in scores.items()},
                largest=_finite(largest[row]),
            )
            for row, units in enumerate(regions)
        ),
    )


def _drawn(face: Face, wanted: list[object], how: Reading, variant: str) -> tuple[Tensor, Tensor]:
    """Draw the maps of expressions or sets of units on the face, as the store of the dataset does."""
    drawn_at = how.paper_side if variant == "paper" else None
    height, width = face.crop.shape[:2]
    canvas = (drawn_at, drawn_at) if drawn_at else (height, width)
    points = _relative(face) * np.array([canvas[1], canvas[0]]) - 0.5
    many = torch.from_numpy(points.astype(np.float32)).expand(len(wanted), -1, -1)
    return au_maps(many, wanted, (how.map_size, how.map_size), variant, canvas=canvas)  # type: ignore[arg-type]


def _relative(face: Face) -> np.ndarray:
    """(68, 2) landmarks in units of the crop's width and height."""
    height, width = face.crop.shape[:2]
    return (face.points.astype(np.float64) + 0.5) / np.array([width, height])


def _found(network: NetworkMaps, target: Tensor | None, how: Reading) -> Mapping[str, Found]:
    """Bring every map to the size of the comparison, as the evaluation does."""
    size = (how.map_size, how.map_size)
    attention = torch.from_numpy(network.attention)[None]
    found = {ATTENTION: as_attention(attention, size, how.resize, how.shift)}
    found |= {name: as_cam(torch.from_numpy(cam)[None], size) for name, cam in network.cams.items()}
    if target is not None:
        grid = (int(attention.shape[1]), int(attention.shape[2]))
        ideal = resize(target[None], grid, how.resize).clamp(0, 1)
        found[IDEAL] = as_attention(ideal, size, how.resize, how.shift)
    return found


def _finite(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
