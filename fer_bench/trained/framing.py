"""How a dataset frames its faces, measured on its training split, so that a free photograph is framed alike."""

from pathlib import Path

import numpy as np

from fer_bench import landmarks
from fer_bench.cells import landmarks_file
from fer_bench.dataset_files import DatasetFiles
from fer_bench.datasets._alignment import SIDE, TEMPLATE, five_points
from fer_bench.errors import InputError
from fer_bench.trained.about import Point

LOOKED_AT = 16  # images whose pixels tell whether a dataset is grey
_DECIMALS = 3  # pixels; finer digits differ from machine to machine
Framing = dict[str, object]  # the keys of `Preparation` that describe the crop


def framing_of(files: DatasetFiles, root: Path) -> Framing:
    """Return crop size, template, border, antialiasing, colours and origin of a dataset's crops.

    Faces that the dataset itself aligns (RAF-DB, `images: prepared`) are cut out as it does; any other dataset is
    measured: the template is where the five points lie in the median over its training faces.
    """
    if getattr(files.plugin.settings, "images", None) == "prepared":
        return {
            "crop_size": (SIDE, SIDE),
            "template": _rounded(TEMPLATE),
            "border": "black",
            "antialias": False,
            "grey": False,
            "origin": f"the template that {files.name} itself is aligned with",
        }
    return measured(files, root)


def measured(files: DatasetFiles, root: Path) -> Framing:
    """Measure the framing; InputError where no landmarks of training faces are there."""
    path = root / landmarks_file(files.name)
    if not path.is_file():
        raise InputError(f"{path}: no such file; `dvc repro landmarks@{files.name}` makes it, `dvc pull` fetches it")
    _, points, statuses = landmarks.read(path)
    train = (files.index["split"] == "train").to_numpy()
    usable = train & (statuses == "ok") & np.isfinite(points).all(axis=(1, 2))
    if not usable.any():
        raise InputError(f"{path}: no training face of {files.name} with landmarks, so its framing cannot be measured")
    sizes = files.index[["width", "height"]].to_numpy(dtype=float)
    crop = np.median(sizes[usable], axis=0).round()
    five = np.stack([five_points(face) for face in points[usable]])
    template = np.median((five + 0.5) / sizes[usable][:, None], axis=0) * crop - 0.5
    return {
        "crop_size": (int(crop[0]), int(crop[1])),
        "template": _rounded(template),
        "border": "replicate",
        "antialias": True,
        "grey": _is_grey(files, np.flatnonzero(train)),
        "origin": f"median over {int(usable.sum())} training faces of {files.name}",
    }


def _is_grey(files: DatasetFiles, rows: np.ndarray) -> bool:
    """Whether evenly chosen training images have no colours."""
    chosen = rows[np.linspace(0, len(rows) - 1, min(LOOKED_AT, len(rows))).astype(int)]
    return all(bool((image == image[..., :1]).all()) for image in map(files.image, chosen))


def _rounded(points: np.ndarray) -> tuple[Point, ...]:
    return tuple((round(float(x), _DECIMALS), round(float(y), _DECIMALS)) for x, y in points)
