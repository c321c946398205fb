"""FER-2013 and FER+: the rule that turns votes into labels, and the two files that go line by line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ferplus_dataset import make, pixels, votes
from pydantic import ValidationError

from fer_bench.datasets import read_image
from fer_bench.datasets._votes import CANDIDATES, decide
from fer_bench.datasets.ferplus import _FER2013, Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8


@pytest.mark.parametrize(
    ("given", "majority", "plurality"),
    [
        ({"happiness": 10}, "happiness", "happiness"),
        ({"neutral": 6, "sadness": 4}, "neutral", "neutral"),
        ({"neutral": 5, "sadness": 5}, "", ""),  # half is no majority, and a tie no plurality
        ({"neutral": 4, "sadness": 3, "anger": 3}, "", "neutral"),
        ({"neutral": 5, "sadness": 3, "anger": 1, "fear": 1}, "neutral", "neutral"),  # 5 of the 8 that count
        ({"neutral": 4, "sadness": 3, "anger": 2, "fear": 1}, "", "neutral"),  # 4 of 9
        ({"unknown": 6, "fear": 4}, "", ""),
        ({"NF": 10}, "", ""),
        ({"fear": 5, "unknown": 4, "anger": 1}, "fear", "fear"),  # 5 of 9
        (dict.fromkeys(CANDIDATES, 1), "", ""),  # no vote counts
        ({"contempt": 7, "neutral": 3}, "contempt", "contempt"),
    ],
)
def test_rules_by_hand(given: dict[str, int], majority: str, plurality: str) -> None:
    for rule, expected in (("majority", majority), ("plurality", plurality)):
        winners, reasons = decide(np.array([votes(**given)]), rule, 1)
        assert (winners[0] if not reasons[0] else "") == expected, rule


def test_reasons_and_outliers() -> None:
    table = np.array([votes(unknown=7), votes(NF=9, fear=1), votes(neutral=5, sadness=5), votes(neutral=5, fear=4)])
    assert decide(table, "majority", 1)[1] == ["voted unknown", "voted no face", "no majority of the votes", ""]
    lone = np.array([votes(neutral=5, sadness=1, anger=1, fear=1, disgust=1, surprise=1)])
    assert decide(lone, "majority", 1)[1] == [""]
    assert decide(lone, "majority", 0)[1] == ["no majority of the votes"]  # 5 of 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "fer")


def dataset(root: Path, **settings: object) -> Dataset:
    return Dataset("fer", Settings(root=str(root), **settings))


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(root.parent / "data" / "faces" / "out", workers=1, progress=False)


def refused(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.fer") and "\n" not in str(caught.value)


def change(root: Path, name: str, line: int, column: str, value: str) -> None:
    """Change a cell; lines are counted from 1, the header."""
    table = pd.read_csv(root / name, dtype=str, keep_default_na=False)
    table.loc[line - 2, column] = value
    table.to_csv(root / name, index=False)


def test_votes_become_labels_and_pixels_images(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame, out = prepare(root), root.parent / "data" / "faces" / "out"
    counts = frame.groupby(["split", "label"]).size()
    assert set(counts) == {1} and set(counts.index) == {(s, w) for s in ("train", "val", "test") for w in EXPRESSIONS}
    one = frame[frame["id"] == "fer0000002"].iloc[0]
    assert (one["label"], one["split"], one["width"], one["height"]) == ("happiness", "train", 48, 48)
    stored = read_image(dataset(root).image_root(out) / one["path"])
    np.testing.assert_array_equal(stored[..., 0].ravel(), np.array(pixels("happiness", 0).split(), int))
    assert dataset(root).image_root(out) == root.parent / "data" / "private" / "out"
    reasons = pd.read_csv(out / "excluded.csv")["reason"].value_counts().to_dict()
    assert reasons == {
        "voted no face": 3,
        "no majority of the votes": 3,
        "class contempt is none of the 7 expressions": 3,
    }
    assert "classes that differ: train faces 10 (published 28709)" in caplog.text
    assert json.loads((out / "manifest.json").read_text())["validation"] == "given"


def test_eight_expressions_and_the_other_rule(root: Path) -> None:
    assert set(prepare(root, expressions=8)["label"]) == set(EXPRESSIONS_8)
    change(root, "fer2013new.csv", 11, "fear", "6")
    assert len(prepare(root, rule="plurality")) == 22


def test_first_labels_need_no_votes(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "fer2013new.csv").unlink()
    frame = prepare(root, labels="fer2013")
    assert len(frame) == 30 and dataset(root, labels="fer2013").label == "FER-2013"
    assert frame.set_index("id")["label"][["line00002", "line00003", "line00010"]].tolist() == [
        "neutral",
        "happiness",
        "anger",
    ]
    assert "train anger 2 (published 3995)" in caplog.text


def test_published_totals_of_the_first_labels() -> None:
    assert {split: sum(counts) for split, counts in _FER2013.items()} == {"train": 28709, "val": 3589, "test": 3589}
    assert [sum(counts) for counts in zip(*_FER2013.values(), strict=True)] == [4953, 547, 5121, 8989, 6077, 4002, 6198]


def test_identical_images_across_splits_are_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    change(root, "fer2013.csv", 12, "pixels", pixels("neutral", 0))  # the first of PublicTest is the first of Training
    prepare(root)
    manifest = json.loads((root.parent / "data/faces/out/manifest.json").read_text())
    assert manifest["identical_across_splits"] == [["fer0000001", "fer0000011"]]
    assert "1 identical images in different splits: fer0000001 = fer0000011" in caplog.text


def test_spaces_in_the_header(root: Path) -> None:
    text = (root / "fer2013.csv").read_text()
    (root / "fer2013.csv").write_text(text.replace("emotion,pixels,Usage", "emotion, pixels, Usage", 1))
    assert len(prepare(root)) == 21


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("fer2013.csv", "pixels", "1 2 3", r"fer2013\.csv, line 4: pixels are not 2304 numbers 0\.\.255 \(1 lines\)"),
        ("fer2013.csv", "pixels", "256 " * 2304, "line 4: pixels are not"),
        ("fer2013.csv", "pixels", "x " * 2304, "line 4: pixels are not"),
        ("fer2013.csv", "emotion", "7", r"line 4: emotion is no number 0\.\.6"),
        ("fer2013.csv", "Usage", "Test", "line 4: Usage is none of Training, PublicTest, PrivateTest"),
        ("fer2013new.csv", "Usage", "PublicTest", r"fer2013new\.csv, line 4: Usage differs from fer2013\.csv"),
        ("fer2013new.csv", "anger", "many", "line 4: votes are no numbers"),
        ("fer2013new.csv", "anger", "-1", "line 4: votes are no numbers"),
        ("fer2013new.csv", "Image name", "fer0000001.png", "every id must be unique"),
    ],
)
def test_bad_lines_are_named(root: Path, name: str, column: str, value: str, message: str) -> None:
    change(root, name, 4, column, value)
    refused(root, message)


def test_files_that_do_not_fit(root: Path) -> None:
    votes_file = root / "fer2013new.csv"
    votes_file.write_text("\n".join(votes_file.read_text().splitlines()[:-1]))
    refused(root, r"has 29 rows, but fer2013\.csv 30")
    votes_file.write_text("Usage,neutral\nTraining,1\n")
    refused(root, "has no column Image name, happiness")
    votes_file.unlink()
    refused(root, r"no file .*fer2013new\.csv; see docs/datasets_ferplus\.md")


def test_fingerprint(root: Path) -> None:
    found = dataset(root).check(workers=1, progress=False)
    change(root, "fer2013new.csv", 2, "neutral", "9")
    with pytest.raises(InputError, match="changed: the labels file"):
        prepare(root, fingerprint=found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"val_fraction": 0.2}, "PublicTest is val"),
        ({"labels": "fer2013", "expressions": 8}, "know no contempt"),
        ({"rule": "median"}, "'majority' or 'plurality'"),
        ({"outlier_votes": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**settings)


def test_images_are_never_published(root: Path) -> None:
    assert not Dataset.publishable_images and "1608.01041" in Dataset.citation and Dataset.licence
    with pytest.raises(InputError, match="dvc repro -f faces@fer"):
        dataset(root).image_root(root.parent / "data" / "faces" / "out")
