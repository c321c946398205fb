"""Annotated faces as rows of an index: their expressions, why some are left out, which are for testing."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fer_bench.datasets._au_table_settings import AuTableSettings
from fer_bench.datasets._splits import validation_split
from fer_bench.errors import InputError, unknown
from fer_bench.expressions import EXPRESSIONS_8

_UNKNOWN = "no expression is known"


def with_expressions(
    rows: pd.DataFrame,
    said: Mapping[str, Mapping[str, str]],
    settings: AuTableSettings,
    expressions: Sequence[str],
    source: str,
) -> pd.DataFrame:
    """Add label, split and reason to annotated faces.

    Args:
        rows: id, image, name, subject and label as the collection has it ("" where it has none).
        said: name -> label, and where given subject and split, which come before the collection's own.
        settings: label_map, test_fraction.
        expressions: that the dataset has.
        source: where the settings stand.

    Raises:
        InputError: of no face an expression is known, or label_map names none.
    """
    rows = rows.copy()
    for column in ("label", "subject"):
        given = rows["name"].map({name: facts.get(column, "") for name, facts in said.items()}).fillna("")
        rows[column] = given.where(given != "", rows[column])
    splits = {name: facts["split"] for name, facts in said.items() if "split" in facts}
    rows["split"] = rows["name"].map(splits).fillna("test") if splits else "test"
    rows["reason"] = _reasons(rows, settings.label_map, expressions, source)
    rows["label"] = rows["label"].replace({word: name for word, name in settings.label_map.items() if name})
    if (rows["reason"] == _UNKNOWN).all():
        raise InputError(
            f"{source}: of none of {len(rows)} faces an expression is known, and layout {settings.layout} needs them "
            "from elsewhere: name a CSV with columns image and label in `labels` (docs/datasets_au.md)"
        )
    if settings.test_fraction < 1 and not splits:
        _keep_for_training(rows, settings)
    return rows


def _reasons(
    rows: pd.DataFrame, label_map: Mapping[str, str | None], expressions: Sequence[str], source: str
) -> pd.Series:
    """Say why a face is left out, "" where it is not; the index check refuses words that are no expression."""
    reasons = pd.Series("", index=rows.index)
    reasons[rows["label"] == ""] = _UNKNOWN
    for word, expression in label_map.items():
        if expression is None:
            reasons[rows["label"] == word] = f"label {word!r} is left out by label_map"
        elif expression not in EXPRESSIONS_8:
            raise unknown("expression", expression, f"{source}.label_map.{word}", EXPRESSIONS_8)
    for expression in set(EXPRESSIONS_8) - set(expressions):
        words = [word for word, name in {expression: expression, **label_map}.items() if name == expression]
        reasons[rows["label"].isin(words)] = f"class {expression} is none of the {len(expressions)} expressions"
    return reasons


def _keep_for_training(rows: pd.DataFrame, settings: AuTableSettings) -> None:
    """Leave `test_fraction` of the faces of each expression for testing, whole subjects, and train on the others."""
    usable = rows[rows["reason"] == ""].assign(split="train")
    split = validation_split(usable, settings.test_fraction, settings.split_seed)
    rows.loc[usable.index, "split"] = split.replace("val", "test")
