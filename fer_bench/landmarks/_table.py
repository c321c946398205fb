"""The landmarks table: one row per image of the index, missing points as NaN."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.errors import InputError
from fer_bench.landmarks.base import POINTS, Detection

X = [f"x{i}" for i in range(POINTS)]
Y = [f"y{i}" for i in range(POINTS)]
BOX = ["box_x1", "box_y1", "box_x2", "box_y2"]  # left, top, right, bottom; plain x1 and y1 are landmarks
_DECIMALS = 3  # finer digits carry nothing, and differ from machine to machine


def to_frame(ids: Sequence[str], detections: Sequence[Detection], backend: str) -> pd.DataFrame:
    """Build the table: id, x0..x67, y0..y67, status, step, box, score, backend, message."""
    points = np.stack([d.points for d in detections]) if detections else np.empty((0, POINTS, 2))
    boxes = np.array([d.box for d in detections]).reshape(-1, 4)
    scores = np.array([d.score for d in detections])
    return pd.concat(
        [
            _words(id=list(ids)),
            pd.DataFrame(_rounded(np.concatenate([points[..., 0], points[..., 1]], axis=1)), columns=[*X, *Y]),
            _words(status=[d.status for d in detections], step=[d.step for d in detections]),
            pd.DataFrame(_rounded(boxes), columns=BOX),
            pd.DataFrame({"score": _rounded(scores)}),
            _words(backend=[backend] * len(detections), message=[d.message for d in detections]),
        ],
        axis=1,
    )


def _words(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.round(np.asarray(values, np.float64), _DECIMALS).astype(np.float32)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet; a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    frame.to_parquet(partial, index=False)
    partial.replace(path)


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read a landmarks table.

    Returns:
        ids (N,) str; points (N, 68, 2) float32 in pixels of the stored image, NaN when missing; statuses (N,) str.

    Raises:
        InputError: the file is missing, is no parquet, or lacks columns.
    """
    frame = read_frame(path)
    if "status" not in frame:
        raise InputError(f"{path}: column 'status' is missing; this is no table that the landmarks stage wrote")
    return frame["id"].to_numpy(str), points_of(frame), frame["status"].to_numpy(str)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a parquet file that has an id and 68 points per row."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        frame = pd.read_parquet(path)
    except Exception as error:
        raise InputError(f"{path}: not a readable parquet file ({str(error).splitlines()[0]})") from None
    missing = [name for name in ("id", *X, *Y) if name not in frame]
    if missing:
        raise InputError(f"{path}: column {missing[0]!r} is missing; needed: id, x0..x67, y0..y67")
    return frame


def points_of(frame: pd.DataFrame) -> np.ndarray:
    """Return (N, 68, 2) float32 from the columns x0..x67, y0..y67."""
    return np.stack([frame[X].to_numpy(np.float32), frame[Y].to_numpy(np.float32)], axis=-1)
