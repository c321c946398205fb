"""BP4D: per subject and task a CSV of frames and units; 1 there, 0 not there, 9 not known."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets._csv import require_one_width
from fer_bench.datasets._frames import frame_rows
from fer_bench.datasets._lines import require_folder
from fer_bench.datasets._text import one_line
from fer_bench.datasets._units import Annotations
from fer_bench.errors import InputError

_VIDEO = re.compile(r"([FM]\d+)_(T\d+)\.csv")
_UNKNOWN = 9
_DIGITS = 3  # of a FACS number, at most
_LAST_FRAME = 10_000_000
_CODES = (0, 1, _UNKNOWN)


def read(root: Path, units: str, images: str, every: int, tasks: Mapping[str, str], source: str) -> Annotations:
    """Read UNITS/F001_T1.csv and so on; the frames are the image files in IMAGES/F001/T1.

    The first column is the number of the frame, the others are named by FACS numbers; a column that is 9 throughout is
    left out.

    Args:
        root: folder of the collection.
        units: folder of the CSV files below it.
        images: folder of the frames below it.
        every: take each n-th annotated frame of a video.
        tasks: task such as T1 -> expression that it was made to show.
        source: where the dataset stands in params.yaml.

    Raises:
        InputError: a folder or file is absent, a line, named by its number, is of another form.
    """
    names = require_folder(root / units, source, "F001_T1.csv and so on")
    found = [match for match in map(_VIDEO.fullmatch, names) if match]
    if not found:
        raise InputError(f"{source}: {root / units} holds no file such as F001_T1.csv")
    rows, tables, files = [], [], []
    for match in found:
        subject, task = match.groups()
        table = _table(root / units / match[0], source).iloc[::every]
        part = frame_rows(root, images, f"{subject}/{task}", subject, table.index.tolist(), source)
        rows.append(part.assign(label=tasks.get(task, "")))
        tables.append(table)
        files.append(f"{units}/{match[0]}")
    codes = pd.concat(tables, ignore_index=True).fillna(_UNKNOWN)
    known = codes.loc[:, (codes != _UNKNOWN).any()].sort_index(axis=1)
    intensity = known.where(known != _UNKNOWN).to_numpy(dtype=np.float64)
    return Annotations(
        pd.concat(rows, ignore_index=True),
        tuple(int(unit) for unit in known.columns.to_numpy()),
        intensity,
        intensity,
        files,
    )


def _table(path: Path, source: str) -> pd.DataFrame:
    """Return codes, indexed by frame, with FACS numbers as columns."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    except (ValueError, OSError) as error:
        raise InputError(f"{source}: {path} is not a readable CSV: {one_line(error)}") from error
    require_one_width(table, path, source)
    numbers = [re.sub(r"\D", "", str(name)) for name in table.columns[1:]]
    if not numbers or not all(0 < len(number) <= _DIGITS for number in numbers):
        raise InputError(f"{source}: {path}, line 1: after the frame, every column is named by its FACS number")
    codes = table.apply(pd.to_numeric, errors="coerce")
    frames = codes.iloc[:, 0].astype(float)
    wrong = ~frames.between(0, _LAST_FRAME) | (frames % 1 != 0) | ~codes.iloc[:, 1:].isin(_CODES).all(axis=1)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(f"{source}: {path}, line {first + 2}: not a frame and codes 0, 1 or 9")
    codes = codes.astype(int).set_index(str(table.columns[0]))
    return codes.set_axis([int(number) for number in numbers], axis=1)
