"""A sheet on which guidance can be checked by eye: one face per expression, and the map that each entry draws on it."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_bench import registry
from fer_bench.au.preview import preview_sheet
from fer_bench.cells import PLAN
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError
from fer_bench.guidance.base import GuidanceBase
from fer_bench.params import Params
from fer_bench.split_maps import SplitMaps

WIDTH = 560  # pixels of the sheet
COLOURS = 128


def guidance_sheet(guidances: Mapping[str, GuidanceBase], files: DatasetFiles, path: Path) -> None:
    """Write a PNG: columns are expressions, rows the image, its landmarks, and the map of each guidance.

    Args:
        guidances: word of the row -> guidance with maps.
        files: prepared files of a dataset; the first test face of each expression with landmarks is taken.
        path: the PNG.

    Raises:
        InputError: the images may not be shown.
    """
    if not files.plugin.publishable_images:
        raise InputError(f"dataset {files.name}: its images may not be shown, so there is no sheet of them")
    split = SplitMaps(files, files.faces("test"))
    rows = _first_of_each(split)
    images = [files.image(row) for row in split.faces.frame.index[rows]]
    side = images[0].shape[0]
    maps = {word: guidance.maps(split)(rows, side)[0].numpy() for word, guidance in guidances.items()}
    names = [split.expressions[split.labels[row]] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "sheet.png"
        preview_sheet(images, split.points()[rows] * side - 0.5, maps, names, large)
        _save_small(large, path)


def of_params(params: Params, dataset: str, names: Sequence[str], path: Path, root: Path = Path()) -> None:
    """Write the sheet of entries of the section `guidance`, on a dataset that the stage heatmaps has prepared."""
    entry = json.loads((root / PLAN / "heatmaps" / f"{dataset}.json").read_text(encoding="utf-8"))
    guidances = {
        f"map: {name}": registry.plugin("guidance", params.guidance_plugin(name))(params.guidance[name])
        for name in names
    }
    guidance_sheet(guidances, DatasetFiles(entry["dataset"], root), path)


def _first_of_each(split: SplitMaps) -> np.ndarray:
    """Rows of the first face of each class that has landmarks."""
    found = np.isfinite(split.points()).all(axis=(1, 2))
    hits = [np.flatnonzero(found & (split.labels == label)) for label in np.unique(split.labels)]
    return np.array([int(rows[0]) for rows in hits if len(rows)])


def _save_small(source: Path, path: Path) -> None:
    """Reduce a sheet to a size for a page, with a palette."""
    with Image.open(source) as sheet:
        height = round(sheet.height * WIDTH / sheet.width)
        small = sheet.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    small.quantize(COLOURS).save(path, optimize=True)
