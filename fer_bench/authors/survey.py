"""Looks at every released folder: what it holds, and whether our networks can take it over."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from fer_bench import classifier, registry
from fer_bench.authors import config, layout, tensors, translate
from fer_bench.authors.catalog import GUIDANCE, Release, releases
from fer_bench.authors.files import fingerprint
from fer_bench.authors.layout import Folder
from fer_bench.authors.names import published_names
from fer_bench.errors import InputError
from fer_bench.validation import validate

ABSENT = "absent"


@dataclass(frozen=True)
class Found:
    """One folder of the release.

    path: below the folder of the datasets. folder: what the path says, None where it says nothing we know.
    cells: name of a model -> what differs in this cell. problem: why it cannot be used, empty when it can.
    """

    path: str
    folder: Folder | None = None
    told: config.Config | None = None
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    problem: str = ""


def section(release: Release) -> dict[str, Any]:
    """What all cells of a model share, as a section of params.yaml."""
    return {
        "label": release.label,
        "backbone": release.backbone,
        "kwargs": release.kwargs,
        "method": release.method,
        "input_size": release.input_size,
        "explainers": list(release.explainers),
        "train": {"epochs": 0},  # nothing is trained: the checkpoint is validated once and kept as it is
    }


def survey(holder: Path) -> Iterator[Found]:
    """Look at every folder that the release should have, by dataset, method and guidance, then at all others there."""
    expected, there = layout.expected(), layout.paths(holder)
    for folder in expected:
        yield _look(holder, folder.path) if folder.path in there else Found(folder.path, folder, problem=ABSENT)
    known = {folder.path for folder in expected}
    yield from (_look(holder, path) for path in there if path not in known)


def _look(holder: Path, path: str) -> Found:
    folder = told = None
    try:
        folder = layout.parse(path)
        told = config.read(holder / path / layout.CONFIG_FILE)
        published = tensors.read(holder / path / layout.WEIGHTS_FILE)
        cells = {release.model: _cell(release, folder, told) for release in releases(folder.key)}
        for release in releases(folder.key):
            _check_tensors(release, cells[release.model], published, holder / path / layout.WEIGHTS_FILE)
        checkpoint = {"plugin": "authors", "folder": path, "fingerprint": fingerprint(holder / path)}
        complete = {model: {"checkpoint": checkpoint, **cell} for model, cell in cells.items()}
        return Found(path, folder, told, complete)
    except InputError as error:
        return Found(path, folder, told, problem=str(error).replace(f"{holder}/", ""))


def _cell(release: Release, folder: Folder, told: config.Config) -> dict[str, Any]:
    translate.check(told, folder, release)
    cell = translate.overrides(told, release)
    if folder.guided:
        validate(registry.settings("guidance", GUIDANCE[True]), cell["guidance"], "guidance")
    return cell


def _check_tensors(release: Release, cell: dict[str, Any], published: dict[str, torch.Tensor], path: Path) -> None:
    """Fit the file to a network without values."""
    shared = {key: value for key, value in section(release).items() if key not in ("label", "explainers", "train")}
    own = {key: value for key, value in cell.items() if key != "guidance"}
    state = _valueless(json.dumps({**shared, **own}), f"models.{release.model}")
    tensors.fitted(published, published_names(release, state), state, path)


@lru_cache(maxsize=64)
def _valueless(described: str, source: str) -> dict[str, torch.Tensor]:
    """State dict of a network on the meta device: names, shapes and types."""
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        return classifier.build(json.loads(described), source=source).state_dict()


def guidance(folder: Folder) -> str:
    """Entry of the section `guidance` that stands for how the network was trained."""
    return GUIDANCE[folder.guided]
