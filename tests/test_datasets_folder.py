"""A folder of images with a labels file: what comes out of it."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from folder_dataset import LABELS, dataset, make_folder, picture, prepare, spoil, table, write
from PIL import Image

from fer_bench.datasets import read_image, read_index
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets.folder import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


def test_images_stay_where_they_lie(root: Path) -> None:
    frame = prepare(root)
    out = root.parent / "out"
    first = frame.iloc[0]
    assert first.to_dict() == {
        "id": "Person_00_0001",
        "path": "Person_00_0001.png",
        "label": "neutral",
        "split": "train",
        "subject": "",
        "width": 40,
        "height": 30,
        "sha256": sha256((root / "images" / "Person_00_0001.png").read_bytes()).hexdigest(),
    }
    assert dataset(root).image_root(out) == root / "images"
    assert sorted(path.name for path in out.iterdir()) == ["excluded.csv", "index.csv", "manifest.json"]
    pd.testing.assert_frame_equal(read_index(out / "index.csv"), frame, check_dtype=False)


def test_square_grey_copies(root: Path) -> None:
    frame = prepare(root, size=32, grey=True)
    out = root.parent / "out"
    assert dataset(root, size=32).image_root(out) == out
    assert set(zip(frame["width"], frame["height"], strict=True)) == {(32, 32)}
    for row in frame.itertuples():
        image = read_image(out / row.path)
        assert image.shape == (32, 32, 3)
        assert (image[..., 0] == image[..., 2]).all()
        assert sha256((out / row.path).read_bytes()).hexdigest() == row.sha256


def test_copies_that_may_not_be_published_leave_the_folder_that_is_cached(root: Path) -> None:
    faces = root.parent / "data" / "faces" / "mine"
    private = dataset(root, size=32, publishable_images=False)
    with pytest.raises(InputError, match="dvc repro -f faces@mine"):
        private.image_root(faces)
    frame = private.prepare(faces, workers=1, progress=False)
    assert private.image_root(faces) == root.parent / "data" / "private" / "mine"
    assert all((private.image_root(faces) / path).is_file() for path in frame["path"])
    assert not [path for path in faces.rglob("*") if path.suffix == ".png"]


def test_result_hangs_neither_on_row_order_nor_on_workers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(root, size=32)
    write(root, table(root).sample(frac=1, random_state=0))
    monkeypatch.setattr("fer_bench.datasets._parallel._WORTH_A_PROCESS", 5)
    dataset(root, size=32).prepare(root.parent / "again", workers=2, progress=False)
    first, second = root.parent / "out", root.parent / "again"
    assert (first / "index.csv").read_bytes() == (second / "index.csv").read_bytes()
    for path in (first / "images").iterdir():
        assert path.read_bytes() == (second / "images" / path.name).read_bytes()


def test_parallel_map_keeps_the_order() -> None:
    assert parallel_map(abs, range(-3, 3), workers=0, progress=False, description="x") == [3, 2, 1, 0, 1, 2]


def test_manifest_tells_what_was_made(root: Path) -> None:
    prepare(root, size=32)
    text = (root.parent / "out" / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["counts"]["train"] == dict.fromkeys(EXPRESSIONS, 1)
    assert manifest["settings"]["size"] == 32
    assert manifest["fingerprint"] == dataset(root).check(workers=1, progress=False)
    assert (manifest["excluded"], manifest["enlarged"], manifest["validation"]) == (0, 0, "given")
    assert str(root) not in text


def test_enlarged_images_are_counted(root: Path) -> None:
    prepare(root, size=35, fit="stretch")
    assert json.loads((root.parent / "out" / "manifest.json").read_text())["enlarged"] == 21


def test_subject_from_column_or_file_name(root: Path) -> None:
    pattern = r"^(.+)_\d+\.png$"
    assert prepare(root, subject_pattern=pattern)["subject"].iloc[4] == "Person_04"
    write(root, table(root).assign(subject=[f"s{i}" for i in range(21)]))
    assert prepare(root)["subject"].iloc[4] == "s4"
    assert prepare(root, subject_pattern=pattern)["subject"].iloc[4] == "Person_04"
    write(root, table(root).rename(columns={"subject": "who"}))
    assert prepare(root)["subject"].iloc[4] == ""
    assert prepare(root, subject_column="who")["subject"].iloc[4] == "s4"


def test_other_columns_folders_and_words(root: Path) -> None:
    frame = table(root).rename(columns={"image": "file", "label": "emotion", "split": "part"})
    frame["emotion"] = frame["emotion"].map({word: str(i) for i, word in enumerate(EXPRESSIONS)})
    frame.to_csv(root / "list.csv", index=False)
    (root / "images").rename(root / "pics")
    columns = {"csv": "list.csv", "images": "pics", "image_column": "file", "label_column": "emotion"}
    words = {str(i): word for i, word in enumerate(EXPRESSIONS)}
    assert prepare(root, **columns, split_column="part", label_map=words)["label"].tolist() == LABELS


def test_byte_order_mark_of_spreadsheets(root: Path) -> None:
    table(root).to_csv(root / "labels.csv", index=False, encoding="utf-8-sig")
    assert len(prepare(root)) == 21


def test_a_word_mapped_to_null_is_left_out_and_listed(root: Path) -> None:
    rows = table(root)
    rows.loc[2, "label"] = "contempt"
    write(root, rows)
    frame = prepare(root, label_map={"contempt": None})
    assert len(frame) == 20
    excluded = pd.read_csv(root.parent / "out" / "excluded.csv")
    assert excluded[["image", "label"]].to_numpy().tolist() == [["Person_02_0001.png", "contempt"]]
    assert "label_map" in excluded["reason"][0]


def test_eight_expressions(root: Path) -> None:
    rows = table(root)
    rows.loc[len(rows)] = ["Person_02_0001.png", "contempt", "train"]
    rows = rows.drop(index=2)
    write(root, rows)
    assert dataset(root, expressions=8).expressions == EXPRESSIONS_8
    assert (prepare(root, expressions=8)["label"] == "contempt").sum() == 1


def test_ids_are_paths_where_stems_repeat(root: Path) -> None:
    for folder in ("a", "b"):
        (root / "images" / folder).mkdir()
        picture(hash_of(folder)).save(root / "images" / folder / "x.png")
    rows = table(root)
    rows.loc[len(rows)], rows.loc[len(rows) + 1] = ["a/x.png", "fear", "train"], ["b/x.png", "fear", "train"]
    write(root, rows)
    frame = prepare(root, size=16)
    assert {"a/x.png", "b/x.png", "Person_00_0001"} <= set(frame["id"])
    assert (root.parent / "out" / "images" / "a" / "x.png.png").is_file()


def hash_of(word: str) -> int:
    return sum(map(ord, word))


def test_validation_is_taken_from_train_with_copies_on_one_side(root: Path) -> None:
    names, labels = [], []
    for i in range(70):
        for copy in ("a", "b"):
            names.append(f"{copy}{i:02}.jpg")
            labels.append(EXPRESSIONS[i % 7])
            picture(100 + i).save(root / "images" / names[-1], quality=95 if copy == "a" else 60)
    write(root, pd.DataFrame({"image": names, "label": labels, "split": "train"}))
    frame = prepare(root, val_fraction=0.2)
    moved = frame[frame["split"] == "val"]
    assert moved["label"].value_counts().to_dict() == dict.fromkeys(EXPRESSIONS, 4)
    pairs = moved["id"].str[1:].value_counts()
    assert (pairs == 2).all()
    manifest = json.loads((root.parent / "out" / "manifest.json").read_text())
    assert (manifest["validation"], manifest["near_duplicates_across_splits"]) == ("taken from train", [])
    assert (prepare(root, val_fraction=0.0)["split"] == "train").all()


def test_near_duplicates_across_given_splits_are_reported(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture(0).save(root / "images" / "Person_02_0001.png", compress_level=0)
    prepare(root)
    manifest = json.loads((root.parent / "out" / "manifest.json").read_text())
    assert manifest["near_duplicates_across_splits"] == [["Person_00_0001", "Person_02_0001"]]
    assert "Person_00_0001 = Person_02_0001" in caplog.text


def test_bad_images_are_excluded_with_their_reason(root: Path) -> None:
    spoil(root)
    extra = picture(500)
    extra.save(root / "images" / "extra.png")
    rows = table(root)
    rows.loc[len(rows)] = ["extra.png", "neutral", "train"]
    write(root, rows)
    frame = prepare(root, on_bad_image="exclude", size=32)
    excluded = pd.read_csv(root.parent / "out" / "excluded.csv")
    assert excluded["image"].tolist() == [f"Person_{i:02}_0001.png" for i in (0, 1, 2, 5)]
    assert excluded["reason"].str.len().min() > 10
    assert len(frame) == 18
    assert sorted(p.stem for p in (root.parent / "out" / "images").iterdir()) == frame["id"].tolist()
    assert json.loads((root.parent / "out" / "manifest.json").read_text())["excluded"] == 4


def test_odd_images_are_stored_as_ordinary_ones(root: Path) -> None:
    odd = [
        Image.new("CMYK", (40, 40), (0, 255, 255, 0)),
        Image.new("RGBA", (40, 40), (255, 0, 0, 0)),
        Image.fromarray(np.full((40, 40), 257 * 100, np.uint16)),
    ]
    names = ["Person_00_0001.tif", "Person_01_0001.png", "Person_02_0001.png"]
    for name, image in zip(names, odd, strict=True):
        image.save(root / "images" / name)
    rows = table(root)
    rows.loc[0, "image"] = names[0]
    write(root, rows)
    paths = prepare(root, size=20)["path"]
    colours = [read_image(root.parent / "out" / path)[0, 0].tolist() for path in paths[:3]]
    assert colours == [[255, 0, 0], [128, 128, 128], [100, 100, 100]]


def test_photographs_are_private_unless_said_otherwise() -> None:
    assert not Dataset("mine", Settings(root="x")).publishable_images
    assert dataset(Path(), publishable_images=True).publishable_images
