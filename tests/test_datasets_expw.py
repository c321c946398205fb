"""ExpW: lines of label.lst, faces cut out of photographs, splits by photograph."""

from pathlib import Path

import pandas as pd
import pytest
from expw_dataset import BOX, line, make, write
from generated_faces import photograph

from fer_bench.datasets import read_image
from fer_bench.datasets._images import to_square
from fer_bench.datasets.expw import _COUNTS, SOURCE, Dataset, Settings
from fer_bench.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "expw")


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    made = Dataset("expw", Settings(root=str(root), size=64, **settings))
    return made.prepare(root.parent / "data" / "faces" / "out", workers=1, progress=False)


def refused(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.expw") and "\n" not in str(caught.value)


def test_faces_are_cut_out_and_split_by_photograph(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = prepare(root, val_fraction=0.25).set_index("id")
    assert len(frame) == 36 and set(frame["split"]) == {"train", "val", "test"}
    assert frame["split"]["fear_man_0_0"] == frame["split"]["fear_man_0_1"]
    assert frame["label"][["fear_man_0_0", "fear_man_0_1"]].tolist() == ["fear", "surprise"]
    assert set(frame[frame["split"] == "test"].groupby("label").size()) <= {1, 2}
    stored = read_image(root.parent / "data" / "private" / "out" / frame["path"]["anger_man_3_0"])
    whole = read_image(root / "image" / "origin" / "anger_man_3.jpg")
    assert (stored == to_square(whole[10:70, 30:90], 64, "pad")).all()
    assert "all anger 5 (published 3671)" in caplog.text


def test_class_numbers_and_published_total() -> None:
    assert SOURCE == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert sum(_COUNTS) == 91793
    assert not Dataset.publishable_images and Dataset.licence and "s11263-017-1055-1" in Dataset.citation


def test_unsure_faces_can_be_left_out(root: Path) -> None:
    lines = (root / "label" / "label.lst").read_text().splitlines()
    write(root, [*lines, line("fear_man_1.jpg", 7, "fear", 1.5)])
    assert "fear_man_1_7" not in set(prepare(root, minimum_confidence=2.0)["id"])
    reasons = pd.read_csv(root.parent / "data/faces/out/excluded.csv")["reason"]
    assert reasons.tolist() == ["confidence below minimum_confidence"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg 0 1 2 3 4 5 7", r"label\.lst, line 37: class 7 is none of 0\.\.6"),
        ("a.jpg 0 1 2 3 4 5", r"line 37: .* is not 7 number\(s\)"),
        ("a.jpg 0 1 2 3 4 x 1", "line 37: .* is not 7 number"),
        ("fear_man_1.jpg 0 10 30 90 70 50 2", "listed more than once|every id must be unique"),
        ("absent.jpg 0 10 30 90 70 50 2", r"absent\.jpg \(cannot be read"),
        ("fear_man_1.jpg 5 10 150 90 70 50 2", "leaves less than min_side 16 pixels of the 160x120 image"),
    ],
)
def test_bad_lines_are_named(root: Path, text: str, message: str) -> None:
    with (root / "label" / "label.lst").open("a") as file:
        file.write(text + "\n")
    refused(root, message)


def test_missing_file_of_labels(root: Path) -> None:
    refused(root, r"nowhere\.lst: No such file", labels="nowhere.lst")
    write(root, [""])
    refused(root, "has no lines")


def test_names_with_spaces(root: Path) -> None:
    photograph(root / "image" / "origin" / "two words.jpg", "fear", BOX)
    with (root / "label" / "label.lst").open("a") as file:
        file.write(line("two words.jpg", 0, "fear") + "\n")
    assert "two words_0" in set(prepare(root)["id"])
