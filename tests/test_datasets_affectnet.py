"""AffectNet, the release of cropped faces: layout, classes, splits, and what is wrong with a copy."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affectnet_dataset import NUMBERS, add, make_npy
from generated_faces import SIDE, save_face
from PIL import Image
from pydantic import ValidationError

from fer_bench.datasets import read_image, read_index
from fer_bench.datasets.affectnet import SOURCE, Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_npy(tmp_path / "affectnet")


def dataset(root: Path, **settings: object) -> Dataset:
    return Dataset("faces", Settings(root=str(root), **{"val_per_class": 1, **settings}))


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(root.parent / "data" / "faces" / "out", workers=1, progress=False)


def refused(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.faces") and "\n" not in str(caught.value)
    assert not (root.parent / "data").exists()


def test_class_numbers_are_those_of_the_release() -> None:
    assert {word: SOURCE.index(word) for word in EXPRESSIONS_8} == NUMBERS
    assert SOURCE[8:] == ("none", "uncertain", "no face")


def test_seven_expressions(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame = prepare(root)
    assert frame.groupby(["split", "label"]).size().unstack().loc["train"].to_dict() == dict.fromkeys(EXPRESSIONS, 3)
    assert frame["split"].value_counts().to_dict() == {"train": 21, "val": 7, "test": 7}
    anger = frame[frame["id"] == "val_40"].iloc[0]
    assert (anger["label"], anger["path"]) == ("anger", "val_set/images/40.jpg")
    assert (anger["width"], anger["height"], anger["subject"]) == (SIDE, SIDE, "")
    excluded = pd.read_csv(root.parent / "data" / "faces" / "out" / "excluded.csv")
    assert set(excluded["label"]) == {"contempt"} and len(excluded) == 5
    assert "5 times: class contempt is none of the 7 expressions" in caplog.text


def test_images_are_read_where_they_lie(root: Path) -> None:
    frame, out = prepare(root), root.parent / "data" / "faces" / "out"
    assert dataset(root).image_root(out) == root
    assert all((root / path).is_file() for path in frame["path"])
    assert sorted(path.name for path in out.iterdir()) == ["excluded.csv", "index.csv", "manifest.json"]
    pd.testing.assert_frame_equal(read_index(out / "index.csv"), frame, check_dtype=False)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["validation"] == "taken from train"
    assert manifest["near_duplicates_across_splits"] is None  # nothing was compared
    assert str(root) not in (out / "manifest.json").read_text()


def test_eight_expressions(root: Path) -> None:
    frame = prepare(root, expressions=8)
    assert set(frame["label"]) == set(EXPRESSIONS_8)
    assert dataset(root, expressions=8).expressions[7] == "contempt"


def test_no_validation_split_for_the_protocol_of_the_paper(root: Path) -> None:
    frame = prepare(root, val_per_class=None, val_fraction=0.0)
    assert frame["split"].value_counts().to_dict() == {"train": 28, "test": 7}


def test_no_label_that_is_a_pickle_is_opened(root: Path) -> None:
    np.save(root / "train_set/annotations/0_exp.npy", np.array([{"a": 1}], object), allow_pickle=True)
    refused(root, r"1 of 40 labels cannot be read: train_set/annotations/0_exp\.npy .*object, which is never opened")


@pytest.mark.parametrize("value", [np.array("happy"), np.array([1, 2]), np.array("")])
def test_labels_that_are_no_class_number(root: Path, value: np.ndarray) -> None:
    np.save(root / "val_set/annotations/0_exp.npy", value)
    refused(root, r"1 of 40 labels cannot be read: val_set/annotations/0_exp\.npy")


def test_numbers_beyond_the_classes_are_told(root: Path) -> None:
    np.save(root / "val_set/annotations/0_exp.npy", np.array("11"))
    refused(root, r"val_set/annotations/0_exp\.npy \(11 is no class number, 0\.\.10\)")


def test_numbers_as_numbers(root: Path) -> None:
    np.save(root / "val_set/annotations/0_exp.npy", np.array(8))
    frame = prepare(root)
    assert "val_0" not in set(frame["id"])


def test_incomplete_copies(root: Path) -> None:
    (root / "train_set/images/1.jpg").unlink()
    refused(root, r"1 labels in .*train_set.annotations have no image: 1; complete the copy")
    add(root, "train_set", "1", "neutral")
    (root / "val_set/annotations/10_exp.npy").unlink()
    refused(root, r"1 images in .*val_set.images have no file NAME_exp\.npy: 10")


def test_wrong_folder(root: Path) -> None:
    refused(root / "train_set", r"root: .*train_set.train_set.images: No such file.*release: csv")


def test_bad_images(root: Path) -> None:
    images = root / "train_set" / "images"
    (images / "0.jpg").write_bytes(b"")
    whole = (images / "1.jpg").read_bytes()
    (images / "1.jpg").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (8, 8)).save(images / "10.jpg")
    refused(root, r"3 of 40 images cannot be used: .*0\.jpg \(empty file.*1\.jpg \(damaged or truncated.*8x8 pixels")
    frame = prepare(root, on_bad_image="exclude")
    assert len(frame) == 32 and not {"train_0", "train_1", "train_10"} & set(frame["id"])


def test_damage_within_a_file_is_found_by_decoding(root: Path) -> None:
    path = root / "train_set" / "images" / "0.jpg"
    data = path.read_bytes()
    tables = data.index(b"\xff\xc4")  # where the Huffman tables begin
    path.write_bytes(data[:tables] + data[-2:])
    assert len(prepare(root)) == 35
    with pytest.raises(InputError, match=r"1 of 40 images cannot be used: train_set/images/0\.jpg \(damaged"):
        prepare(root, scan="decode")


def test_decoding_finds_copies_across_splits(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "val_set/images/0.jpg").write_bytes((root / "train_set/images/0.jpg").read_bytes())
    prepare(root, scan="decode")
    manifest = json.loads((root.parent / "data/faces/out/manifest.json").read_text())
    assert any({"train_0", "val_0"} <= set(group) for group in manifest["near_duplicates_across_splits"])
    assert "near-duplicates in different splits" in caplog.text


def test_both_ways_of_looking_agree(root: Path) -> None:
    columns = ["id", "path", "label", "width", "height", "sha256"]
    pd.testing.assert_frame_equal(prepare(root)[columns], prepare(root, scan="decode")[columns])


def test_index_hangs_neither_on_workers_nor_on_the_order_of_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(root)
    monkeypatch.setattr("fer_bench.datasets._parallel._WORTH_A_PROCESS", 5)
    frame = dataset(root).prepare(root.parent / "again", workers=2, progress=False)
    pd.testing.assert_frame_equal(frame, first)


def test_fingerprint(root: Path) -> None:
    found = dataset(root).check(workers=1, progress=False)
    assert len(prepare(root, fingerprint=found)) == 35
    np.save(root / "train_set/annotations/0_exp.npy", np.array("1"))
    with pytest.raises(InputError, match=r"the folder .* changed: the labels file"):
        dataset(root, fingerprint=found).check(workers=1, progress=False)
    save_face(root / "train_set/images/0.jpg", "fear")
    with pytest.raises(InputError, match="image contents"):
        prepare(root, fingerprint=found)


def test_published_counts_differ(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        prepare(root)
    assert "35 images, 287401 published" in caplog.text
    assert "train neutral 4 (published 74874)" in caplog.text and "test sadness 1 (published 500)" in caplog.text


@pytest.mark.parametrize(
    ("release", "expressions", "total"), [("npy", 7, 287401), ("npy", 8, 291650), ("csv", 8, 291651)]
)
def test_published_totals(release: str, expressions: int, total: int) -> None:
    made = Dataset("faces", Settings(release=release, expressions=expressions))
    assert sum(made.counts[split][word] for split in ("train", "test") for word in made.expressions) == total


@pytest.mark.parametrize("key", [{"size": 112}, {"margin": 0.1}, {"fit": "stretch"}, {"images": "x"}])
def test_cropped_faces_are_not_cropped_again(key: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="has no meaning for `release: npy`"):
        Settings(**key)


def test_images_are_never_published(root: Path) -> None:
    assert not dataset(root).publishable_images
    assert "research" in Dataset.licence and "10.1109/TAFFC.2017.2740923" in Dataset.citation
    assert Settings().val_per_class == 500
    assert read_image(root / "val_set/images/0.jpg").shape == (SIDE, SIDE, 3)
