"""The files of FER-2013 and FER+: rows of pixels and usages, and rows of votes."""

from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets._csv import read_csv
from fer_bench.datasets._images import save_png
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._votes import CANDIDATES
from fer_bench.errors import InputError

SIDE = 48
SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")  # FER-2013's own numbers


def read_faces(path: Path, source: str) -> pd.DataFrame:
    """Read fer2013.csv: columns emotion (0..6), pixels (text), Usage; one row per face, in the order of the file.

    Raises:
        InputError: the file cannot be read, lacks a column, or a line, named by its number, has an unknown usage or
            number.
    """
    table = _read(path, ["emotion", "pixels", "Usage"], source)
    _refuse(~table["Usage"].isin(SPLITS), path, f"Usage is none of {', '.join(SPLITS)}", source)
    table["emotion"] = pd.to_numeric(table["emotion"], errors="coerce")
    _refuse(~table["emotion"].isin(range(len(EXPRESSIONS))), path, "emotion is no number 0..6", source)
    return table.astype({"emotion": int})


def read_votes(path: Path, faces: pd.DataFrame, source: str) -> tuple[pd.Series, np.ndarray]:
    """Read fer2013new.csv, which goes line by line with fer2013.csv.

    Returns:
        Names of the images ("" where FER+ has none), and votes (N, 10) in the order of `CANDIDATES`.

    Raises:
        InputError: as in `read_faces`, or the two files do not go together.
    """
    table = _read(path, ["Usage", "Image name", *CANDIDATES], source)
    if len(table) != len(faces):
        raise InputError(f"{source}: {path} has {len(table)} rows, but fer2013.csv {len(faces)}; they go line by line")
    _refuse(
        table["Usage"] != faces["Usage"], path, "Usage differs from fer2013.csv, so they do not go together", source
    )
    votes = table[list(CANDIDATES)].apply(pd.to_numeric, errors="coerce")
    _refuse((~np.isfinite(votes.astype(float)) | (votes < 0)).any(axis=1), path, "votes are no numbers", source)
    return table["Image name"], votes.to_numpy()


def store_faces(
    faces: list[tuple[int, str, str]], out: Path, path: Path, source: str, workers: int, progress: bool
) -> list[str]:
    """Store each (line, pixels, name below `out`) as a grey PNG of 48 x 48; returns the hashes of the files.

    Raises:
        InputError: pixels, named by their line, are not 2,304 numbers 0..255.
    """
    found = parallel_map(partial(_store, out=out), faces, workers, progress, "storing images")
    wrong = [line for (line, _, _), digest in zip(faces, found, strict=True) if not digest]
    if wrong:
        raise InputError(f"{source}: {path}, line {wrong[0]}: pixels are not 2304 numbers 0..255 ({len(wrong)} lines)")
    return found


def _store(face: tuple[int, str, str], out: Path) -> str:
    _, pixels, name = face
    try:
        values = np.array(pixels.split(), np.int64)
    except (ValueError, OverflowError):
        return ""
    if values.size != SIDE * SIDE or values.min() < 0 or values.max() > 255:
        return ""
    save_png(values.astype(np.uint8).reshape(SIDE, SIDE), out / name)
    return sha256((out / name).read_bytes()).hexdigest()


def _read(path: Path, columns: list[str], source: str) -> pd.DataFrame:
    return read_csv(path, columns, source, "root", "; see docs/datasets_ferplus.md for where it comes from")[columns]


def _refuse(wrong: pd.Series, path: Path, what: str, source: str) -> None:
    if wrong.any():
        line = int(np.flatnonzero(wrong)[0]) + 2
        raise InputError(f"{source}: {path}, line {line}: {what} ({wrong.sum()} such lines)")
