"""What the stage `hygiene` found in the datasets of a grid, as tables need it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.report._integrity import check

SUMMARIES = Path("results/hygiene")


@dataclass(frozen=True)
class Hygiene:
    """One dataset.

    splits: split -> counts, as `fer_bench.hygiene.find` gives them. near_distance: bits that may differ between
    near-identical images. without_landmarks: ids of all images that have none.
    """

    splits: Mapping[str, Mapping[str, Any]]
    near_distance: int
    without_landmarks: frozenset[str]


def read(plan: Mapping[str, Any], root: Path) -> dict[str, Hygiene]:
    """Read results/hygiene/DATASET.json of every test dataset of a plan that has one.

    Raises:
        InputError: a file that cannot be read, or whose list of images is missing or has changed.
    """
    paths = {name: SUMMARIES / f"{name}.json" for name in plan["test_datasets"]}
    return {name: _read(root, path) for name, path in paths.items() if (root / path).is_file()}


def _read(root: Path, path: Path) -> Hygiene:
    try:
        content = json.loads((root / path).read_text(encoding="utf-8"))
        splits, distance, (named,) = content["splits"], content["near_distance"], content["files"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not readable as counts of a dataset ({error}); run `dvc repro hygiene`") from error
    listed = pd.read_csv(check(root, named, str(path), "hygiene"), dtype=str, keep_default_na=False)
    return Hygiene(splits, int(distance), frozenset(listed["id"]))
