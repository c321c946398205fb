"""Landmarks in several files: the authors' fold folders, whose val repeats test; and ids that are paths of images."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fer_bench.errors import InputError
from fer_bench.landmarks._given_files import Given, read_given
from fer_bench.landmarks.base import POINTS

NAME = "landmarks.txt"
_SPLITS = ("train", "val", "test")


def split_files(folder: Path) -> list[Path]:
    """List the landmarks.txt of a folder: its own, else those of its folders train, val and test."""
    files = [folder / NAME, *(folder / split / NAME for split in _SPLITS)]
    found = [file for file in files if file.is_file()]
    return found[:1] if found[:1] == files[:1] else found


def read_given_files(files: Sequence[Path]) -> Given:
    """Read several files as one; see `read_given`.

    An id may stand in two of them (the released val is the test set) when its landmarks are the same.

    Raises:
        InputError: what `read_given` refuses, or an id with other landmarks in another file.
    """
    parts = [read_given(file) for file in files]
    first: dict[str, tuple[Path, np.ndarray]] = {}
    kept: list[tuple[str, np.ndarray, str]] = []
    for file, (ids, points, statuses) in zip(files, parts, strict=True):
        for name, one, status in zip(ids, points, statuses, strict=True):
            if name not in first:
                first[name] = (file, one)
                kept.append((name, one, status))
            elif not np.array_equal(first[name][1], one, equal_nan=True):
                raise InputError(f"{file}: id {name!r} has other landmarks than in {first[name][0]}")
    points = np.array([one for _, one, _ in kept], np.float32).reshape(-1, POINTS, 2)
    return [name for name, _, _ in kept], points, [status for _, _, status in kept]


def unique_stems(ids: Sequence[str]) -> dict[str, str]:
    """Map file stems to ids, as an index names its images: `a/b/face_1.jpg` -> face_1; repeated stems are left out."""
    stems = [PurePosixPath(name).stem for name in ids]
    counts = Counter(stems)
    return {stem: name for stem, name in zip(stems, ids, strict=True) if counts[stem] == 1}
