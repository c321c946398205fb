"""AffectNet, the older release: lines of its CSV files, crops, and landmarks that move with them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affectnet_dataset import BOX, line, make_csv, write
from generated_faces import landmarks_in, photograph
from PIL import Image

from fer_bench import landmarks
from fer_bench.datasets import read_image
from fer_bench.datasets._crop import Crop, CropSettings, _placement
from fer_bench.datasets._images import to_square
from fer_bench.datasets.affectnet import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8

POINTS = np.stack([np.linspace(35, 85, 68), np.linspace(15, 65, 68)], axis=1).round(1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_csv(tmp_path / "affectnet")


def dataset(root: Path, **settings: object) -> Dataset:
    return Dataset("faces", Settings(root=str(root), release="csv", **{"val_per_class": 1, "size": 64, **settings}))


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(root.parent / "data" / "faces" / "out", workers=1, progress=False)


def refused(root: Path, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.faces") and "\n" not in str(caught.value)


def spoil(root: Path, number: int, text: str) -> None:
    """Replace a line (counted from 1, the header) of training.csv."""
    lines = (root / "training.csv").read_text().splitlines()
    lines[number - 1] = text
    (root / "training.csv").write_text("\n".join(lines) + "\n")


def test_faces_are_cropped(root: Path) -> None:
    frame, out = prepare(root), root.parent / "data" / "faces" / "out"
    assert set(frame["label"]) == set(EXPRESSIONS) and frame["split"].value_counts().to_dict() == {
        "train": 7,
        "val": 7,
        "test": 7,
    }
    assert dataset(root).image_root(out) == root.parent / "data" / "private" / "out"
    one = frame[frame["id"] == "fear_c"].iloc[0]
    assert (one["path"], one["split"], one["width"], one["height"]) == ("images/fear_c.png", "test", 64, 64)
    stored = read_image(dataset(root).image_root(out) / one["path"])
    whole = read_image(root / "Manually_Annotated_Images/3/fear_c.jpg")
    np.testing.assert_array_equal(stored, to_square(whole[10:70, 30:90], 64, "pad"))
    excluded = pd.read_csv(out / "excluded.csv")
    assert excluded["label"].value_counts().to_dict() == {"contempt": 3, "no face": 1}


def test_eight_expressions(root: Path) -> None:
    assert set(prepare(root, expressions=8)["label"]) == set(EXPRESSIONS_8)


def test_landmarks_move_with_the_crop_and_the_backend_given_reads_them(root: Path, tmp_path: Path) -> None:
    frame, out = prepare(root), root.parent / "data" / "faces" / "out"
    table = landmarks.run(
        index=frame,
        image_root=dataset(root).image_root(out),
        backend="given",
        settings={"file": str(out / "landmarks.parquet")},
        out=tmp_path / "found.parquet",
        workers=1,
        progress=False,
        read_image=read_image,
        cache=tmp_path / "cache",
    )
    assert set(table["status"]) == {"ok"}
    _, points, _ = landmarks.read(tmp_path / "found.parquet")
    # box of 60 pixels from (30, 10) to a square of 64: the edge 29.5 becomes -0.5
    assert frame["id"].iloc[0] == "anger_a"
    expected = (landmarks_in(BOX, "anger") + 0.5 - np.array(BOX[:2])) * 64 / 60 - 0.5
    np.testing.assert_allclose(points[0], expected, atol=2e-3)


def test_pixels_and_landmarks_move_alike(root: Path) -> None:
    """A white dot of the photograph must lie under its landmark in the crop, whatever the fit and the shape."""
    path = root / "Manually_Annotated_Images" / "1" / "fear_a.png"
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:43, 60:63] = 255  # centre (61, 41)
    Image.fromarray(picture).save(path)
    points = np.full((68, 2), (61.0, 41.0))
    for k, settings in enumerate([{"fit": "pad"}, {"fit": "stretch"}, {"margin": 0.25}, {"size": None}]):
        spoil(root, 8, line("1/fear_a.png", "fear", points, (30, 10, 90, 100)))
        frame = dataset(root, **settings).prepare(root.parent / str(k) / "data/faces/out", workers=1, progress=False)
        out = root.parent / str(k) / "data" / "faces" / "out"
        row = frame[frame["id"] == "fear_a"].iloc[0]
        stored = read_image(root.parent / str(k) / "data/private/out" / row["path"])[..., 0].astype(float)
        table = pd.read_parquet(out / "landmarks.parquet").set_index("id").loc["fear_a"]
        y, x = np.indices(stored.shape)
        centre = ((x * stored).sum() / stored.sum(), (y * stored).sum() / stored.sum())
        assert centre == pytest.approx((table["x0"], table["y0"]), abs=0.15), settings


@pytest.mark.parametrize(
    ("fit", "size", "expected"),
    [
        ("pad", 64, ((32 / 30, 64 / 60), (16, 0))),
        ("stretch", 64, ((64 / 30, 64 / 60), (0, 0))),
        ("pad", None, ((1, 1), (0, 0))),
    ],
)
def test_placement_by_hand(fit: str, size: int | None, expected: tuple) -> None:
    assert _placement(30, 60, CropSettings(size, fit, 0.0, 16, 10**6)) == expected


def test_moving_points_by_hand() -> None:
    crop = Crop(scale=(2.0, 0.5), shift=(-20.0, 3.0))
    np.testing.assert_allclose(crop.move(np.array([[10.0, 4.0], [9.5, -0.5]])), [[0.5, 4.75], [-0.5, 2.5]])


def test_a_file_without_its_header_is_read_too(root: Path) -> None:
    with_header = prepare(root)
    lines = (root / "validation.csv").read_text().splitlines()[1:]
    write(root, "validation.csv", lines, header=False)
    pd.testing.assert_frame_equal(prepare(root), with_header)


def test_lines_are_read_in_parts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepare(root)
    monkeypatch.setattr("fer_bench.datasets._affectnet_csv._LINES", 3)
    pd.testing.assert_frame_equal(prepare(root), whole)
    spoil(root, 9, line("2/fear_b.jpg", "fear", POINTS[:67]))
    refused(root, r"training\.csv, line 9: facial_landmarks .* is not 68 points x;y;\.\.\. \(1 such lines\)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/a.jpg,30,10,60,60,1;2,happy,0,0", r"line 4: expression 'happy' is no class number \(0\.\.10\)"),
        ("1/a.jpg,30,10,60,60,1;2,11,0,0", r"line 4: expression '11' is no class number"),
        ("1/a.jpg,30,,60,60,1;2,1,0,0", "line 4: face_x '30' or another side of its box is no number"),
        ("1/a.jpg,30,10,60,60,1;2,1,0,0", "line 4: facial_landmarks '1;2' is not 68 points"),
        ("", "line 4: expression '' is no class number"),
        (f"1/a.jpg,30,10,60,60,{';'.join(['x'] * 136)},1,0,0", "line 4: facial_landmarks 'x;x;"),
        ('1/a.jpg,"30', "not a readable CSV"),
    ],
)
def test_bad_lines_are_named(root: Path, text: str, message: str) -> None:
    spoil(root, 4, text)
    refused(root, message)


def test_missing_columns_and_files(root: Path) -> None:
    write(root, "validation.csv", ["subDirectory_filePath,expression", "a.jpg,1"], header=False)
    refused(root, "has no column face_x, face_y, face_width, face_height, facial_landmarks; found: ")
    (root / "validation.csv").unlink()
    refused(root, r"root: no file .*validation\.csv; .*`release: npy`")


def test_absent_photographs_and_boxes_beyond_them(root: Path) -> None:
    (root / "Manually_Annotated_Images/1/happiness_a.jpg").unlink()
    refused(root, r"1 of 25 images cannot be used: .*happiness_a\.jpg \(cannot be read: No such file")
    spoil(root, 2, line("1/neutral_a.jpg", "neutral", POINTS, (150, 10, 210, 70)))
    spoil(root, 3, line("2/neutral_b.jpg", "neutral", POINTS, (-20, -20, 40, 40)))  # cut at the border
    frame = prepare(root, on_bad_image="exclude", val_per_class=None, val_fraction=0.0, size=None)
    assert not {"happiness_a", "neutral_a"} & set(frame["id"])
    cut = frame[frame["id"] == "neutral_b"].iloc[0]
    assert (cut["width"], cut["height"]) == (40, 40)
    reasons = pd.read_csv(root.parent / "data/faces/out/excluded.csv").set_index("image")["reason"]
    assert reasons["Manually_Annotated_Images/1/neutral_a.jpg"] == (
        "the box (left, top, right, bottom) 150, 10, 210, 70 leaves less than min_side 16 pixels of the 160x120 image"
    )


def test_a_photograph_listed_twice_and_one_outside_the_root(root: Path) -> None:
    spoil(root, 3, line("1/neutral_a.jpg", "neutral", POINTS))
    refused(root, "images listed more than once: Manually_Annotated_Images/1/neutral_a.jpg")
    spoil(root, 3, line("../../secret.jpg", "neutral", POINTS))
    refused(root, "images outside the root: .*secret.jpg")


def test_equal_file_names_in_two_folders_get_ids_of_their_own(root: Path) -> None:
    for folder, number in (("1", 2), ("2", 3)):
        photograph(root / "Manually_Annotated_Images" / folder / "same.jpg", "neutral", BOX)
        spoil(root, number, line(f"{folder}/same.jpg", "neutral", POINTS))
    frame = prepare(root)
    assert {"1/same.jpg", "2/same.jpg"} <= set(frame["id"])


def test_stored_faces_stay_on_the_machine_that_made_them(root: Path) -> None:
    with pytest.raises(InputError, match="dvc repro -f faces@faces"):
        dataset(root).image_root(root.parent / "data" / "faces" / "out")


def test_fingerprint_covers_photographs_and_both_files(root: Path) -> None:
    found = dataset(root).check(workers=1, progress=False)
    assert found.startswith("files:21/")
    spoil(root, 2, line("1/neutral_a.jpg", "neutral", POINTS, (31, 10, 90, 70)))
    with pytest.raises(InputError, match="changed: the labels file"):
        dataset(root, fingerprint=found).check(workers=1, progress=False)
