"""The rows of a folder's labels file in our words: ids, expressions, splits, subjects, sorted by id."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fer_bench.datasets import _labels_file as labels_file
from fer_bench.datasets._folder_settings import FolderSettings
from fer_bench.datasets._index import check_index
from fer_bench.errors import unknown


def read_rows(root: Path, settings: FolderSettings, expressions: Sequence[str], source: str) -> pd.DataFrame:
    """Read and check the labels file: columns id, image, label, split, subject, reason (why a row is left out, or "").

    Raises:
        InputError: whatever `read_labels`, `check_index` and the settings refuse, or images that are absent.
    """
    path = root / settings.csv
    rows = labels_file.read_labels(path, _columns(path, settings), source)
    rows["id"] = labels_file.image_ids(rows["image"])
    rows["subject"] = _subjects(rows, settings, source)
    rows["reason"] = ""
    _translate(rows, settings.label_map, expressions, source)
    rows = rows.sort_values("id", ignore_index=True)
    check_index(rows[rows["reason"] == ""], expressions, f"{source} ({path})")
    labels_file.require_files(root / settings.images, rows["image"].tolist(), source, root)
    return rows


def _columns(path: Path, settings: FolderSettings) -> dict[str, str]:
    columns = {
        "image": settings.image_column,
        "label": settings.label_column,
        "split": settings.split_column,
    }
    if settings.subject_column:
        columns["subject"] = settings.subject_column
    elif not settings.subject_pattern and "subject" in labels_file.header(path):
        columns["subject"] = "subject"
    return columns


def _subjects(rows: pd.DataFrame, settings: FolderSettings, source: str) -> pd.Series:
    if settings.subject_pattern:
        return labels_file.subjects_from_names(rows["image"], settings.subject_pattern, source)
    return rows["subject"] if "subject" in rows else pd.Series("", index=rows.index)


def _translate(rows: pd.DataFrame, label_map: dict[str, str | None], expressions: Sequence[str], source: str) -> None:
    """Put expressions in the place of the file's own words; a word mapped to null is left out, with the reason."""
    for word, expression in label_map.items():
        named = rows["label"] == word
        if expression is None:
            rows.loc[named, "reason"] = f"label {word!r} is left out by label_map"
        elif expression not in expressions:
            raise unknown("expression", expression, f"{source}.label_map.{word}", expressions)
    known = {word: expression for word, expression in label_map.items() if expression is not None}
    rows["label"] = rows["label"].map(lambda word: known.get(word, word))
