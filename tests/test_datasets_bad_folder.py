"""A folder dataset with anything wrong: one clear error each, and nothing written."""

from pathlib import Path

import pandas as pd
import pytest
from folder_dataset import LABELS, SPLITS, dataset, make_folder, picture, prepare, refused, spoil, table, write
from pydantic import ValidationError

from fer_bench.datasets._fingerprint import FileDigest, fingerprint
from fer_bench.datasets.folder import Settings
from fer_bench.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


def test_val_per_class_that_cannot_be_names_the_key(root: Path) -> None:
    write(root, table(root).assign(split="train"))
    refused(root, r"datasets\.mine: val_per_class 3 would leave nothing .*neutral \(3\)", val_per_class=3)


def test_no_root(tmp_path: Path) -> None:
    refused(None, "no folder given; .*FER_BENCH_ROOT_MINE", out=tmp_path / "out")


def test_root_from_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_BENCH_ROOT_MINE", str(root))
    assert dataset(None).image_root(tmp_path) == root / "images"
    assert len(dataset(None).prepare(tmp_path / "env", workers=1, progress=False)) == 21
    monkeypatch.setenv("FER_BENCH_ROOT_MINE", "/nowhere/at/all")
    refused(None, "environment variable FER_BENCH_ROOT_MINE: '/nowhere/at/all' is not a folder", out=tmp_path / "out")
    assert dataset(root).external_root() == root  # params.yaml comes first


def test_root_missing_or_empty(tmp_path: Path) -> None:
    refused(tmp_path / "none", r"datasets\.mine\.root: .*is not a folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"datasets\.mine\.root: the folder .* is empty")


def test_labels_file_missing_or_unreadable(root: Path) -> None:
    (root / "labels.csv").write_bytes(b"image,label,split\n\xff\xfe,\x00\n")
    refused(root, r"mine\.csv: .*not a readable CSV")
    (root / "labels.csv").write_bytes(b"")
    refused(root, r"mine\.csv: .*not a readable CSV")
    (root / "labels.csv").write_text("image,label,split\n")
    refused(root, "has no rows")
    (root / "labels.csv").unlink()
    refused(root, r"mine\.csv: no file .*labels\.csv")


def test_columns_missing(root: Path) -> None:
    write(root, table(root).drop(columns="split"))
    refused(root, "has no column split; found: image, label")
    refused(root, "has no column split, who", subject_column="who")


def test_rows_that_cannot_be(root: Path) -> None:
    good = table(root)
    for column in ("image", "label", "split"):
        rows = good.copy()
        rows.loc[4, column] = " "
        write(root, rows)
        refused(root, rf"1 row\(s\) have no {column}, the first is row 5")
    for name in ("../labels.csv", "/etc/hostname", "a/../../b.png"):
        rows = good.copy()
        rows.loc[4, "image"] = name
        write(root, rows)
        refused(root, "outside the image folder")
    write(root, pd.concat([good, good[:1]]))
    refused(root, "more than once: Person_00_0001.png")


def test_absent_files_are_counted_and_named(root: Path) -> None:
    for i in range(5):
        (root / "images" / f"Person_{i:02}_0001.png").unlink()
    refused(root, r"5 of 21 images .* are not in .*images: Person_00_0001.png, .*Person_02_0001.png and 2 more")


def test_labels_splits_and_subjects_are_checked_against_the_file(root: Path) -> None:
    good = table(root)
    write(root, good.assign(label=["joy", *LABELS[1:]]))
    assert str(root / "labels.csv") in refused(root, "unknown label 'joy'.*known: neutral, happiness")
    write(root, good.assign(split=["dev", *SPLITS[1:]]))
    refused(root, "unknown split 'dev'.*known: train, val, test")
    write(root, good.assign(subject="one"))
    refused(root, r"several: one \(test, train, val\)")
    write(root, good[3:])
    refused(root, "no train image shows neutral")
    write(root, good)
    refused(
        root, r"label_map\.joy: unknown expression 'hapiness'; did you mean 'happiness'", label_map={"joy": "hapiness"}
    )


def test_subject_pattern_must_match_every_name(root: Path) -> None:
    refused(root, "finds no subject in 21 of 21 file names: Person_00", subject_pattern="^(X+)")


def test_all_bad_images_are_in_one_error(root: Path) -> None:
    spoil(root)
    message = refused(root, "4 of 21 images cannot be used", size=32)
    for part in (
        "Person_00_0001.png (empty file",
        "Person_01_0001.png (damaged or truncated",
        "Person_02_0001.png (not",
    ):
        assert part in message
    assert "Person_05_0001.png (1x1 pixels, less than min_side 16)" in message
    assert "on_bad_image: exclude" in message


def test_large_images_are_refused_by_their_header(root: Path) -> None:
    refused(
        root, "21 of 21 images cannot be used.*40x30 pixels, more than max_pixels 1000.*and 1 more", max_pixels=1000
    )


def test_exclusion_that_empties_a_class_or_everything_is_refused(root: Path) -> None:
    (root / "images" / "Person_00_0001.png").write_bytes(b"")
    refused(root, "no train image shows neutral", on_bad_image="exclude")
    refused(root, "no images", on_bad_image="exclude", min_side=1000)


def test_fingerprint_accepts_the_same_folder_only(root: Path) -> None:
    known = dataset(root).check(workers=1, progress=False)
    assert dataset(root, fingerprint=known).check(workers=1, progress=False) == known
    (root / "images" / "another.png").write_bytes(b"not named in the labels file")
    assert len(prepare(root, fingerprint=known)) == 21


def test_fingerprint_hangs_on_no_order() -> None:
    files = [FileDigest(name, 3, name * 64) for name in "abc"]
    assert fingerprint(files, files[0]) == fingerprint(files[::-1], files[0])
    assert fingerprint(files, files[0]).startswith("files:3/bytes:9/names:")


def changed(root: Path, known: str) -> str:
    message = refused(root.rename(root.parent / "moved"), "changed", fingerprint=known)
    assert dataset(root.parent / "moved").check(workers=1, progress=False) in message
    with pytest.raises(InputError, match=r"datasets\.mine\.fingerprint"):
        dataset(root.parent / "moved", fingerprint=known).check(workers=1, progress=False)
    return message


def test_changed_content_is_told(root: Path) -> None:
    known = dataset(root).check(workers=1, progress=False)
    path = root / "images" / "Person_00_0001.png"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    message = changed(root, known)
    assert "image contents" in message
    assert "labels file (" not in message
    assert "total size" not in message


def test_changed_labels_are_told(root: Path) -> None:
    known = dataset(root).check(workers=1, progress=False)
    rows = table(root)
    rows.loc[1, "label"] = "anger"
    write(root, rows)
    message = changed(root, known)
    assert "the labels file" in message
    assert "contents" not in message


def test_renamed_and_added_files_are_told(root: Path) -> None:
    known = dataset(root).check(workers=1, progress=False)
    picture(77).save(root / "images" / "new.png")
    write(root, pd.concat([table(root), pd.DataFrame([{"image": "new.png", "label": "fear", "split": "train"}])]))
    message = changed(root, known)
    assert "the number of images (21 -> 22)" in message
    assert "image names" in message


def test_a_fingerprint_that_is_none(root: Path) -> None:
    refused(root, "'abc' is not a fingerprint; this folder's is 'files:21/bytes", fingerprint="abc")


@pytest.mark.parametrize(
    "settings",
    [
        {"subject_pattern": "no group"},
        {"subject_pattern": "(unclosed"},
        {"subject_pattern": "(a)", "subject_column": "b"},
        {"val_fraction": 1.0},
        {"val_fraction": -0.1},
        {"expressions": 6},
        {"fit": "crop"},
        {"size": 0},
        {"max_pixels": 10**12},
        {"colour": False},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**settings)
