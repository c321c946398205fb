"""RAF-DB as a dataset: crops, their statuses, what is kept and remade, and the stages after it."""

import json
import logging
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rafdb_dataset as raf
from conftest import ROOT
from PIL import Image
from rafdb_dataset import CORNER, box_at, dataset, out_of, photograph, prepare, refused, write_box, write_photograph

from fer_bench import params, plan
from fer_bench.datasets import read_image, read_index
from fer_bench.datasets._alignment import TEMPLATE, crop_box, five_points
from fer_bench.datasets.rafdb import PUBLISHED
from fer_bench.errors import InputError
from fer_bench.train_settings import RuntimeSettings

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
LEFT = (8, 60)  # a second place for a face; swapped axes of a box at CORNER do not reach either
RELEASED = "basic/Image/our_aligned/{}.jpg"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raf.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def root(tmp_path: Path, made: Path) -> Path:
    return raf.copy(made, tmp_path)


@pytest.fixture
def few(root: Path) -> Path:
    """Only what must be there: one train image of each expression and one test image, for speed."""
    raf.write_labels(root, [*raf.labels(root)[:7], raf.labels(root)[14]])
    return root


def face(made: Path, number: int) -> np.ndarray:
    """A generated face: number 0 to 13 of train."""
    return read_image(sorted((made / "generated" / "images").glob("train*.png"))[number])


def record(root: Path, name: str) -> dict[str, Any]:
    """What a stored crop says of itself."""
    with Image.open(stored(root) / "images" / f"{name}.png") as image:
        return dict(json.loads(image.info["fer_bench"]))


def stored(root: Path) -> Path:
    return root.parent / "data" / "private" / "rafdb"


def crop(root: Path, name: str) -> np.ndarray:
    return read_image(stored(root) / "images" / f"{name}.png")


def statuses(root: Path) -> pd.DataFrame:
    return pd.read_csv(out_of(root) / "crops.csv", keep_default_na=False).set_index("id")


def manifest(root: Path) -> dict[str, Any]:
    return dict(json.loads((out_of(root) / "manifest.json").read_text()))


def test_the_whole_preparation(root: Path) -> None:
    frame = prepare(root)
    pd.testing.assert_frame_equal(read_index(out_of(root) / "index.csv"), frame, check_dtype=False)
    assert frame["split"].value_counts().to_dict() == {"train": 7, "val": 7, "test": 7}  # a tenth, at least one each
    given = dict(line.split(".jpg ") for line in raf.labels(root))
    assert {raf.IDS[row.label] - int(given[row.id]) for row in frame.itertuples()} == {0}
    assert set(frame["width"]) == set(frame["height"]) == {224}
    assert dataset(root).image_root(out_of(root)) == stored(root)
    assert all((stored(root) / path).is_file() for path in frame["path"])
    assert not list(out_of(root).rglob("*.png"))  # nothing private in the folder that is cached
    table = statuses(root)
    assert set(table["status"]) == {"aligned"}
    assert set(table["faces"]) == {1}
    assert table["overlap"].astype(float).min() > 0.5
    facts = manifest(root)
    assert facts["crops"]["status"] == {"aligned": 21, "box_crop": 0}
    assert facts["crops"]["status_by_expression"]["fear"] == {"aligned": 3, "box_crop": 0}
    assert facts["box_order"]["correct"] == {"centres_in_image": 1.0, "points_in_box": 1.0}
    assert facts["validation"] == "taken from train"
    assert str(root) not in json.dumps(facts)


def test_detected_and_annotated_points_make_nearly_the_same_crop(few: Path) -> None:
    prepare(few)
    detected = np.array(record(few, "train_00001")["points"])
    assert np.abs(detected - TEMPLATE).max() < 20  # a least-squares fit of one shape to another
    prepare(few, points="annotated")
    annotated = np.array(record(few, "train_00001")["points"])
    assert np.linalg.norm(annotated - detected, axis=1).mean() < 5  # of an eye distance of 70


def test_annotated_points_need_no_detector(few: Path) -> None:
    prepare(few, points="annotated", detector="face_alignment")  # whose weights are not here
    table = statuses(few)
    assert set(table["status"]) == {"aligned"}
    assert set(table["step"]) == {"annotated"}
    assert manifest(few)["detector"] == {}


def test_the_annotated_box_decides_between_two_faces(few: Path, made: Path) -> None:
    ours, other = face(made, 0), face(made, 5)
    for name, box, (corner, pixels) in (
        ("train_00001", box_at(CORNER), (CORNER, ours)),
        ("train_00002", box_at(LEFT), (LEFT, other)),
    ):
        write_photograph(few, name, photograph(1, {corner: pixels}))
        write_box(few, name, box)
    prepare(few)
    alone = {name: crop(few, name).astype(float) for name in ("train_00001", "train_00002")}
    for name in alone:
        write_photograph(few, name, photograph(1, {CORNER: ours, LEFT: other}))
    prepare(few)
    table = statuses(few).loc[list(alone)]
    assert table["faces"].tolist() == [2, 2]
    assert (table["overlap"].astype(float) > 0.5).all()
    for name, other_name in (("train_00001", "train_00002"), ("train_00002", "train_00001")):
        both = crop(few, name).astype(float)
        assert np.abs(both - alone[name]).mean() < 4 < np.abs(both - alone[other_name]).mean()
    assert manifest(few)["crops"]["several_faces"] == 2


@pytest.mark.parametrize(("order", "box"), [("correct", (40, 20, 120, 140)), ("swapped", (20, 40, 140, 120))])
def test_without_a_face_the_annotated_box_is_cropped(few: Path, order: str, box: tuple[int, ...]) -> None:
    pixels = photograph(3, {})
    write_photograph(few, "train_00003", pixels)
    write_box(few, "train_00003", (40.5, 20.5, 120.5, 140.5))
    prepare(few, box_order=order)
    row = statuses(few).loc["train_00003"]
    assert row[["status", "step", "faces", "overlap"]].tolist() == ["box_crop", "", 0, ""]
    assert row["message"] == "no face found"
    seen = read_image(few / "basic/Image/original/train_00003.jpg")
    assert (crop(few, "train_00003") == crop_box(seen, box)).all()
    assert manifest(few)["crops"]["status"] == {"aligned": 7, "box_crop": 1}


def test_a_face_beside_its_box(few: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_box(few, "train_00002", (2, 2, 60, 58))
    with caplog.at_level(logging.WARNING):
        prepare(few)
    assert statuses(few).loc["train_00002", ["status", "overlap"]].tolist() == ["aligned", 0]  # as published
    assert any("1 faces do not touch their annotated boxes, see crops.csv" in text for text in caplog.messages)
    prepare(few, min_overlap=0.1)
    row = statuses(few).loc["train_00002"]
    assert row[["status", "faces", "overlap"]].tolist() == ["box_crop", 1, 0]
    assert row["message"] == "no face overlaps the annotated box by 0.1"


def test_a_detector_that_fails_is_reported_and_the_run_goes_on(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fer_bench.landmarks.dlib import Backend

    def fail(*_: object) -> None:
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr(Backend, "faces", fail)
    prepare(few)
    table = statuses(few)
    assert set(table["status"]) == {"box_crop"}
    assert set(table["message"]) == {"the detector failed: RuntimeError: out of luck"}


def test_points_that_coincide_fall_back_to_the_box(few: Path) -> None:
    raf.write_points(few, "train_00002", np.full((5, 2), 70.0))
    prepare(few, points="annotated")
    assert statuses(few).loc["train_00002", "status"] == "box_crop"
    assert "coincide" in statuses(few).loc["train_00002", "message"]


def test_what_did_not_change_is_kept(few: Path, made: Path) -> None:
    first = prepare(few)
    images = stored(few) / "images"
    before = {path.name: path.stat().st_mtime_ns for path in images.iterdir()}
    write_photograph(
        few, "train_00001", photograph(9, {CORNER: read_image(few / "basic/Image/aligned/train_00001_aligned.jpg")})
    )
    whole = (images / "train_00002.png").read_bytes()
    (images / "train_00002.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(crop(few, "train_00003")).save(images / "train_00003.png")  # without our record
    (images / "stale.png").write_bytes(whole)
    second = prepare(few)
    after = {path.name: path.stat().st_mtime_ns for path in images.iterdir()}
    assert after.keys() == before.keys()
    remade = {name for name in before if after[name] != before[name]}
    assert remade == {"train_00001.png", "train_00002.png", "train_00003.png"}
    differing = first["id"][(first["sha256"] != second["sha256"]).to_numpy()]
    assert differing.tolist() == ["train_00001"]
    prepare(few, detector_settings={"hog_threshold": 0.01})  # another recipe: everything is made again
    assert all(path.stat().st_mtime_ns != after[path.name] for path in images.iterdir())


def test_workers_and_line_order_change_nothing(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(few)
    raf.write_labels(few, raf.labels(few)[::-1])
    monkeypatch.setattr("fer_bench.datasets._parallel._WORTH_A_PROCESS", 4)
    out = few.parent / "again" / "faces" / "rafdb"
    second = dataset(few).prepare(out, workers=2, progress=False)
    pd.testing.assert_frame_equal(first, second)
    assert (out / "index.csv").read_bytes() == (out_of(few) / "index.csv").read_bytes()
    assert (out / "crops.csv").read_bytes() == (out_of(few) / "crops.csv").read_bytes()


@pytest.mark.parametrize(
    ("images", "path", "size"),
    [
        ("original", "basic/Image/original/train_00001.jpg", raf.SIZE),
        ("aligned", "basic/Image/aligned/train_00001_aligned.jpg", (100, 100)),
        ("published", "basic/Image/our_aligned/train_00001.jpg", (100, 100)),
    ],
)
def test_images_that_are_used_as_they_are(few: Path, images: str, path: str, size: tuple[int, int]) -> None:
    (few / "basic/Image/our_aligned").mkdir()
    for file in (few / "basic/Image/aligned").iterdir():
        name = file.name.replace("_aligned", "")
        (few / "basic/Image/our_aligned" / name).write_bytes(file.read_bytes())
    frame = prepare(few, images=images, val_fraction=0.0, detector="face_alignment").set_index("id")
    assert frame.loc["train_00001", ["path", "width", "height"]].tolist() == [path, *size]
    assert dataset(few, images=images).image_root(out_of(few)) == few
    assert not stored(few).exists()
    written = ["attributes.csv", "excluded.csv", "index.csv", "manifest.json"]
    assert sorted(file.name for file in out_of(few).iterdir()) == written
    assert manifest(few)["validation"] == "none"


def test_crops_that_another_machine_made(few: Path) -> None:
    with pytest.raises(InputError, match=r"datasets\.rafdb: no stored images in .*run `dvc repro -f faces@rafdb` here"):
        dataset(few).image_root(out_of(few))


def test_published_counts(few: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert {split: sum(counts.values()) for split, counts in PUBLISHED.items()} == {"train": 12271, "test": 3068}
    assert PUBLISHED["test"]["fear"] == 74
    with caplog.at_level(logging.WARNING):
        prepare(few, images="original", val_fraction=0.0)
    assert "8 images, 15339 published" in caplog.text
    assert "train fear 1 (published 281)" in manifest(few)["counts_that_differ"]


def test_fingerprint_tells_what_changed(few: Path) -> None:
    found = dataset(few).check(workers=1, progress=False)
    assert found == manifest_after(few)
    assert dataset(few, fingerprint=found).check(workers=1, progress=False) == found
    whole = dataset(few, images="original").check(workers=1, progress=False)
    write_box(few, "train_00001", (1, 2, 30, 40))
    refused_check(few, found, r"changed: the labels file \(")
    assert dataset(few, images="original").check(workers=1, progress=False) == whole  # boxes are not used there
    write_photograph(few, "train_00001", photograph(4, {}))
    refused_check(few, found, "changed: their total size .*image contents")


def manifest_after(root: Path) -> str:
    prepare(root)
    return str(manifest(root)["fingerprint"])


def refused_check(root: Path, fingerprint: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataset(root, fingerprint=fingerprint).check(workers=1, progress=False)


def test_near_duplicates_stay_in_one_split(root: Path) -> None:
    """Of each expression train has two images; when these are copies, both or none of them go to val."""
    by_label: dict[str, list[str]] = {}
    for line in raf.labels(root)[:14]:
        by_label.setdefault(line.split()[1], []).append(line.split(".")[0])
    for one, other in by_label.values():
        copied = Image.open(root / f"basic/Image/original/{one}.jpg")
        copied.save(root / f"basic/Image/original/{other}.jpg", quality=80)
    frame = prepare(root, images="original").set_index("id")
    assert all(frame.loc[one, "split"] == frame.loc[other, "split"] for one, other in by_label.values())


def test_fold_files_give_the_splits(root: Path) -> None:
    folds = raf.write_folds(root / "folds", raf.labels(root))
    for name in ("image_ids.txt", "class_labels.txt"):
        for split, moved in (("val", ["train_00002", "train_00003"]), ("train", ["train_00004"])):
            path = folds / "train" / name
            lines = path.read_text().splitlines(keepends=True)
            taken = [line for line in lines if any(one in line for one in moved)]
            path.write_text("".join(line for line in lines if line not in taken))
            if split == "val":
                (folds / "val" / name).write_text("".join(taken))
    frame = prepare(root, folds="folds", images="original").set_index("id")
    assert frame["split"].value_counts().to_dict() == {"train": 11, "val": 2, "test": 7}
    assert frame.loc[["train_00002", "train_00003"], "split"].tolist() == ["val", "val"]
    assert (out_of(root) / "excluded.csv").read_text().splitlines()[1:] == [
        f"train_00004,{word(root, 'train_00004')},train,,not named in the fold files"
    ]
    assert (manifest(root)["validation"], manifest(root)["excluded"]) == ("given", 1)


def word(root: Path, name: str) -> str:
    """The expression that the label file gives an image."""
    number = int(next(line for line in raf.labels(root) if line.startswith(name)).split()[1])
    return next(label for label, known in raf.IDS.items() if known == number)


def test_fold_files_that_disagree_with_the_labels(few: Path) -> None:
    raf.write_folds(few / "folds", [*raf.labels(few)[:-1], raf.labels(few)[-1][:-1] + "4"])
    refused(few, r"datasets\.rafdb\.folds: another label for 1 images: test_0001", folds="folds")


def test_released_landmarks_are_measured_on_the_crops(few: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Landmarks that are our own five points, moved by (3, 4): 5 px everywhere; then one image without a face."""
    folds = raf.write_folds(few / "folds", raf.labels(few))
    prepare(few)
    for name in ("train", "val", "test"):
        lines = []
        for image in (folds / name / "image_ids.txt").read_text().split():
            points = sixty_eight(np.add(record(few, Path(image).stem)["points"], (3, 4)))
            none = image.endswith("train_00002.jpg")
            lines.append(",".join([image, *(["inf"] * 136 if none else map(str, points.T.ravel()))]))
        (folds / name / "landmarks.txt").write_text("\n".join(lines) + "\n")
    prepare(few, folds="folds")
    assert manifest(few)["released_landmarks"] == {"compared": 7, "median": 5.0, "tenth": 5.0, "far": 0}
    assert not any("released landmarks" in text for text in caplog.messages)
    path = folds / "train" / "landmarks.txt"
    path.write_text(path.read_text().replace(RELEASED.format("train_00001"), "x").replace("train_0000", "train_9999"))
    prepare(few, folds="folds")
    assert manifest(few)["released_landmarks"]["compared"] == 1


def sixty_eight(five: np.ndarray) -> np.ndarray:
    """68 points whose five points are the given ones."""
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[[30, 48, 54]] = five[0], five[1], five[2:]
    assert five_points(points) == pytest.approx(five)
    return points


def test_stages_after_each_other(few: Path, raw_params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """faces, landmarks and heatmaps as the pipeline calls them, from plan entries of params.yaml's own section."""
    raw_params["grid"] |= {"datasets": ["rafdb"], "test_datasets": ["rafdb"]}
    raw_params["datasets"]["rafdb"]["root"] = str(few)
    entries = plan.entries(params.parse(raw_params), ROOT)
    assert "fer_bench.landmarks.dlib" in entries["faces/rafdb.json"]["sources"]
    assert "fer_bench.landmarks.face_alignment" not in entries["faces/rafdb.json"]["sources"]
    train = entries["train/rafdb-resnet10t-au-s0.json"]["sources"]
    assert "fer_bench.landmarks.dlib" not in train  # another detector makes other images, not other code of training
    work = few.parent / "work"
    work.mkdir()
    (work / "params.yaml").write_text(json.dumps(raw_params))
    monkeypatch.chdir(work)
    runtime = RuntimeSettings(processes=1, progress=False)
    for stage in ("faces", "landmarks", "heatmaps"):
        runpy.run_path(str(ROOT / "stages" / f"{stage}.py"))["work"](entries[f"{stage}/rafdb.json"], runtime)
    table = pd.read_parquet(work / "data/landmarks/rafdb.parquet")
    assert table["id"].tolist() == read_index(work / "data/faces/rafdb/index.csv")["id"].tolist()
    found = table[table["status"].isin(["ok", "several_faces", "fallback"])]
    assert len(found) >= 7
    columns = [[f"{axis}{k}" for k in range(68)] for axis in "xy"]
    points = np.stack([found[names].to_numpy(float) for names in columns], axis=2)
    eyes = np.stack([five_points(one)[:2] for one in points])
    assert np.abs(np.median(eyes, axis=0) - TEMPLATE[:2]).max() < 8  # found anew on the crop, near the template
    assert (work / "results/private/rafdb/heatmaps_preview.png").is_file()
    assert not list((work / "data/heatmaps/rafdb").glob("*.png"))
