"""Write a whole set of generated faces: images, masks, ground truth and manifest, in parallel and resumable."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from fer_bench.errors import InputError
from fer_bench.synthface.face import draw_face, ground_truth, picture_of
from fer_bench.synthface.plan import PlannedFace, plan_faces
from fer_bench.synthface.settings import SynthSettings

GENERATOR = 1  # raise it when a change of the code changes any pixel or landmark: older images are then made anew
_CHUNK = 16  # faces per task
_PNG_END = b"IEND\xaeB`\x82"

Row = dict[str, object]


def generate(settings: SynthSettings, out: Path, workers: int = 0, progress: bool = True) -> pd.DataFrame:
    """Make the set in the folder `out` and return its index.

    Writes images/ID.png, masks/ID.png (alpha mask of the visible face), ground_truth.parquet and manifest.json. Images
    left behind by an interrupted run with the same settings and versions are kept, those of any other run removed.

    workers: processes; 0 means one per usable core, 1 stays in this process. The result does not depend on it.
    Returns columns id, path, label, split, subject, width, height, sha256 (of the image file).
    Raises InputError when `out` is a file or `workers` is negative.
    """
    if workers < 0:
        raise InputError(f"generated faces: workers={workers}; give 0 (one per core) or a positive number")
    faces = plan_faces(settings)
    _open_folder(out, _manifest(settings, len(faces)))
    done = tqdm(total=len(faces), desc="faces", unit="image", disable=not progress)
    rows: list[tuple[Row, Row]] = []
    with done:
        for part in _made(faces, settings, out, workers or _usable_cores()):
            rows += part
            done.update(len(part))
    index, truth = (pd.DataFrame([pair[k] for pair in rows]) for k in (0, 1))
    partial_file = out / "ground_truth.parquet.part"
    _narrow(truth).to_parquet(partial_file, index=False)
    partial_file.replace(out / "ground_truth.parquet")
    return index


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _manifest(settings: SynthSettings, images: int) -> str:
    """Text of the manifest: what the pixels depend on, and its hash; no time, host or path."""
    made_of = {
        "generator": GENERATOR,
        "settings": settings.model_dump(mode="json"),
        "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
    }
    config_hash = sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return json.dumps(made_of | {"images": images, "config_hash": config_hash}, indent=2, sort_keys=True) + "\n"


def _open_folder(out: Path, manifest: str) -> None:
    """Make the folder; unless it belongs to the very same set, empty it before the new manifest is written."""
    if out.exists() and not out.is_dir():
        raise InputError(f"generated faces: {out} is a file; give a folder")
    path = out / "manifest.json"
    if not path.is_file() or path.read_text() != manifest:
        for stale in [*out.glob("images/*.png"), *out.glob("masks/*.png"), out / "ground_truth.parquet"]:
            stale.unlink(missing_ok=True)
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    path.write_text(manifest)


def _made(
    faces: list[PlannedFace], settings: SynthSettings, out: Path, workers: int
) -> Iterator[list[tuple[Row, Row]]]:
    chunks = [faces[start : start + _CHUNK] for start in range(0, len(faces), _CHUNK)]
    task = partial(_make_chunk, settings=settings, out=out)
    if min(workers, len(chunks)) == 1:
        yield from map(task, chunks)
        return
    # Fresh processes: forking one that runs threads (PyTorch, OpenCV) may hang.
    with ProcessPoolExecutor(min(workers, len(chunks)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(task, chunks)


def _make_chunk(chunk: list[PlannedFace], settings: SynthSettings, out: Path) -> list[tuple[Row, Row]]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the pool uses all cores already
    try:
        return [_make(planned, settings, out) for planned in chunk]
    finally:
        cv2.setNumThreads(threads)


def _make(planned: PlannedFace, settings: SynthSettings, out: Path) -> tuple[Row, Row]:
    face = draw_face(planned, settings)
    image, mask = (out / folder / f"{planned.id}.png" for folder in ("images", "masks"))
    if not (_complete(image) and _complete(mask)):
        pixels, visible = picture_of(face)
        _write_png(mask, visible)
        _write_png(image, pixels[..., ::-1])
    index: Row = {
        "id": planned.id,
        "path": f"images/{planned.id}.png",
        "label": face.label,
        "split": planned.split,
        "subject": planned.subject,
        "width": settings.size,
        "height": settings.size,
        "sha256": sha256(image.read_bytes()).hexdigest(),
    }
    return index, ground_truth(face)


def _complete(path: Path) -> bool:
    return path.is_file() and path.read_bytes().endswith(_PNG_END)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    """Write at once or not at all: a killed run leaves no half image under its final name."""
    encoded = cv2.imencode(".png", np.ascontiguousarray(pixels), [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
    partial_file = path.with_suffix(".part")
    partial_file.write_bytes(encoded.tobytes())
    partial_file.replace(path)


def _narrow(truth: pd.DataFrame) -> pd.DataFrame:
    """Store numbers as float32; rounding to 0.01 px survives it."""
    return truth.astype({name: np.float32 for name in truth.columns if truth[name].dtype == np.float64})
