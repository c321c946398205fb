"""Writes the released networks into the project: entries of `models` in params.yaml, and a grid for each dataset."""

import copy
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from fer_bench import grids, params
from fer_bench.authors.catalog import DATASETS, GUIDANCE, RELEASES
from fer_bench.authors.survey import Found, section
from fer_bench.errors import InputError
from fer_bench.yaml_file import read_yaml

BEGIN = "  # Written by `fer-bench import-authors` (docs/authors_weights.md), which replaces it up to the end mark"
END = "  # End of what `fer-bench import-authors` wrote"
ON_ONE_LINE = ("kwargs", "method_kwargs", "explainers", "train", "guidance")
GRID = """\
# The networks that Belharbi et al. (arXiv 2402.00281) trained on {name}, scored here: one published run per cell,
# nothing is trained. Written by `fer-bench import-authors`: docs/authors_weights.md.
protocol: paper
datasets: [{dataset}]
models: [{models}]
guidance: [{guidance}]
seeds: [0]
test_datasets: [{dataset}]
"""


def models(found: Iterable[Found]) -> dict[str, dict[str, Any]]:
    """Entries of `models`, in the order of the paper's Table 1: what cells share, and each cell that can be used."""
    usable = [(one.folder, one.cells) for one in found if one.folder is not None and not one.problem]
    entries: dict[str, dict[str, Any]] = {}
    for release in RELEASES:
        cells: dict[str, dict[str, Any]] = {}
        for folder, own in usable:
            if release.model in own:
                cells.setdefault(DATASETS[folder.dataset], {})[GUIDANCE[folder.guided]] = own[release.model]
        if cells:
            entries[release.model] = _shared_once(section(release), cells)
    return entries


def _shared_once(shared: dict[str, Any], cells: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Move what all cells of a model say alike into the section; a checkpoint and its guidance stay with their cell."""
    every = [cell for arms in cells.values() for cell in arms.values()]
    alike = {
        key: value
        for key, value in every[0].items()
        if key not in ("checkpoint", "guidance") and all(cell[key] == value for cell in every)
    }
    own = {
        dataset: {name: {key: cell[key] for key in cell if key not in alike} for name, cell in arms.items()}
        for dataset, arms in cells.items()
    }
    return {key: value for key, value in {**shared, **alike}.items() if value != {}} | {"cells": own}


def write(entries: Mapping[str, dict[str, Any]], root: Path = Path()) -> list[Path]:
    """Put the entries into params.yaml and their grids into grids/; the whole is validated before anything is changed.

    Entries of an earlier call are replaced; every other line of params.yaml stays as it is.

    Returns:
        The files written.
    """
    path = root / grids.PARAMS
    text = _with_block(path.read_text(encoding="utf-8"), _block(entries))
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        params.parse(read_yaml(partial), str(grids.PARAMS))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return [path, *(_write_grid(name, dataset, entries, root) for name, dataset in _trained_on(entries).items())]


def known_datasets(entries: Mapping[str, dict[str, Any]], root: Path = Path()) -> dict[str, dict[str, Any]]:
    """Keep the cells of datasets that params.yaml has."""
    known = read_yaml(root / grids.PARAMS)["datasets"]
    kept = {
        name: {**entry, "cells": {dataset: arms for dataset, arms in entry["cells"].items() if dataset in known}}
        for name, entry in entries.items()
    }
    return {name: entry for name, entry in kept.items() if entry["cells"]}


def _trained_on(entries: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Published name -> entry of `datasets` for every dataset with a cell."""
    used = {dataset for entry in entries.values() for dataset in entry["cells"]}
    return {name: dataset for name, dataset in DATASETS.items() if dataset in used}


def _write_grid(name: str, dataset: str, entries: Mapping[str, dict[str, Any]], root: Path) -> Path:
    own = {model: entry["cells"][dataset] for model, entry in entries.items() if dataset in entry["cells"]}
    arms = [guidance for guidance in GUIDANCE.values() if any(guidance in cells for cells in own.values())]
    path = root / grids.FOLDER / f"authors_{dataset}.yaml"
    text = GRID.format(name=name, dataset=dataset, models=", ".join(own), guidance=", ".join(arms))
    path.write_text(text, encoding="utf-8")
    return path


def _block(entries: Mapping[str, dict[str, Any]]) -> list[str]:
    yaml = YAML()
    yaml.width = 1000
    stream = StringIO()
    yaml.dump(_laid_out(entries), stream)
    return [BEGIN, *(f"  {line}" for line in stream.getvalue().splitlines()), END]


def _laid_out(section: Mapping[str, Any]) -> CommentedMap:
    """Sections of settings on one line each, as params.yaml has them; equal ones are written out, not pointed to."""
    laid_out = CommentedMap()
    for key, value in section.items():
        if key in ON_ONE_LINE:
            laid_out[key] = copy.deepcopy(CommentedMap(value) if isinstance(value, dict) else CommentedSeq(value))
            laid_out[key].fa.set_flow_style()
        else:
            laid_out[key] = _laid_out(value) if isinstance(value, dict) else value
    return laid_out


def _with_block(text: str, block: list[str]) -> str:
    """Replace the block of an earlier call, or append it to the section `models`."""
    lines = text.splitlines()
    if BEGIN in lines and END in lines:
        start, end = lines.index(BEGIN), lines.index(END) + 1
    elif BEGIN in lines or END in lines:
        raise InputError(f"{grids.PARAMS}: one of the marks of `fer-bench import-authors` is gone; remove the other")
    else:
        start = end = _end_of_models(lines)
    return "\n".join([*lines[:start], *block, *lines[end:]]) + "\n"


def _end_of_models(lines: list[str]) -> int:
    """Number of the line behind the last one of the section `models`."""
    start = next(number for number, line in enumerate(lines) if line.startswith("models:"))
    last = start
    for number, line in enumerate(lines[start + 1 :], start + 1):
        if line.startswith(" "):
            last = number
        elif line and not line.startswith("#"):
            break
    return last + 1
