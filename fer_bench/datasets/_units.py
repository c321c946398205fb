"""Annotated action units: what a reader of a collection returns, and the table of true units made of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.errors import InputError

LEVELS = {"A": 0.2, "B": 0.4, "C": 0.6, "D": 0.8, "E": 1.0}  # FACS: trace, slight, marked, severe, maximum
SIDES = ("left", "right", "both")
_CODE = re.compile(r"(?P<prefix>[LRUTBM]?)(?P<unit>\d{1,2})(?P<level>[A-E]?)", re.IGNORECASE)
# FACS names sides by the person, whose left is the image's right; U, T, B, M (one side, upper or lower lip, movement)
# name no side of the face.
_SIDE_OF_PREFIX = {"L": "right", "R": "left"}


@dataclass(frozen=True)
class Mark:
    """One unit that an annotator saw: FACS number, intensity in (0, 1], and the image's side or `both`."""

    unit: int
    intensity: float = 1.0
    side: str = "both"


@dataclass(frozen=True)
class Annotations:
    """What a collection says of N faces.

    rows: columns id, image (posix path below the root), name (as a file of expressions would call it), subject, label
        (expression, or "" where the collection gives none); indexed 0..N-1.
    units: FACS numbers of the columns below, ascending.
    left, right: (N, U) intensity 0..1 on the image's left and right half; 0 absent, NaN not annotated.
    files: every file that was read, relative to the root.
    """

    rows: pd.DataFrame
    units: tuple[int, ...]
    left: np.ndarray
    right: np.ndarray
    files: list[str]
    facts: dict[str, Any] = field(default_factory=dict)


def read_code(text: str, place: str) -> Mark:
    """Read a unit as FACS writes it, such as 12, L12, 4B; raises InputError naming `place`."""
    found = _CODE.fullmatch(text.strip())
    if not found:
        raise InputError(f"{place}: {text!r} is no action unit; such as 12, L12 or 4B would be")
    level = LEVELS.get(found["level"].upper(), 1.0)
    return Mark(int(found["unit"]), level, _SIDE_OF_PREFIX.get(found["prefix"].upper(), "both"))


def from_marks(rows: pd.DataFrame, marks: Sequence[Sequence[Mark]], files: list[str], **facts: Any) -> Annotations:
    """Make annotations where a unit that is not marked is absent; of one marked twice the stronger mark counts."""
    units = tuple(sorted({mark.unit for face in marks for mark in face}))
    left, right = np.zeros((2, len(marks), len(units)))
    column = {unit: place for place, unit in enumerate(units)}
    for row, face in enumerate(marks):
        for mark in face:
            for side, values in (("left", left), ("right", right)):
                if mark.side in (side, "both"):
                    values[row, column[mark.unit]] = max(values[row, column[mark.unit]], mark.intensity)
    return Annotations(rows, units, left, right, files, facts)


def units_table(
    ids: Sequence[str], units: Sequence[int], left: np.ndarray, right: np.ndarray, least: float
) -> pd.DataFrame:
    """Return the table of true units in the form of generated faces: id, au_N, au_N_left, au_N_right.

    Args:
        ids: N, of the index.
        units: U FACS numbers.
        left, right: (N, U) intensity 0..1 on the image's left and right half, NaN where not annotated.
        least: intensities below this count as absent.
    """
    table: dict[str, Any] = {"id": pd.Series(list(ids), dtype="str")}
    halves = [np.where(half < least, 0, half).astype(np.float32) for half in (left, right)]
    for place, unit in enumerate(units):
        one, other = (half[:, place] for half in halves)
        table |= {f"au_{unit}": np.fmax(one, other), f"au_{unit}_left": one, f"au_{unit}_right": other}
    return pd.DataFrame(table)
