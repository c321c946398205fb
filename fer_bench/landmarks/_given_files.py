"""Files of landmarks: parquet, CSV with a header, and landmarks.txt as published by the authors of the paper."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fer_bench.errors import InputError
from fer_bench.landmarks._table import X, Y, points_of, read_frame
from fer_bench.landmarks.base import POINTS, STATUSES

_FIELDS = 1 + 2 * POINTS  # of a line of landmarks.txt: id, x_0..x_67, y_0..y_67
Given = tuple[list[str], np.ndarray, list[str]]
Pick = Callable[[list[str]], tuple[str, list[str], str]]  # fields -> id, 136 numbers as text, status


def read_given(path: Path) -> Given:
    """Read ids, points (N, 68, 2) float32 in pixels (NaN = no face) and statuses ("" where the file has none).

    landmarks.txt (method of arXiv 2402.00281, released fold files) has 137 comma-separated fields and no header: id,
    all x, all y; `inf` everywhere means no face. A CSV has a header with id, x0..x67, y0..y67 and may have status.

    Raises:
        InputError: names file and line: wrong number of fields, no number, a face known in part, an id given twice.
    """
    if path.suffix == ".parquet":
        frame = read_frame(path)
        missing = [name for name in ("id", *X, *Y) if name not in frame]
        if missing:
            raise InputError(f"{path}: column {missing[0]!r} is missing; needed: id, x0..x67, y0..y67")
        ids, points = list(frame["id"].astype(str)), points_of(frame)
        statuses = list(frame["status"].astype(str)) if "status" in frame else [""] * len(ids)
        places = [f"{path}, row {row}" for row in range(len(ids))]
    else:
        ids, points, statuses, places = _read_text(path)
    if not ids:
        raise InputError(f"{path}: no rows")
    return _checked(ids, points, statuses, places)


def _read_text(path: Path) -> tuple[list[str], np.ndarray, list[str], list[str]]:
    """Return ids, points (N, 68, 2), statuses and the place of each row."""
    ids, numbers, statuses, places = [], [], [], []
    try:
        for place, (name, values, status) in _rows(path):
            ids.append(name)
            numbers.append(_floats(values, place))
            statuses.append(status)
            places.append(place)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; parquet needs the ending .parquet") from None
    except csv.Error as error:
        raise InputError(f"{path}: not readable as lines of numbers: {error}") from None
    flat = np.array(numbers, np.float32).reshape(-1, 2, POINTS)
    return ids, flat.transpose(0, 2, 1), statuses, places


def _rows(path: Path) -> Iterator[tuple[str, tuple[str, list[str], str]]]:
    """Yield (file and line, fields by meaning) for each line that is not blank."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        pick: Pick | None = None
        for fields in reader:
            place = f"{path}, line {reader.line_num}"
            if not fields:
                continue
            if pick is None and "id" in [field.strip() for field in fields]:
                pick = _by_header([field.strip() for field in fields], place)
                continue
            pick = pick or _by_position
            try:
                yield place, pick(fields)
            except IndexError:
                wanted = _FIELDS if pick is _by_position else "as many as the header"
                raise InputError(f"{place}: {len(fields)} fields, expected {wanted}") from None


def _by_position(fields: list[str]) -> tuple[str, list[str], str]:
    if len(fields) != _FIELDS:
        raise IndexError
    return fields[0].strip(), fields[1:], ""


def _by_header(header: list[str], place: str) -> Pick:
    missing = [name for name in ("id", *X, *Y) if name not in header]
    if missing:
        raise InputError(f"{place}: column {missing[0]!r} is missing; needed: id, x0..x67, y0..y67")
    columns = [header.index(name) for name in (*X, *Y)]
    at_id, at_status = header.index("id"), header.index("status") if "status" in header else None

    def pick(fields: list[str]) -> tuple[str, list[str], str]:
        if len(fields) != len(header):
            raise IndexError
        status = "" if at_status is None else fields[at_status].strip()
        return fields[at_id].strip(), [fields[column] for column in columns], status

    return pick


def _floats(values: list[str], place: str) -> list[float]:
    """Read 136 numbers; empty means missing."""
    try:
        return [float(value) if value.strip() else np.nan for value in values]
    except ValueError as error:
        raise InputError(f"{place}: {error}; expected 136 numbers, `inf` or nothing where there is no face") from None


def _checked(ids: list[str], points: np.ndarray, statuses: list[str], places: list[str]) -> Given:
    """Refuse faces known in part, ids given twice and unknown statuses; replace inf by NaN."""
    finite = np.isfinite(points).reshape(len(points), -1)
    seen: dict[str, str] = {}
    for name, count, status, place in zip(ids, finite.sum(axis=1), statuses, places, strict=True):
        if 0 < count < 2 * POINTS:
            raise InputError(f"{place}: id {name!r} has {count} of {2 * POINTS} numbers; give all, or none")
        if name in seen:
            raise InputError(f"{place}: id {name!r} was given before, in {seen[name]}")
        if status and status not in STATUSES:
            raise InputError(f"{place}: status {status!r}; known: {', '.join(STATUSES)}")
        seen[name] = place
    return ids, np.where(np.isfinite(points), points, np.nan).astype(np.float32), statuses
