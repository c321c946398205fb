"""Measure the generated faces with dlib, which was trained on photographs, and measure what they cost.

    python benchmarks/synthface_realism.py [--images 700] [--size 128] [--workers 2] [--out FILE.json]

Prints how many unoccluded faces of the default preset dlib's HOG detector finds, at native size and after one doubling;
the distance of its 68 points from the true ones as a share of the inter-ocular distance (outer eye corners);
milliseconds per image on one core; seconds for each preset. Needs the extra `fer_bench[landmarks-offline]`.
"""

import argparse
import json
import os
import tempfile
import time
from importlib.metadata import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface import PRESETS, SynthSettings, generate
from fer_bench.synthface.face import Face, draw_face, picture_of
from fer_bench.synthface.plan import plan_faces

TARGETS = {"found_native": 0.98, "mean_error": 0.06, "ms_per_image": 30.0, "default_set_wall_s": 60.0}
GROUPS = {
    "jaw": range(17),
    "brows": range(17, 27),
    "nose": range(27, 36),
    "eyes": range(36, 48),
    "mouth": range(48, 68),
}


def predictor_file() -> Path:
    """Find dlib's 68-point file in the package that carries it."""
    wanted = "shape_predictor_68_face_landmarks.dat"
    found = [entry for entry in files("face-recognition-models") or [] if entry.name == wanted]
    return Path(str(found[0].locate()))


def dlib_points(image: np.ndarray, detector: Any, predictor: Any) -> tuple[int, np.ndarray | None]:
    """Return the doublings that the detector needed (2: not found) and its points (68, 2)."""
    for doublings in (0, 1):
        boxes = detector(image, doublings)
        if boxes:
            shape = predictor(image, max(boxes, key=lambda box: box.area()))
            return doublings, np.array([(shape.part(k).x, shape.part(k).y) for k in range(68)], float)
    return 2, None


def relative_errors(face: Face, points: np.ndarray) -> np.ndarray:
    """(68,) distances from the truth over the distance between the outer eye corners."""
    truth = face.landmarks
    return np.hypot(*(points - truth).T) / np.hypot(*(truth[45] - truth[36]))


def realism(settings: SynthSettings) -> dict[str, Any]:
    """Detection rates and landmark errors over the faces of the training split."""
    import dlib

    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(predictor_file()))
    steps, errors, expressions = [], [], []
    for planned in plan_faces(settings):
        face = draw_face(planned, settings)
        doublings, points = dlib_points(picture_of(face)[0], detector, predictor)
        steps.append(doublings)
        if points is not None:
            errors.append(relative_errors(face, points))
            expressions.append(planned.expression)
    table, shown = np.array(errors), np.array(expressions)
    per_face = table.mean(1)
    return {
        "images": len(steps),
        "found_native": float(np.mean(np.array(steps) == 0)),
        "found_doubled": float(np.mean(np.array(steps) <= 1)),
        "mean_error": float(per_face.mean()),
        "median_error": float(np.median(per_face)),
        "error_p95": float(np.percentile(per_face, 95)),
        "error_by_part": {name: float(table[:, list(rows)].mean()) for name, rows in GROUPS.items()},
        "error_by_expression": {name: float(per_face[shown == name].mean()) for name in EXPRESSIONS},
    }


def milliseconds(settings: SynthSettings) -> float:
    """Mean processor time per image of one process, drawing and rendering, without files."""
    faces = plan_faces(settings)[:140]
    picture_of(draw_face(faces[0], settings))  # textures are made at the first image
    start = time.process_time()
    for planned in faces:
        picture_of(draw_face(planned, settings))
    return 1000 * (time.process_time() - start) / len(faces)


def set_seconds(settings: SynthSettings, workers: int) -> dict[str, float]:
    """Time to write a whole set, start of the processes included, and the processor time that it took in all."""
    with tempfile.TemporaryDirectory() as folder:
        start, before = time.perf_counter(), os.times()
        generate(settings, Path(folder), workers)
        wall, after = time.perf_counter() - start, os.times()
    used = (after.user + after.system + after.children_user + after.children_system) - (
        before.user + before.system + before.children_user + before.children_system
    )
    return {"wall_s": wall, "processor_s": used}


def main() -> None:
    """Measure, print, compare with the targets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=700)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    update = {"train": given.images, "val": 0, "test": 0, "size": given.size, "occlusion": 0.0}
    settings = PRESETS["default"].model_copy(update=update)
    report: dict[str, Any] = realism(settings) | {"size": given.size, "ms_per_image": milliseconds(settings)}
    for name, preset in PRESETS.items():
        report[f"{name}_set"] = set_seconds(preset, given.workers)
    report["targets"] = TARGETS
    text = json.dumps(report, indent=2)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
