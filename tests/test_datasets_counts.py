"""Published counts: silent when they agree, one warning that names each difference when they do not."""

import logging

import pandas as pd
import pytest

from fer_bench.datasets._counts import warn_counts

PUBLISHED = {"train": {"fear": 2, "anger": 1}, "test": {"fear": 1}}


def frame(*cells: str) -> pd.DataFrame:
    """Rows given as `split label`."""
    return pd.DataFrame([cell.split() for cell in cells], columns=["split", "label"])


def test_agreement_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    found = warn_counts(frame("train fear", "train fear", "train anger", "test fear"), PUBLISHED, "x")
    assert found == []
    assert not caplog.records


def test_val_counts_as_train_unless_it_is_published() -> None:
    rows = frame("train fear", "val fear", "train anger", "test fear")
    assert warn_counts(rows, PUBLISHED, "x") == []
    assert warn_counts(rows, {**PUBLISHED, "val": {"fear": 2}}, "x") == [
        "train fear 1 (published 2)",
        "val fear 1 (published 2)",
    ]


def test_one_warning_names_every_difference(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = warn_counts(frame("train fear", "train anger", "test fear", "test joy"), PUBLISHED, "datasets.mine")
    assert found == ["train fear 1 (published 2)", "test joy 1 (published 0)"]
    (record,) = caplog.records
    assert record.getMessage() == (
        "datasets.mine: 4 images, 4 published; classes that differ: "
        "train fear 1 (published 2), test joy 1 (published 0)"
    )
