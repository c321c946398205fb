"""Where RAF-DB's files lie, and how its label, box and point files are read."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from fer_bench.datasets._text import shorten
from fer_bench.errors import InputError

LABELS = "basic/EmoLabel/list_patition_label.txt"  # the dataset's own spelling
BOXES = "basic/Annotation/boundingbox/{}_boundingbox.txt"
POINTS = "basic/Annotation/manual/{}_manu_attri.txt"
IMAGES = {
    "prepared": "basic/Image/original/{}.jpg",
    "original": "basic/Image/original/{}.jpg",
    "aligned": "basic/Image/aligned/{}_aligned.jpg",
    "published": "basic/Image/our_aligned/{}.jpg",
}
EXPRESSIONS_BY_ID = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
OBTAIN = "RAF-DB comes from its authors on request; docs/datasets_rafdb.md says which files go where"
_FARTHEST = 10**9  # pixels; a number beyond it is no edge of a box
BoxOrder = Literal["correct", "swapped"]
_NAME = re.compile(r"[^/\\]{1,60}\.jpg")  # no path, and short enough for every file system


def read_rows(root: Path, source: str) -> pd.DataFrame:
    """Read the label file: columns id (file name without .jpg), label (expression), split, subject (unknown, "").

    Raises:
        InputError: no such file, a malformed line, an unknown label, a name that begins neither with train nor with
            test, or an image listed twice; each with its line number.
    """
    path = root / LABELS
    if not path.is_file():
        where = "; give the folder that holds `basic`, not `basic` itself" if (root / "EmoLabel").is_dir() else ""
        raise InputError(f"{source}.root: no file {path}{where}; {OBTAIN}")
    rows: list[tuple[str, str, str, str]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        if line.strip():
            name, label, split = _parse(line, f"{path}, line {number}")
            if name in seen:
                raise InputError(f"{path}, line {number}: {name}.jpg was listed before, in line {seen[name]}")
            seen[name] = number
            rows.append((name, label, split, ""))
    return pd.DataFrame(rows, columns=["id", "label", "split", "subject"])


def _parse(line: str, place: str) -> tuple[str, str, str]:
    fields = line.split()
    if len(fields) != 2 or not _NAME.fullmatch(fields[0]):
        raise InputError(f"{place}: {line.strip()!r} is not `NAME.jpg LABEL`")
    name, label = fields[0].removesuffix(".jpg"), fields[1]
    if label not in EXPRESSIONS_BY_ID:
        known = ", ".join(f"{key} {word}" for key, word in EXPRESSIONS_BY_ID.items())
        raise InputError(f"{place}: unknown label {label!r}; known: {known}")
    split = next((word for word in ("train", "test") if name.startswith(word)), None)
    if split is None:
        raise InputError(f"{place}: {fields[0]!r} begins neither with train nor with test, so its split is not known")
    return name, EXPRESSIONS_BY_ID[label], split


def read_boxes(root: Path, ids: Sequence[str], order: BoxOrder, source: str) -> np.ndarray:
    """Read the annotated boxes (N, 4): left, top, right, bottom in whole pixels of the photograph, not below 0.

    Args:
        order: `correct`: the files give left, top, right, bottom; `swapped`: top, left, bottom, right.

    Raises:
        InputError: files that are absent, or the first one without four numbers that span an area.
    """
    _require(root, BOXES, ids, f"{source}: boxes of {{}} of {{}} images are absent")
    boxes = np.array([_read_box(root / BOXES.format(name)) for name in ids], dtype=np.int64).reshape(-1, 4)
    return boxes if order == "correct" else boxes[:, [1, 0, 3, 2]]


def _read_box(path: Path) -> list[int]:
    """Read the first four numbers of the first line, cut to whole pixels as the published preparation does."""
    line = (path.read_text(encoding="utf-8-sig", errors="replace").splitlines() or [""])[0]
    try:
        first, second, third, fourth = (int(max(float(field), 0)) for field in line.split()[:4])
        if max(third, fourth) > _FARTHEST:
            raise ValueError
    except (ValueError, OverflowError):
        raise InputError(f"{path}, line 1: {line!r} does not begin with four numbers") from None
    if third <= first or fourth <= second:
        raise InputError(f"{path}, line 1: {line!r} spans no area; expected left, top, right, bottom")
    return [first, second, third, fourth]


def read_points(root: Path, ids: Sequence[str]) -> np.ndarray:
    """Read the annotated five points (N, 5, 2), x right, y down, pixels; NaN where an image has no such file.

    Raises:
        InputError: the first file whose first five lines are not two numbers each.
    """
    return np.array([_read_five(root / POINTS.format(name)) for name in ids], dtype=np.float64).reshape(-1, 5, 2)


def require_points(root: Path, ids: Sequence[str], source: str) -> None:
    """Raise InputError when an image has no file of annotated points."""
    _require(root, POINTS, ids, f"{source}.points: annotated points of {{}} of {{}} images are absent")


def _read_five(path: Path) -> list[list[float]]:
    if not path.is_file():
        return [[np.nan, np.nan]] * 5
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()[:5]
    try:
        points = [[float(x), float(y)] for x, y in (line.split() for line in lines)]
    except ValueError:
        points = []
    if len(points) != 5 or not np.isfinite(points).all():
        raise InputError(f"{path}: expected the x and y of a point in each of the first five lines, found {lines!r}")
    return points


def _require(root: Path, pattern: str, ids: Sequence[str], message: str) -> None:
    absent = [name for name in (pattern.format(one) for one in ids) if not (root / name).is_file()]
    if absent:
        raise InputError(f"{message.format(len(absent), len(ids))} from {root}: {shorten(absent)}; {OBTAIN}")
