"""Which face of a photograph is meant, by its annotated box; detectors are the landmark backends, taken by name."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing import parent_process
from typing import Any

import numpy as np

from fer_bench import registry
from fer_bench.datasets._alignment import Box, five_points, overlap
from fer_bench.validation import validate

KIND = "landmarks"


@dataclass(frozen=True, eq=False)
class Meant:
    """The face that was chosen.

    points: its five points (5, 2) in pixels of the photograph; None when there is none.
    faces: how many the detector found.
    overlap: intersection over union of the best face and the annotated box; None without a face.
    step: of the detector; "" without a face.
    message: one line for a reader, "" when there is nothing to say.
    """

    points: np.ndarray | None
    faces: int = 0
    overlap: float | None = None
    step: str = ""
    message: str = ""


def lists_faces(name: str) -> bool:
    """Tell whether a landmark backend of that name can list every face of an image."""
    return name in registry.names(KIND) and bool(registry.plugin(KIND, name).lists_faces)


def detectors() -> list[str]:
    """List the landmark backends that can."""
    return [name for name in registry.names(KIND) if lists_faces(name)]


def detector(name: str, settings: Mapping[str, Any], source: str) -> Any:
    """Build a detector; raises InputError for a wrong setting, a missing package or missing weights."""
    chosen = validate(registry.settings(KIND, name, source), settings, source)
    return registry.plugin(KIND, name, source)(chosen, source)


@cache
def loaded(name: str, settings: str, source: str) -> Any:
    """Build a detector from settings as JSON and load its models, once per process."""
    if parent_process() is not None:  # one of several: those that use several threads each are many times slower
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
            os.environ[variable] = "1"
    found = detector(name, json.loads(settings), source)
    found.load()
    return found


def meant(engine: Any, image: np.ndarray, box: Box, min_overlap: float) -> Meant:
    """Choose the face whose box overlaps most with the annotated one; equal ones: the leftmost, then the topmost.

    A detector that fails on an image finds no face there, as in the published preparation; the message says why.

    Args:
        engine: a loaded detector.
        image: (H, W, 3) uint8 RGB.
        box: annotated, in pixels of the image.
        min_overlap: a best face with less than this intersection over union is not the one that is meant.
    """
    try:
        faces = engine.faces(image)
    except Exception as error:  # detectors fail in their own ways on odd images, and one image must not end the run
        return Meant(None, message=" ".join(f"the detector failed: {type(error).__name__}: {error}".split()))
    if not faces:
        return Meant(None, message="no face found")
    boxes = np.array([face.box for face in faces])
    shares = overlap(box, boxes)
    best = int(np.lexsort((boxes[:, 1], boxes[:, 0], -shares))[0])
    share = round(float(shares[best]), 4)
    if share < min_overlap:
        return Meant(None, len(faces), share, message=f"no face overlaps the annotated box by {min_overlap}")
    return Meant(five_points(faces[best].points), len(faces), share, faces[best].step)
