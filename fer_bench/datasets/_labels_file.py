"""The labels CSV of a folder of images: read and checked row by row, before any image is opened."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fer_bench.datasets._containment import require_inside, unsafe_names
from fer_bench.datasets._csv import read_csv, without_blank_lines
from fer_bench.datasets._text import shorten
from fer_bench.errors import InputError


def read_labels(path: Path, columns: dict[str, str], source: str) -> pd.DataFrame:
    """Read the CSV as text; `columns` maps our names (image, label, split, subject) to the file's.

    Raises:
        InputError: file missing, unreadable or without rows, a column missing, an empty cell, an image listed
            twice or outside the image folder.
    """
    table = without_blank_lines(read_csv(path, list(columns.values()), source, "csv"))
    rows = pd.DataFrame({ours: table[theirs] for ours, theirs in columns.items()}).reset_index(drop=True)
    _check_rows(rows, path, source)
    return rows


def header(path: Path) -> list[str]:
    """List the columns of a CSV; none when it cannot be read (`read_labels` then says why)."""
    try:
        return [str(column).strip() for column in pd.read_csv(path, nrows=0, encoding="utf-8-sig")]
    except (ValueError, OSError):
        return []


def image_ids(images: pd.Series) -> pd.Series:
    """Name each image by its file stem, or by its whole path where stems repeat."""
    stems = images.map(lambda name: PurePosixPath(name).stem)
    ids = stems.mask(stems.duplicated(keep=False), images)
    return ids if ids.is_unique else images


def subjects_from_names(images: pd.Series, pattern: str, source: str) -> pd.Series:
    """Take the subject from each file name: the first group of a regular expression.

    Raises:
        InputError: a file name that the pattern does not match, or matches with an empty group.
    """
    names = images.map(lambda name: PurePosixPath(name).name)
    subjects = names.str.extract(re.compile(pattern), expand=True)[0].fillna("")
    strange = names[subjects == ""].tolist()
    if strange:
        raise InputError(
            f"{source}.subject_pattern: {pattern!r} finds no subject in {len(strange)} of {len(names)} file names: "
            f"{shorten(strange)}"
        )
    return subjects


def require_files(folder: Path, names: Sequence[str], source: str, root: Path | None = None) -> None:
    """Raise InputError, with their number and the first three, when listed files are absent from the folder.

    Files that are there but lie outside the dataset (`root`, by default the folder itself) are refused as well.
    """
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise InputError(
            f"{source}: {len(absent)} of {len(names)} images named in the labels file are not in {folder}: "
            f"{shorten(absent)}"
        )
    require_inside(folder, names, folder if root is None else root, source)


def _check_rows(rows: pd.DataFrame, path: Path, source: str) -> None:
    if rows.empty:
        raise InputError(f"{source}: {path} has no rows")
    for column in ("image", "label", "split"):
        empty = np.flatnonzero(rows[column] == "")
        if len(empty):
            raise InputError(f"{source}: {path}: {len(empty)} row(s) have no {column}, the first is row {empty[0] + 1}")
    outside = unsafe_names(rows["image"])
    if outside:
        raise InputError(f"{source}: {path} names images outside the image folder: {shorten(outside)}")
    repeated = sorted(set(rows["image"][rows["image"].duplicated()]))
    if repeated:
        raise InputError(f"{source}: {path} lists images more than once: {shorten(repeated)}")
