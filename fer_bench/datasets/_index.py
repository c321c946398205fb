"""The index: one row per image of a dataset, written, read and checked in one place."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fer_bench.datasets._containment import require_plain
from fer_bench.datasets._csv import require_one_width
from fer_bench.datasets._text import one_line, shorten
from fer_bench.errors import InputError, unknown

COLUMNS = ("id", "path", "label", "split", "subject", "width", "height", "sha256")
SPLITS = ("train", "val", "test")
_NUMBERS = {"width": "int64", "height": "int64"}


def read_index(path: Path | str) -> pd.DataFrame:
    """Read an index.csv: columns `COLUMNS`, one row per image; words such as `NA` stay words.

    Raises:
        InputError: the file is missing, unreadable, or lacks a column, or a path leads out of the image folder.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such index; the stage `faces` writes it: dvc repro faces") from None
    except ValueError as error:  # pandas' parser errors and undecodable bytes are ValueErrors
        raise InputError(f"{path}: not a readable index: {one_line(error)}") from error
    require_one_width(frame, Path(path), "index")
    _require_columns(frame, COLUMNS, str(path))
    require_plain(frame["path"], "paths", str(path))
    return _with_numbers(frame, str(path))


def write_index(frame: pd.DataFrame, path: Path) -> None:
    """Write an index.csv that is the same on every machine: fixed columns, UTF-8, line feeds."""
    frame.loc[:, list(COLUMNS)].to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def check_index(frame: pd.DataFrame, expressions: Sequence[str], source: str) -> None:
    """Refuse an index that no experiment should run on; `source` names where it came from.

    A dataset without any train row is allowed (it can only be a test set); with train rows, every
    expression must be among them.

    Raises:
        InputError: no rows, missing columns, duplicate ids, ids that cannot name a file, a label or a split word that
            does not exist, one subject in two splits, or an expression absent from train.
    """
    _require_columns(frame, ("id", "label", "split", "subject"), source)
    if frame.empty:
        raise InputError(f"{source}: the dataset has no images")
    _check_ids(frame, source)
    _check_words(frame, "label", expressions, "a word can be translated in `label_map`", source)
    _check_words(frame, "split", SPLITS, "every row belongs to one of them", source)
    _check_subjects(frame, source)
    _check_train(frame, expressions, source)


def _require_columns(frame: pd.DataFrame, wanted: Sequence[str], source: str) -> None:
    missing = [column for column in wanted if column not in frame]
    if missing:
        raise InputError(f"{source}: no column {', '.join(missing)}; found: {', '.join(map(str, frame))}")


def _with_numbers(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    try:
        sizes = frame.astype(_NUMBERS)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{source}: width and height must be whole numbers: {one_line(error)}") from error
    if (sizes[list(_NUMBERS)] < 1).any(axis=None):
        raise InputError(f"{source}: width and height must be 1 pixel or more")
    return sizes


def _check_ids(frame: pd.DataFrame, source: str) -> None:
    repeated = sorted(set(frame["id"][frame["id"].duplicated()]))
    if repeated:
        raise InputError(f"{source}: every id must be unique, but these are repeated: {shorten(repeated)}")
    require_plain(frame["id"], "ids", source)  # stored images are named after them


def _check_words(frame: pd.DataFrame, column: str, known: Sequence[str], hint: str, source: str) -> None:
    strange = frame[~frame[column].isin(known)]
    if not strange.empty:
        first = strange.iloc[0]
        message = unknown(column, first[column], source, known)
        raise InputError(f"{message} ({len(strange)} row(s), the first is {first['id']!r}; {hint})")


def _check_subjects(frame: pd.DataFrame, source: str) -> None:
    named = frame[frame["subject"] != ""]
    splits = named.groupby("subject")["split"].unique()
    torn = splits[splits.map(len) > 1]
    if torn.empty:
        return
    listed = [f"{subject} ({', '.join(sorted(found))})" for subject, found in torn.items()]
    raise InputError(f"{source}: a subject must stay in one split, but {len(torn)} are in several: {shorten(listed)}")


def _check_train(frame: pd.DataFrame, expressions: Sequence[str], source: str) -> None:
    train = frame[frame["split"] == "train"]
    absent = [word for word in expressions if word not in set(train["label"])]
    if absent and not train.empty:
        raise InputError(
            f"{source}: no train image shows {', '.join(absent)}; each of {', '.join(expressions)} needs one "
            "(a set for testing alone has no train rows at all)"
        )
