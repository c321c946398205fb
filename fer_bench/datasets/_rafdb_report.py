"""What the preparation of RAF-DB did: the status of every face, counts, and the distance to the released landmarks."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench import registry
from fer_bench.datasets._alignment import five_points
from fer_bench.datasets._alignment_run import STATUSES, Crop

logger = logging.getLogger(__name__)
_COLUMNS = ["id", "status", "step", "faces", "overlap", "message"]
_FAR = 7.0  # px, a tenth of the template's eye distance


def write_crops(crops: Sequence[Crop], path: Path) -> None:
    """Write one row per crop: status, the detector's step, faces found, overlap with the annotated box, message."""
    frame = pd.DataFrame([[getattr(crop, name) for name in _COLUMNS] for crop in crops], columns=_COLUMNS)
    frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def summary(crops: Sequence[Crop], labels: Sequence[str], source: str) -> dict[str, Any]:
    """Count statuses (in all, per expression), steps, photographs of several faces, and faces beside the annotated box.

    A warning is logged when there is a face beside its box: it is another person's, or the order of the box is wrong.
    """
    cells = Counter(zip(labels, (crop.status for crop in crops), strict=True))
    aligned = [crop for crop in crops if crop.status == "aligned"]
    beside = [crop.id for crop in aligned if crop.overlap == 0]
    if beside:
        logger.warning("%s: %d faces do not touch their annotated boxes, see crops.csv", source, len(beside))
    return {
        "status": {status: sum(crop.status == status for crop in crops) for status in STATUSES},
        "status_by_expression": {label: {one: cells[label, one] for one in STATUSES} for label in sorted(set(labels))},
        "steps": dict(sorted(Counter(crop.step for crop in aligned).items())),
        "several_faces": sum(crop.faces > 1 for crop in crops),
        "beside_the_box": len(beside),
    }


def released_landmarks(crops: Sequence[Crop], folder: Path, source: str) -> dict[str, Any]:
    """Compare our five points in the crops with those of the released landmarks; {} where there are none.

    The released landmarks belong to the crops of the published preparation. Where they do not lie on our crops either,
    they must not be used; a warning says so.

    Returns:
        compared: images in which both know the face; median and largest tenth of the mean distance of the five points,
        in pixels of the crop; far: images beyond 7 px, a tenth of the template's eye distance.
    """
    if not any((folder / split / "landmarks.txt").is_file() for split in ("train", "test")):
        return {}
    settings = registry.settings("landmarks", "given")(file=str(folder))
    given = registry.plugin("landmarks", "given")(settings, f"{source}.folds")
    pairs = [(crop.points, given.find(crop.id, "").points) for crop in crops if crop.points is not None]
    distances = np.array(
        [np.linalg.norm(five_points(found) - ours, axis=1).mean() for ours, found in pairs if np.isfinite(found).all()]
    )
    if not len(distances):
        return {"compared": 0}
    median, tenth = (round(float(value), 2) for value in np.quantile(distances, [0.5, 0.9]))
    if median > _FAR:
        logger.warning("%s.folds: the released landmarks lie %.1f px (median) beside our crops", source, median)
    return {"compared": len(distances), "median": median, "tenth": tenth, "far": int((distances > _FAR).sum())}
