"""RAF-DB's own files: labels, boxes, points; and one clear line for whatever is missing or malformed."""

import logging
from pathlib import Path

import numpy as np
import pytest
import rafdb_dataset as raf
from rafdb_dataset import box_at, dataset, label_file, labels, prepare, refused, write_box, write_labels, write_points

from fer_bench.datasets._rafdb_boxes import check_order
from fer_bench.datasets._rafdb_files import read_boxes, read_points, read_rows
from fer_bench.errors import InputError
from fer_bench.validation import validate


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raf.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def root(tmp_path: Path, made: Path) -> Path:
    return raf.copy(made, tmp_path)


def test_source_ids_and_splits_by_hand(tmp_path: Path) -> None:
    (tmp_path / "basic/EmoLabel").mkdir(parents=True)
    names = [f"train_{k:05}" for k in range(1, 7)] + ["test_0001"]
    lines = [f"{name}.jpg {k}" for k, name in enumerate(names, 1)]
    label_file(tmp_path).write_bytes(("\ufeff" + "\r\n".join(lines) + " \r\n\r\n").encode())
    rows = read_rows(tmp_path, "x")
    words = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]
    assert rows["label"].tolist() == words
    assert rows["id"].tolist() == names
    assert rows["split"].tolist() == ["train"] * 6 + ["test"]
    assert set(rows["subject"]) == {""}


def test_no_folder_says_what_to_obtain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FER_BENCH_ROOT_RAFDB", raising=False)
    message = refused(None, r"datasets\.rafdb\.root: no folder given; .*FER_BENCH_ROOT_RAFDB", tmp_path / "a/b/c")
    assert "comes from its authors on request; docs/datasets_rafdb.md says which files go where" in message


def test_folder_without_label_file(root: Path) -> None:
    label_file(root).unlink()
    refused(root, r"no file .*list_patition_label\.txt; RAF-DB comes from its authors")


def test_basic_itself_given_as_the_root(root: Path) -> None:
    refused(root / "basic", "no file .*; give the folder that holds `basic`, not `basic` itself")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train_00003.jpg", "line 3: 'train_00003.jpg' is not `NAME.jpg LABEL`"),
        ("train_00003.jpg 4 4", "line 3: 'train_00003.jpg 4 4' is not"),
        ("train_00003.png 4", "line 3: 'train_00003.png 4' is not"),
        ("../train_00003.jpg 4", "line 3: '../train_00003.jpg 4' is not"),
        ("train_00003.jpg 8", "line 3: unknown label '8'; known: 1 surprise, 2 fear, .*, 7 neutral"),
        ("train_00003.jpg happy", "line 3: unknown label 'happy'"),
        ("val_00003.jpg 4", "line 3: 'val_00003.jpg' begins neither with train nor with test"),
        ("train_00001.jpg 4", "line 3: train_00001.jpg was listed before, in line 1"),
    ],
)
def test_bad_lines_are_named(root: Path, line: str, message: str) -> None:
    lines = labels(root)
    write_labels(root, [*lines[:2], line, *lines[3:]])
    refused(root, r"list_patition_label\.txt, " + message)


def test_absent_images(root: Path) -> None:
    for name in ("train_00002", "test_0004"):
        (root / f"basic/Image/original/{name}.jpg").unlink()
    refused(root, r"2 of 21 images named in the labels file are not in .*: basic/Image/original/test_0004\.jpg, basic")


def test_damaged_images_are_all_named(root: Path) -> None:
    for name in ("train_00002", "test_0004"):
        (root / f"basic/Image/original/{name}.jpg").write_bytes(b"\xff\xd8\xff")
    refused(
        root, r"2 of 21 images cannot be used: basic/Image/original/test_0004\.jpg \(.*\), basic.*unpack them again"
    )


def test_an_expression_without_train_image(root: Path) -> None:
    write_labels(root, [line for line in labels(root) if not (line.startswith("train") and line.endswith("2"))])
    refused(root, "no train image shows fear")


def test_boxes_in_both_orders(root: Path) -> None:
    write_box(root, "train_00001", (10.9, 20.2, 30.7, 60.4))
    write_box(root, "train_00002", (-5.5, 2, 30, 60))
    correct = read_boxes(root, ["train_00001", "train_00002"], "correct", "x")
    assert correct.tolist() == [[10, 20, 30, 60], [0, 2, 30, 60]]  # cut to whole pixels, not below 0
    swapped = read_boxes(root, ["train_00001", "train_00002"], "swapped", "x")
    assert swapped.tolist() == [[20, 10, 60, 30], [2, 0, 60, 30]]


def test_absent_boxes(root: Path) -> None:
    (root / "basic/Annotation/boundingbox/train_00002_boundingbox.txt").unlink()
    refused(root, r"boxes of 1 of 21 images are absent from .*boundingbox/train_00002_boundingbox\.txt; RAF-DB comes")
    assert len(prepare(root, images="original")) == 21  # only `prepared` needs them


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: '' does not begin with four numbers"),
        ("1 2 3", "line 1: '1 2 3' does not begin with four numbers"),
        ("1 2 x 4", "line 1: '1 2 x 4' does not begin with four numbers"),
        ("1 2 inf 4", "line 1: '1 2 inf 4' does not begin with four numbers"),
        ("1 2 nan 4", "line 1: '1 2 nan 4'"),
        ("30 20 10 40", "line 1: '30 20 10 40' spans no area; expected left, top, right, bottom"),
    ],
)
def test_malformed_boxes(root: Path, text: str, message: str) -> None:
    (root / "basic/Annotation/boundingbox/test_0003_boundingbox.txt").write_text(text)
    refused(root, r"test_0003_boundingbox\.txt, " + message)


def test_points_with_tabs_or_spaces_and_without_a_file(root: Path) -> None:
    write_points(root, "train_00001", np.arange(10).reshape(5, 2))
    path = root / "basic/Annotation/manual/train_00001_manu_attri.txt"
    path.write_text(path.read_text().replace("2.000\t3.000", "2.5 3.000"))
    (root / "basic/Annotation/manual/train_00002_manu_attri.txt").unlink()
    found = read_points(root, ["train_00001", "train_00002"])
    assert found[0].tolist() == [[0, 1], [2.5, 3], [4, 5], [6, 7], [8, 9]]
    assert np.isnan(found[1]).all()


def test_malformed_points(root: Path) -> None:
    (root / "basic/Annotation/manual/test_0003_manu_attri.txt").write_text("1\t2\n3\t4\n0\n1\n2\n")
    refused(root, r"test_0003_manu_attri\.txt: expected the x and y of a point in each of the first five lines")


def test_annotated_points_that_are_absent(root: Path) -> None:
    (root / "basic/Annotation/manual/test_0003_manu_attri.txt").unlink()
    refused(root, r"points: annotated points of 1 of 21 images are absent", points="annotated")


def test_the_order_of_the_boxes_is_told_by_the_data(caplog: pytest.LogCaptureFixture) -> None:
    boxes = np.array([box_at((150, 60)), box_at((10, 10))], dtype=np.int64)
    points = np.stack([np.tile(np.add(box[:2], (20, 40)), (5, 1)) for box in boxes]).astype(float)
    sizes = np.array([(300, 180), (300, 180)])
    with caplog.at_level(logging.WARNING):
        fine = check_order(boxes, points, sizes, "correct", "datasets.rafdb")
    assert fine == {
        "correct": {"centres_in_image": 1.0, "points_in_box": 1.0},
        "swapped": {"centres_in_image": 0.5, "points_in_box": 0.5},  # a box about the diagonal fits either way
    }
    assert not caplog.records
    nothing = np.full((2, 5, 2), np.nan)
    with caplog.at_level(logging.WARNING):
        wrong = check_order(boxes[:, [1, 0, 3, 2]], nothing, sizes, "swapped", "datasets.rafdb")
    assert wrong == {"correct": {"centres_in_image": 1.0}, "swapped": {"centres_in_image": 0.5}}
    assert caplog.messages == [
        "datasets.rafdb.box_order: 'swapped' fits worse than 'correct' (centres_in_image 0.500 against 1.000); "
        "is it meant?"
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": "cropped"}, r"rafdb\.images: given 'cropped'; .*'prepared', 'aligned', 'original' or 'published'"),
        (
            {"detector": "given"},
            r"rafdb\.detector: given 'given'; no detector that lists .*known: dlib, face_alignment",
        ),
        ({"detector": "mtcnn"}, r"rafdb\.detector: given 'mtcnn'; no detector .*known: dlib, face_alignment"),
        (
            {"detector": "dlib", "detector_settings": {"hog": 1}},
            r"detector_settings\.hog: unknown key; .*hog_threshold",
        ),
        ({"min_overlap": 2}, r"rafdb\.min_overlap: given 2"),
        ({"publishable_images": True}, r"rafdb\.publishable_images: unknown key"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate(raf.Settings, settings, "params.yaml: datasets.rafdb")


def test_licence_and_what_may_be_shown() -> None:
    ours = dataset(Path())
    assert ours.publishable_images is False
    assert "non-commercial" in ours.licence
    assert "10.1109/CVPR.2017.277" in ours.citation
