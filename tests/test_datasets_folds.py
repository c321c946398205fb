"""The published fold files: read, checked, and laid over a dataset's own rows."""

import logging
from pathlib import Path

import pandas as pd
import pytest
from rafdb_dataset import write_folds

from fer_bench.datasets._folds import lay_over, read_folds, stem
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS

LINES = ["train_00001.jpg 4", "train_00002.jpg 7", "train_00003.jpg 1", "test_0001.jpg 2", "test_0002.jpg 6"]
ROWS = pd.DataFrame(
    {
        "id": ["test_0001", "test_0002", "train_00001", "train_00002", "train_00003"],
        "label": ["fear", "anger", "happiness", "neutral", "surprise"],
        "split": ["test", "test", "train", "train", "train"],
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folds(tmp_path / "folds", LINES)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_folds(folder, EXPRESSIONS, "datasets.rafdb")
    assert "\n" not in str(caught.value)


def test_labels_and_splits_as_written(folder: Path) -> None:
    frame = read_folds(folder, EXPRESSIONS, "x")
    assert frame.to_dict("list") == {
        "image": [f"basic/Image/our_aligned/{line.split('.')[0]}.jpg" for line in LINES],
        "label": ["happiness", "neutral", "surprise", "fear", "anger"],
        "split": ["train", "train", "train", "test", "test"],  # val repeats test
    }


def test_a_val_of_its_own_is_kept(folder: Path) -> None:
    image = "basic/Image/our_aligned/train_00003.jpg"
    for name, line in (("image_ids.txt", image), ("class_labels.txt", f"{image},2")):
        (folder / "val" / name).write_text(line + "\n")
        edit(folder / "train" / name, line + "\n", "")
    frame = read_folds(folder, EXPRESSIONS, "x")
    assert frame.set_index("image")["split"][image] == "val"
    laid = lay_over(ROWS, frame, stem, "x")
    assert laid["split"].tolist() == ["test", "test", "train", "train", "val"]


def test_folds_without_val(folder: Path) -> None:
    for path in (folder / "val").iterdir():
        path.unlink()
    (folder / "val").rmdir()
    assert set(read_folds(folder, EXPRESSIONS, "x")["split"]) == {"train", "test"}


@pytest.mark.parametrize("name", ["class_id.yaml", "train/image_ids.txt", "test/class_labels.txt"])
def test_missing_files_are_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, rf"datasets\.rafdb\.folds: no file .*{name}; give the folder of one dataset")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("class_id.yaml", "Fear: 3", "Boredom: 3", r"class_id\.yaml: unknown class boredom; known: neutral"),
        (
            "train/class_labels.txt",
            "00002.jpg,0",
            "00002.jpg",
            r"train/class_labels\.txt, line 2: .* is not `IMAGE",
        ),
        ("train/class_labels.txt", "00002.jpg,0", "00002.jpg,9", r"line 2: .*with a label of 4, 5, 3, 1, 0, 6, 2"),
        ("train/image_ids.txt", "00002", "00004", r"train: .* name different images: .*train_00002.*train_00004"),
        ("train/image_ids.txt", "00002", "00001", r"image_ids\.txt: lists images more than once: .*train_00001"),
        ("val/class_labels.txt", "0001.jpg,3", "0001.jpg,1", r"one label in val and another in test: .*test_0001"),
    ],
)
def test_malformed_files(folder: Path, name: str, old: str, new: str, message: str) -> None:
    edit(folder / name, old, new)
    refused(folder, message)


def test_a_split_without_images(folder: Path) -> None:
    (folder / "test" / "class_labels.txt").write_text("\n")
    refused(folder, r"test/class_labels\.txt: no image at all")


def test_an_image_in_two_splits(folder: Path) -> None:
    for name, suffix in (("image_ids.txt", ""), ("class_labels.txt", ",4")):
        path = folder / "train" / name
        path.write_text(path.read_text() + f"basic/Image/our_aligned/test_0002.jpg{suffix}\n")
    refused(folder, "images in more than one split: .*test_0002")


def test_names_with_and_without_the_suffix_of_the_release() -> None:
    assert stem("basic/Image/our_aligned/train_00001.jpg") == "train_00001"
    assert stem("basic/Image/aligned/test_0001_aligned.jpg") == "test_0001"


def test_rows_that_are_not_named_are_left_out_with_a_reason(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folds = read_folds(folder, EXPRESSIONS, "x")
    with caplog.at_level(logging.WARNING):
        laid = lay_over(ROWS, folds[folds["image"] != folds["image"][1]], stem, "datasets.rafdb")
    assert laid["reason"].tolist() == ["", "", "", "not named in the fold files", ""]
    assert caplog.messages == ["datasets.rafdb.folds: 1 of 5 images are not named there: left out"]


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("label", 2, "anger", r"another label for 1 images: train_00001 \(happiness, the dataset says anger\)"),
        ("split", 0, "train", r"another split for 1 images: test_0001 \(test, the dataset says train\)"),
        ("split", 4, "test", r"another split for 1 images: train_00003 \(train, the dataset says test\)"),
        ("id", 1, "test_0009", r"1 images that the dataset does not have: test_0002"),
    ],
)
def test_a_dataset_that_says_otherwise(folder: Path, column: str, row: int, value: str, message: str) -> None:
    rows = ROWS.copy()
    rows.loc[row, column] = value
    with pytest.raises(InputError, match=rf"datasets\.rafdb\.folds: {message}"):
        lay_over(rows, read_folds(folder, EXPRESSIONS, "x"), stem, "datasets.rafdb")


def test_two_paths_of_one_image(folder: Path) -> None:
    folds = read_folds(folder, EXPRESSIONS, "x")
    twice = pd.concat([folds, folds.head(1).assign(image="elsewhere/train_00001.jpg")])
    with pytest.raises(InputError, match="named more than once: train_00001"):
        lay_over(ROWS, twice, stem, "x")
