"""Attributes of faces beside their expression (skin tone, sex, age, pose, occlusion), as named groups."""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.errors import InputError

FILE = "attributes.csv"  # beside the index: id, then a column per attribute, words; empty: unknown
AGES = ("0-3", "4-19", "20-39", "40-69", "70 and older")  # years; the groups of RAF-DB
_AGE_FROM = (0, 4, 20, 40, 70)
_TONE_FROM, _TONES = (0, 1 / 3, 2 / 3), ("light", "medium", "dark")  # the generator's scale, 0 lightest to 1 darkest
_YAW_FROM, _YAWS = (0, 5, 10, 20), ("below 5", "5-10", "10-20", "20 and more")  # degrees off the frontal view


def read_attributes(folder: Path) -> pd.DataFrame | None:
    """Read the groups of a dataset's faces: attributes.csv of its folder, else what its ground truth says.

    Returns:
        A frame of words indexed by id, one column per attribute, "" where unknown; None where nothing is known.

    Raises:
        InputError: attributes.csv is unreadable, has no column `id`, no other column, or an id twice.
    """
    path, truth = folder / FILE, folder / "ground_truth.parquet"
    if path.is_file():
        return _read(path)
    known = groups_of(pd.read_parquet(truth).set_index("id")) if truth.is_file() else pd.DataFrame()
    return known if len(known.columns) else None


def groups_of(truth: pd.DataFrame) -> pd.DataFrame:
    """Turn the attributes of generated faces (numbers and truth values, indexed by id) into groups."""
    found: dict[str, np.ndarray] = {}
    if "skin_tone" in truth:
        found["skin tone"] = _binned(truth["skin_tone"], _TONE_FROM, _TONES)
    if "female" in truth:
        found["sex"] = np.where(truth["female"], "female", "male")
    if "age" in truth:
        found["age"] = _binned(truth["age"], _AGE_FROM, AGES)
    if "yaw" in truth:
        found["yaw (degrees)"] = _binned(truth["yaw"].abs(), _YAW_FROM, _YAWS)
    for name in ("occluded", "glasses"):
        if name in truth:
            found[name] = np.where(truth[name], "yes", "no")
    return pd.DataFrame(found, index=truth.index)


def _binned(values: pd.Series, first: tuple[float, ...], words: tuple[str, ...]) -> np.ndarray:
    """Words of half-open bins [first, next); what lies below the first one or is no number is unknown."""
    numbers = values.to_numpy(dtype=float)
    places = np.digitize(numbers, first) - 1
    usable = np.isfinite(numbers) & (places >= 0)
    return np.where(usable, np.array(words)[np.where(usable, places, 0)], "")


def _read(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:  # pandas' parser errors and undecodable bytes are ValueErrors
        raise InputError(f"{path}: not readable as attributes: {error}") from error
    if "id" not in frame or len(frame.columns) < 2 or not isinstance(frame.index, pd.RangeIndex):
        raise InputError(f"{path}: expected a column id and one per attribute; found: {', '.join(map(str, frame))}")
    repeated = sorted(set(frame["id"][frame["id"].duplicated()]))
    if repeated:
        raise InputError(f"{path}: every id must stand there once; repeated: {', '.join(repeated[:5])}")
    return frame.set_index("id")
