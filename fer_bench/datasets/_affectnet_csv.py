"""The older AffectNet release: training.csv and validation.csv with boxes and 68 landmarks in whole photographs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets._csv import require_columns, require_one_width
from fer_bench.datasets._text import one_line
from fer_bench.errors import InputError

COLUMNS = [
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height",
    "facial_landmarks", "expression", "valence", "arousal",
]  # fmt: skip
_BOX = COLUMNS[1:5]
_USED = COLUMNS[:7]
_LINES = 20_000  # read at a time: the landmarks of all 420,000 lines as text would take a gigabyte


def read_split(path: Path, kept: int, source: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read one CSV.

    Args:
        path: training.csv or validation.csv, with or without its header.
        kept: class numbers from this one on are listed, but box and landmarks of their lines are not read.
        source: where the dataset stands in params.yaml.

    Returns:
        Rows with columns image (as the file names it), number (0..10), left, top, right, bottom (pixels of the
        photograph), and landmarks (N, 68, 2) float32 in pixels of the photograph, NaN in lines that are not kept.

    Raises:
        InputError: the file is missing or of another form; a line, named by its number, without box or 68 points.
    """
    parts = [_read_lines(lines, first, path, kept, source) for first, lines in _chunks(path, source)]
    if not parts:
        raise InputError(f"{source}: {path} has no rows")
    rows, points = zip(*parts, strict=True)
    return pd.concat(rows, ignore_index=True), np.concatenate(points)


def _chunks(path: Path, source: str) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield (number of the first line, lines as text)."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            headed = file.readline().startswith(COLUMNS[0])
        reader = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", chunksize=_LINES, skip_blank_lines=False,
            header=0 if headed else None, names=None if headed else COLUMNS,
        )  # fmt: skip
        for lines in reader:
            require_one_width(lines, path, source)
            require_columns(lines, _USED, path, source)
            if len(lines):
                yield int(lines.index[0]) + (2 if headed else 1), lines.fillna("")
    except FileNotFoundError:
        raise InputError(
            f"{source}.root: no file {path}; the root of this release holds training.csv, validation.csv and the "
            "folder of images (the newer release has train_set and val_set: `release: npy`)"
        ) from None
    except (ValueError, OSError) as error:
        raise InputError(f"{source}: {path} is not a readable CSV: {one_line(error)}") from error


def _read_lines(lines: pd.DataFrame, first: int, path: Path, kept: int, source: str) -> tuple[pd.DataFrame, np.ndarray]:
    number = pd.to_numeric(lines["expression"], errors="coerce")
    _refuse(lines, ~number.isin(range(11)), "expression", "is no class number (0..10)", (first, path, source))
    rows = pd.DataFrame({"image": lines[COLUMNS[0]].str.strip(), "number": number.astype(int)})
    used = number < kept
    box = lines[_BOX].apply(pd.to_numeric, errors="coerce").astype(float).where(used)
    wrong = used & ~np.isfinite(box).all(axis=1)
    _refuse(lines, wrong, _BOX[0], "or another side of its box is no number", (first, path, source))
    rows["left"], rows["top"] = box["face_x"], box["face_y"]
    rows["right"], rows["bottom"] = box["face_x"] + box["face_width"], box["face_y"] + box["face_height"]
    texts = zip(lines["facial_landmarks"], used, strict=True)
    points = [_points(text) if wanted else _NOWHERE for text, wanted in texts]
    broken = pd.Series([found is None for found in points], lines.index)
    _refuse(lines, broken, "facial_landmarks", "is not 68 points x;y;...", (first, path, source))
    return rows.reset_index(drop=True), np.array(points, np.float32).reshape(-1, 68, 2)


_NOWHERE = np.full(136, np.nan, np.float32)


def _points(text: str) -> np.ndarray | None:
    """Read x;y;x;y;... as 136 numbers; None when it is anything else."""
    try:
        values = np.array(text.split(";"), np.float32)
    except ValueError:
        return None
    return values if len(values) == 136 and np.isfinite(values).all() else None


def _refuse(lines: pd.DataFrame, wrong: pd.Series, column: str, what: str, where: tuple[int, Path, str]) -> None:
    first, path, source = where
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        given = lines[column].iloc[row][:60]
        raise InputError(f"{source}: {path}, line {first + row}: {column} {given!r} {what} ({wrong.sum()} such lines)")
