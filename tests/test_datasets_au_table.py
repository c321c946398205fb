"""Faces with annotated action units: what the table and the index hold, whatever the layout."""

import json
from pathlib import Path

import pandas as pd
import pytest
from au_datasets import make_csv
from generated_faces import save_face
from pydantic import ValidationError

from fer_bench.datasets.au_table import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8
from fer_bench.targets import action_units_present

UNITS = """image,au,intensity,side
a/neutral_0.png,,,
a/happiness_0.png,6,C,
a/happiness_0.png,AU12,0.9,both
a/happiness_0.png,12,0.5,left
a/surprise_0.png,1,,
a/surprise_0.png,2,0.04,
a/fear_0.png,20,E,right
a/anger_0.png,4,1,
a/disgust_0.png,9,1,
a/sadness_0.png,15,,
a/contempt_0.png,14,,left
a/unlabelled.png,1,,
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One face of each of the eight expressions with units, and one of which no expression is known."""
    folder = tmp_path / "faces"
    names = [f"a/{word}_0.png" for word in EXPRESSIONS_8]
    for name, word in zip([*names, "a/unlabelled.png"], [*EXPRESSIONS_8, "fear"], strict=True):
        save_face(folder / "images" / name, word)
    (folder / "units.csv").write_text(UNITS)
    pd.DataFrame({"image": names, "label": EXPRESSIONS_8}).to_csv(folder / "labels.csv", index=False)
    return folder


def dataset(root: Path, **settings: object) -> Dataset:
    return Dataset("units", Settings(root=str(root), **{"labels": "labels.csv", **settings}))


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(root.parent / "data" / "faces" / "out", workers=1, progress=False)


def truth(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root.parent / "data/faces/out/ground_truth.parquet").set_index("id")


def refused(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.units") and "\n" not in str(caught.value)


def test_a_table_of_ones_own(root: Path) -> None:
    frame = prepare(root)
    table = truth(root)
    assert list(frame["id"]) == list(table.index) == sorted(f"{word}_0" for word in EXPRESSIONS)
    assert set(frame["split"]) == {"test"} and frame["path"][0] == "images/a/anger_0.png"
    assert table.loc["happiness_0", ["au_6", "au_6_left", "au_6_right"]].tolist() == pytest.approx([0.6] * 3)
    assert table.loc["happiness_0", ["au_12", "au_12_left", "au_12_right"]].tolist() == pytest.approx([0.9] * 3)
    assert table.loc["fear_0", ["au_20", "au_20_left", "au_20_right"]].tolist() == [1, 0, 1]
    assert table.loc["surprise_0", ["au_1", "au_2"]].tolist() == pytest.approx([1, 0.04])
    assert (table.loc["neutral_0"] == 0).all()


def test_the_units_present_are_read_as_those_of_generated_faces(root: Path) -> None:
    prepare(root)
    found = dict(zip(truth(root).index, action_units_present(truth(root)), strict=True))
    assert found["happiness_0"] == {6, 12} and found["neutral_0"] == set()
    assert found["surprise_0"] == {1}  # a trace of 0.04 does not count as there


def test_weak_units_can_be_left_out(root: Path) -> None:
    prepare(root, minimum_intensity=0.7)
    assert truth(root).loc["happiness_0", ["au_6", "au_12"]].tolist() == pytest.approx([0, 0.9])


def test_faces_without_expression_are_listed_not_dropped(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepare(root)
    out = root.parent / "data" / "faces" / "out"
    reasons = pd.read_csv(out / "excluded.csv").set_index("image")["reason"]
    assert reasons.to_dict() == {
        "images/a/contempt_0.png": "class contempt is none of the 7 expressions",
        "images/a/unlabelled.png": "no expression is known",
    }
    assert "1 times: no expression is known" in caplog.text
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["annotated_faces"] == 9 and manifest["units"] == [1, 2, 4, 6, 9, 12, 14, 15, 20]


def test_eight_expressions(root: Path) -> None:
    assert "contempt_0" in set(prepare(root, expressions=8)["id"])
    table = truth(root)
    assert table.loc["contempt_0", ["au_14", "au_14_left", "au_14_right"]].tolist() == [1, 1, 0]


def test_no_expression_at_all(root: Path) -> None:
    refused(root, "of none of 9 faces an expression is known.*`labels`", labels=None)


def test_words_of_the_file_are_translated(root: Path) -> None:
    labels = pd.read_csv(root / "labels.csv").replace({"happiness": "joy", "fear": "?"})
    labels.to_csv(root / "labels.csv", index=False)
    refused(root, "unknown label 'joy'")
    frame = prepare(root, label_map={"joy": "happiness", "?": None})
    assert frame.set_index("id")["label"]["happiness_0"] == "happiness" and "fear_0" not in set(frame["id"])
    refused(root, "label_map.joy: unknown expression 'hapines'; did you mean 'happiness'", label_map={"joy": "hapines"})


def test_splits_and_subjects_of_the_file(root: Path) -> None:
    labels = pd.read_csv(root / "labels.csv").assign(split="test", subject="ann")
    labels.to_csv(root / "labels.csv", index=False)
    frame = prepare(root)
    assert set(frame["split"]) == {"test"} and set(frame["subject"]) == {"ann"}


def test_a_part_for_training_keeps_subjects_together(tmp_path: Path) -> None:
    root = make_csv(tmp_path / "faces", people=10)
    frame = prepare(root, test_fraction=0.3, val_fraction=0.2)
    people = frame.groupby("split")["subject"].unique().map(set)
    assert {split: len(found) for split, found in people.items()} == {"test": 3, "train": 6, "val": 1}
    assert not people["test"] & people["train"] and frame["label"].value_counts().nunique() == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a/fear_0.png,twelve,,", "line 14: au 'twelve' is no FACS number"),
        ("a/fear_0.png,12,1.5,", "line 14: intensity '1.5' is neither a number in 0..1 nor one of A, B, C, D, E"),
        ("a/fear_0.png,12,F,", "line 14: intensity 'F'"),
        ("a/fear_0.png,12,,up", "line 14: side 'up'; known: left, right, both"),
        (",12,,", "line 14: no image"),
    ],
)
def test_bad_lines_are_named(root: Path, line: str, message: str) -> None:
    (root / "units.csv").write_text(UNITS + line + "\n")
    refused(root, message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/no.png", r"1 of 10 images cannot be used: images/a/no\.png \(cannot be read: No such file"),
        ("../x.png", r"images outside the root: images/\.\./x\.png"),
    ],
)
def test_images_that_are_not_there(root: Path, name: str, message: str) -> None:
    (root / "units.csv").write_text(f"{UNITS}{name},12,,\n")
    with (root / "labels.csv").open("a") as file:
        file.write(f"{name},fear\n")
    refused(root, message)


def test_files_that_cannot_be_read(root: Path) -> None:
    refused(root, r"labels: no file .*nowhere\.csv", labels="nowhere.csv")
    (root / "labels.csv").write_text("picture,label\na,b\n")
    refused(root, "has no column image; found: picture, label")
    (root / "labels.csv").write_text("image,label\na,fear\na,fear\n")
    refused(root, r"labels\.csv, line 3: a was listed before")
    (root / "units.csv").write_text("image\na\n")
    refused(root, "has no column au; found: image")
    refused(root, r"units: no file .*none\.csv", units="none.csv")


def test_fingerprint_covers_units_and_expressions(root: Path) -> None:
    found = dataset(root).check(workers=1, progress=False)
    (root / "units.csv").write_text(UNITS.replace("anger_0.png,4", "anger_0.png,5"))
    with pytest.raises(InputError, match="changed: the labels file"):
        prepare(root, fingerprint=found)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 2}, "every has no meaning for `layout: csv`"),
        ({"layout": "disfa", "tasks": {"T1": "fear"}}, "tasks has no meaning for `layout: disfa`"),
        ({"layout": "raf_au", "emotions": "x"}, "emotions has no meaning"),
        ({"test_fraction": 0.0}, "greater than 0"),
        ({"layout": "emotionet"}, "'csv', 'raf_au', 'disfa', 'bp4d' or 'ck_plus'"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**settings)


def test_names_and_licences() -> None:
    for layout in ("raf_au", "disfa", "bp4d", "ck_plus"):
        made = Dataset("x", Settings(layout=layout))
        assert made.licence and made.citation and not made.publishable_images and not made.generated
    assert Dataset("x", Settings(label="Ours", licence="CC0", citation="us")).label == "Ours"


def test_blank_lines_are_passed_over_and_counted(root: Path) -> None:
    lines = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join([lines[0], "", *lines[1:], "", ""]))
    (root / "units.csv").write_text(UNITS.replace("a/fear_0", "\na/fear_0") + "\n\n")
    assert len(prepare(root)) == 7
    (root / "units.csv").write_text(UNITS + "\n\na/fear_0.png,twelve,,\n")
    refused(root, "line 16: au 'twelve' is no FACS number")
