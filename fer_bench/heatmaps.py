"""The compact action unit maps of a dataset, and a sheet on which they can be checked by eye."""

from pathlib import Path
from typing import Any

import numpy as np

from fer_bench import landmarks
from fer_bench.au import store
from fer_bench.au.preview import preview_sheet
from fer_bench.cells import PRIVATE, landmarks_file
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, NEUTRAL

PREVIEW_SIDE = 224


def make(entry: dict[str, Any], progress: bool = True, root: Path = Path()) -> None:
    """Write data/heatmaps/DATASET of a plan entry (data/plan/heatmaps/DATASET.json).

    The preview sheet lies in the same folder, or in results/private where the images may not be shown.
    """
    files = DatasetFiles(entry["dataset"], root)
    table = landmarks_file(files.name)
    ids, points, _ = landmarks.read(root / table)
    if list(ids) != list(files.index["id"]):
        raise InputError(f"{table}: its faces are not those of the index; run `dvc repro landmarks@{files.name}`")
    sizes = files.index[["height", "width"]].to_numpy()
    store.write(
        list(ids), points, sizes, files.heatmaps, entry["variants"], progress=progress, paper_side=entry["paper_side"]
    )
    private = root / PRIVATE / files.name / "heatmaps_preview.png"
    sheet = files.heatmaps / "preview.png" if files.plugin.publishable_images else private
    sheet.parent.mkdir(parents=True, exist_ok=True)
    write_preview(files, points, entry["variants"], sheet)


def write_preview(files: DatasetFiles, points: np.ndarray, variants: list[str], path: Path) -> None:
    """Draw the first face with landmarks of each expression: image, landmarks, map of each variant."""
    found = np.isfinite(points).all(axis=(1, 2))
    rows = [
        int(hits[0])
        for name in EXPRESSIONS
        if name != EXPRESSIONS[NEUTRAL]
        and len(hits := np.flatnonzero(found & (files.index["label"] == name).to_numpy()))
    ]
    if not rows:
        raise InputError(f"dataset {files.name}: no face of any expression has landmarks, so there is no map at all")
    labels = [str(files.index["label"].iloc[row]) for row in rows]
    images = [files.image(row) for row in rows]
    side = (PREVIEW_SIDE, PREVIEW_SIDE)
    maps = {name: files.store(name).maps(rows, labels, side)[0].numpy() for name in variants}
    preview_sheet(images, points[rows], maps, labels, path)
