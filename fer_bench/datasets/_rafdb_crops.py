"""From RAF-DB's photographs to aligned crops: everything that can be refused first, then the work and its report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.datasets import _rafdb_annotations as annotations
from fer_bench.datasets._alignment import SIDE
from fer_bench.datasets._alignment_run import Crop, Photograph, Points, Recipe, prepare_crops, recipe
from fer_bench.datasets._rafdb_boxes import check_order
from fer_bench.datasets._rafdb_report import released_landmarks, summary
from fer_bench.datasets._rafdb_settings import RafdbSettings


@dataclass(frozen=True)
class Preparation:
    """Annotations that were read and a detector that can be built; see `ready`."""

    root: Path
    settings: RafdbSettings
    source: str
    found: annotations.Annotations
    how: Recipe


def ready(root: Path, ids: list[str], settings: RafdbSettings, source: str) -> Preparation:
    """Read the annotations of the images and fix how faces are found; InputError for whatever is wrong with either."""
    found = annotations.read_annotations(root, ids, settings, source)
    detector = settings.detector if settings.detects else ""
    how = recipe(detector, settings.detector_settings, f"{source}.detector_settings", settings.min_overlap)
    return Preparation(root, settings, source, found, how)


def store_crops(
    preparation: Preparation, frame: pd.DataFrame, store: Path, workers: int, progress: bool
) -> tuple[pd.DataFrame, list[Crop], dict[str, Any]]:
    """Store the crop of each photograph as `store`/images/ID.png.

    Args:
        preparation: of the ids of `frame`, in its order.
        frame: the index of the photographs, paths below the root.
        store: folder that the paths of the new index start from.

    Returns:
        The index of the crops, the crops, and what the manifest says of them.
    """
    p, settings = preparation, preparation.settings
    order = check_order(
        p.found.boxes, p.found.points, frame[["width", "height"]].to_numpy(), settings.box_order, p.source
    )
    crops = prepare_crops(_photographs(frame, p), p.how, p.root, store / "images", workers, progress)
    facts: dict[str, Any] = {"box_order": order, "crops": summary(crops, frame["label"].tolist(), p.source)}
    facts["detector"] = json.loads(p.how.identity)
    if settings.folds is not None:
        folder = annotations.folds_folder(p.root, settings)
        facts["released_landmarks"] = released_landmarks(crops, folder, p.source)
    paths, hashes = [f"images/{crop.id}.png" for crop in crops], [crop.sha256 for crop in crops]
    return frame.assign(path=paths, width=SIDE, height=SIDE, sha256=hashes), crops, facts


def _photographs(frame: pd.DataFrame, preparation: Preparation) -> list[Photograph]:
    given = preparation.settings.points == "annotated"
    files = zip(frame["id"], frame["path"], frame["sha256"], strict=True)
    annotated = zip(preparation.found.boxes.tolist(), preparation.found.points.tolist(), strict=True)
    photographs = []
    for (name, path, sha256), (box, five) in zip(files, annotated, strict=True):
        left, top, right, bottom = box
        points: Points | None = tuple((x, y) for x, y in five) if given else None
        photographs.append(Photograph(name, path, sha256, (left, top, right, bottom), points))
    return photographs
