"""Photographs to aligned face crops: find the face that is meant, bring it onto the template, store it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL

from fer_bench import registry
from fer_bench.datasets._alignment import Box, align, crop_box
from fer_bench.datasets._alignment_faces import KIND, Meant, detector, loaded, meant
from fer_bench.datasets._alignment_store import file_hash, read_record, remove_others, write_crop
from fer_bench.datasets._images import read_image
from fer_bench.datasets._parallel import parallel_map

STATUSES = ("aligned", "box_crop")
_DECIMALS = 3  # of detected points: finer digits differ from machine to machine
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Photograph:
    """One image to be prepared.

    id: names the crop.
    path: below the folder of photographs; sha256 of that file.
    box: annotated face, pixels.
    points: annotated five points, or None where a detector shall find them.
    """

    id: str
    path: str
    sha256: str
    box: Box
    points: Points | None = None


@dataclass(frozen=True)
class Recipe:
    """How faces are found; `key` hashes all that a crop depends on besides its photograph.

    detector: a landmark backend, or "" where all points are annotated; settings, identity: its own, as JSON.
    """

    detector: str
    settings: str
    source: str
    min_overlap: float
    key: str
    identity: str
    one_process: bool


@dataclass(frozen=True)
class Crop:
    """A stored crop: `aligned`, or `box_crop` (the annotated box, since no face was found); see `Meant` for the rest.

    points: the five points in pixels of the crop; None for a box_crop.
    """

    id: str
    sha256: str
    status: str
    step: str
    faces: int
    overlap: float | None
    message: str
    points: Points | None


def recipe(name: str, settings: Mapping[str, Any], source: str, min_overlap: float) -> Recipe:
    """Fix how faces are found; raises InputError when the detector cannot be built here."""
    engine = detector(name, settings, source) if name else None
    identity = engine.identity() if engine else {}
    made_of = {
        "detector": [name, identity, min_overlap],
        "code": _code_hashes(name),
        "versions": {"opencv": cv2.__version__, "pillow": PIL.__version__},
    }
    key = sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
    alone = engine is not None and engine.processes(2) == 1  # a GPU is not shared
    return Recipe(name, json.dumps(dict(settings)), source, min_overlap, key, json.dumps(identity), alone)


def prepare_crops(
    photographs: Sequence[Photograph], how: Recipe, folder: Path, out: Path, workers: int, progress: bool
) -> list[Crop]:
    """Store the crop of each photograph as `out`/ID.png, in several processes; other crops in `out` are removed.

    What an earlier run made in the same way is kept. The result depends neither on workers nor on interruptions.
    """
    remove_others(out, {f"{one.id}.png" for one in photographs})
    work = partial(_prepare, how=how, folder=folder, out=out)
    return parallel_map(work, photographs, 1 if how.one_process else workers, progress, "aligning faces")


def _prepare(photograph: Photograph, how: Recipe, folder: Path, out: Path) -> Crop:
    path, key = out / f"{photograph.id}.png", _key(photograph, how)
    record = read_record(path, key)
    if record is None:
        crop, record = _make(photograph, how, read_image(folder / photograph.path))
        write_crop(path, crop, record | {"key": key})
    facts = {name: value for name, value in record.items() if name not in ("key", "points")}
    points = record["points"] and tuple((x, y) for x, y in record["points"])
    return Crop(photograph.id, file_hash(path), points=points, **facts)


def _make(photograph: Photograph, how: Recipe, image: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    face = _face(photograph, how, image)
    record = {"step": face.step, "faces": face.faces, "overlap": face.overlap, "message": face.message}
    if face.points is not None:
        try:
            crop, points = align(image, np.round(face.points, _DECIMALS))
            return crop, record | {"status": "aligned", "points": np.round(points, _DECIMALS).tolist()}
        except ValueError as error:
            record["message"] = str(error)
    return crop_box(image, photograph.box), record | {"status": "box_crop", "points": None}


def _face(photograph: Photograph, how: Recipe, image: np.ndarray) -> Meant:
    if photograph.points is not None:
        return Meant(np.array(photograph.points), step="annotated")
    return meant(loaded(how.detector, how.settings, how.source), image, photograph.box, how.min_overlap)


def _key(photograph: Photograph, how: Recipe) -> str:
    parts = json.dumps([how.key, photograph.sha256, photograph.box, photograph.points])
    return sha256(parts.encode()).hexdigest()[:16]


def _code_hashes(name: str) -> dict[str, str]:
    """Hash the sources of the preparation and of the detector, other detectors left out."""
    files = sorted(Path(__file__).parent.glob("_alignment*.py"))
    if name:
        folder = Path(str(registry.module(KIND, name).__file__)).parent
        others = set(registry.names(KIND)) - {name}
        files += [file for file in sorted(folder.glob("*.py")) if file.stem not in others]
    return {file.name: file_hash(file) for file in files}
