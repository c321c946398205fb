"""Chance levels, references and ceilings of one test split, as rows beside the scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_bench.metrics import cam_cosine, references
from fer_bench.protocols import Protocol
from fer_bench.score_rows import Averaging, Row
from fer_bench.targets import Targets


@dataclass(frozen=True)
class ReferenceInput:
    """What the references are computed from.

    ids, labels: of the test split. train: the training split's targets, from which mean maps are made.
    grids: `att.LAYER` and `cam.EXPLAINER` -> (h, w). seed: of the random maps. ceiling_maps: images of the ceiling.
    untrained: `EXPLAINER` -> (N, h, w) class activation maps of the untrained network.
    """

    ids: list[str]
    targets: Targets
    train: Targets
    grids: Mapping[str, tuple[int, int]]
    untrained: Mapping[str, Tensor]
    protocol: Protocol
    averaging: Averaging
    ceiling_maps: int
    seed: int


def reference_rows(given: ReferenceInput) -> list[Row]:
    """Compute all references for every target."""
    rows: list[Row] = []
    everything = np.arange(len(given.ids))
    for target in given.targets.names:
        maps = given.targets.true(target, everything)
        scored = {**_fixed(given, target, maps), **_of_grids(given, maps)}
        for (metric, layer, explainer), scores in scored.items():
            identity = {"target": target, "layer": layer, "explainer": explainer}
            rows += given.averaging.rows(metric, scores.numpy(), identity, ("all",))
    return rows


Key = tuple[str, str, str]  # metric, layer, explainer


def _fixed(given: ReferenceInput, target: str, maps: Tensor) -> dict[Key, Tensor]:
    """References that no classifier and no grid size enters."""
    found: dict[str, Tensor] = {
        "chance_constant": references.chance_constant(maps),
        "reference_gaussian": references.fixed_map(references.centred_gaussian((maps.shape[1], maps.shape[2])), maps),
    }
    means = train_means(given.train, target, len(given.averaging.expressions))
    found["reference_blind_mean"] = references.fixed_map(means.blind_mean, maps)
    per_image = means.class_means[torch.from_numpy(given.averaging.labels)]
    found["reference_class_mean"] = references.fixed_map(per_image, maps)
    rows: dict[Key, Tensor] = {(f"att_cos_{name}", "", ""): scores for name, scores in found.items()}
    # A constant class activation map scores 0 by definition; its chance level comes from random maps below.
    rows |= {(f"cam_cos_{name}", "", ""): scores for name, scores in found.items() if name != "chance_constant"}
    return rows


def _of_grids(given: ReferenceInput, maps: Tensor) -> dict[Key, Tensor]:
    """References that depend on the size of the classifier's own map; equal sizes are computed once."""
    found: dict[Key, Tensor] = {}
    memory: dict[tuple[tuple[int, int], bool], dict[str, Tensor]] = {}
    for key, grid in given.grids.items():
        kind, name = key.split(".")
        as_cam = kind == "cam"
        if (grid, as_cam) not in memory:
            memory[grid, as_cam] = _of_grid(given, maps, grid, as_cam)
        place = ("", name) if as_cam else (name, "")
        found |= {(f"{kind}_cos_{suffix}", *place): scores for suffix, scores in memory[grid, as_cam].items()}
    for name, cams in given.untrained.items():
        found["cam_cos_chance_untrained", "", name] = cam_cosine(cams, maps)
    return found


def _of_grid(given: ReferenceInput, maps: Tensor, grid: tuple[int, int], as_cam: bool) -> dict[str, Tensor]:
    resize = "halfpixel" if as_cam else given.protocol.resize
    scored = references.training_target_scored(maps, grid, given.protocol.resize, resize, as_cam)
    found = {"ceiling": _ceiling(given, maps, grid, resize, as_cam), "target_scored": scored}
    if as_cam:
        found["chance_random"] = references.chance_random(maps, given.ids, grid, resize, given.seed)
    return found


def _ceiling(given: ReferenceInput, maps: Tensor, grid: tuple[int, int], resize: str, as_cam: bool) -> Tensor:
    """Ceiling on an even choice of images that have a map; NaN elsewhere."""
    with_map = torch.nonzero(torch.isfinite(maps).flatten(1).all(dim=1))[:, 0]
    step = max(1, len(with_map) // given.ceiling_maps)
    chosen = with_map[::step][: given.ceiling_maps]
    found = torch.full((len(maps),), torch.nan, dtype=torch.float64)
    if len(chosen):
        found[chosen] = references.ceiling(maps[chosen], grid, resize, as_cam).double()
    return found


def train_means(train: Targets, target: str, num_classes: int, batch: int = 256) -> references.MeanMaps:
    """Mean maps of the training split; for `present` those of the first variant when the truth is not known there."""
    name = target if target in train.names else next(iter(train.names))
    means = references.MeanMaps(num_classes)
    for start in range(0, len(train.labels), batch):
        rows = np.arange(start, min(start + batch, len(train.labels)))
        maps = train.true(name, rows)
        valid = torch.isfinite(maps).flatten(1).all(dim=1)
        means.add(torch.where(valid[:, None, None], maps, 0.0), torch.from_numpy(train.labels[rows]), valid)
    return means
