"""Hygiene: copies, leaks, conflicts and absent landmarks of hand-made datasets; the switches; the search."""

import hashlib
import json
import logging
import runpy
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from generated_faces import face
from PIL import Image, ImageEnhance

from fer_bench import hygiene, params, plan
from fer_bench.datasets import perceptual_hash, read_image
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.hygiene.relation import identical, near_identical, same_subject
from fer_bench.train_settings import RuntimeSettings

FAIL = {"protocol": "clean", "leaks": "fail", "near": "warn", "conflicts": "warn", "landmark_failures": 0.2}
POINTS = [f"{axis}{number}" for axis in "xy" for number in range(68)]


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def half(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)


ORIGINAL = saved(face("anger", 0))
COPIES = {
    "jpeg": saved(face("anger", 0), "JPEG", quality=75),
    "half": saved(half(face("anger", 0))),
    "brighter": saved(ImageEnhance.Brightness(face("anger", 0)).enhance(1.1)),
}


def make(folder: Path, *rows: tuple[bytes, str, str, str]) -> pd.DataFrame:
    """Write images and return their index; rows: bytes, label, split, subject."""
    found = []
    for number, (data, label, split, subject) in enumerate(rows):
        path = folder / f"images/{number:02}.img"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        names = {"id": f"{number:02}", "path": f"images/{path.name}", "label": label, "split": split}
        found.append({**names, "subject": subject, "sha256": hashlib.sha256(data).hexdigest()})
    return pd.DataFrame(found).assign(width=48, height=48)


def look(folder: Path, *rows: tuple[bytes, str, str, str], located=None, distance: int = 4) -> hygiene.Findings:
    index = make(folder, *rows)
    hashes = np.array([perceptual_hash(read_image(folder / path)) for path in index["path"]], dtype=np.uint64)
    found = np.ones(len(index), bool) if located is None else np.array(located)
    return hygiene.find(index, hashes, found, EXPRESSIONS, distance)


def random_hashes(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2**64, count, dtype=np.uint64, endpoint=False)


@pytest.mark.parametrize("distance", [0, 1, 4, 6, 16])
def test_search_finds_what_comparing_all_pairs_finds(distance):
    rng = np.random.default_rng(distance)
    hashes = random_hashes(1200, rng)
    for number in range(400):  # relatives up to 19 bits away; some equal
        flips = sum(1 << int(bit) for bit in rng.choice(64, number % 20, replace=False))
        hashes[400 + number] = hashes[number] ^ np.uint64(flips)
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = np.argwhere(np.triu(apart <= distance, 1))
    assert len(expected) >= 20 * (distance + 1)
    np.testing.assert_array_equal(hygiene.pairs_within(hashes, distance), expected)


def test_search_of_nothing_and_of_one_crowded_bucket():
    assert hygiene.pairs_within(np.empty(0, np.uint64), 4).shape == (0, 2)
    equal = np.full(300, 7, np.uint64)  # more than one tile of rows
    assert len(hygiene.pairs_within(equal, 4)) == 300 * 299 // 2


def test_partners_by_hand():
    """Groups x x x y; splits train train test test: the third x has two partners in train, y has none."""
    relation = identical(pd.Series(["x", "x", "x", "y"]))
    splits = pd.Series(["train", "train", "test", "test"])
    assert relation.partners(splits).tolist() == [[1, 1], [1, 1], [0, 2], [0, 0]]  # columns test, train
    assert relation.any().tolist() == [True, True, True, False]
    assert relation.across(splits).tolist() == [True, True, True, False]


def test_near_images_are_partners_but_the_same_file_is_not():
    """Hashes 0, 0, 0b11, far; the first two are one file. Within two bits: each of them with the third."""
    hashes = np.array([[0, 0], [0, 0], [3, 0], [2**63 + 2**40 + 7 * 2**20, 0]], dtype=np.uint64)
    relation = near_identical(hashes, pd.Series(["a", "a", "b", "c"]), 2)
    assert relation.partners(pd.Series(["v"] * 4))[:, 0].tolist() == [1, 1, 2, 0]
    assert relation.chains().tolist()[:3] == [relation.chains()[0]] * 3
    assert not near_identical(hashes, pd.Series(["a", "a", "b", "c"]), 1).any().any()


def test_both_hashes_have_to_be_near():
    hashes = np.array([[0, 0], [1, 2**9 - 1]], dtype=np.uint64)
    files = pd.Series(["a", "b"])
    assert not near_identical(hashes, files, 4).any().any()
    assert near_identical(hashes, files, 9).any().all()


def test_faces_without_a_subject_share_none():
    relation = same_subject(pd.Series(["", "ann", "", "ann"]))
    assert relation.any().tolist() == [False, True, False, True]


@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_other_form_are_near_and_another_face_is_not(tmp_path, kind):
    other = saved(face("anger", 1))
    rows = [(ORIGINAL, "anger", "train", "a"), (COPIES[kind], "anger", "test", "b"), (other, "anger", "test", "c")]
    found = look(tmp_path, *rows)
    assert found.lists["near_identical"]["id"].tolist() == ["00", "01"]
    assert found.lists["near_identical"]["leak"].all() and found.lists["identical"].empty
    assert [found.facts[split]["near_leaks"] for split in ("train", "test")] == [1, 1]
    assert [found.facts[split]["identical_leaks"] for split in ("train", "test")] == [0, 0]


def test_facts_of_a_dataset_by_hand(tmp_path):
    other = saved(face("fear", 1))
    rows = [
        (ORIGINAL, "anger", "train", "a"),
        (ORIGINAL, "disgust", "train", "a"),  # a conflict within train
        (ORIGINAL, "anger", "test", "b"),  # the same file in test
        (other, "fear", "test", ""),
    ]
    found = look(tmp_path, *rows, located=[True, False, True, False])
    train, test = found.facts["train"], found.facts["test"]
    assert (train["images"], train["subjects"], train["without_subject"]) == (2, 1, 0)
    assert (test["images"], test["subjects"], test["without_subject"]) == (2, 1, 1)
    assert (train["identical"], train["identical_leaks"], train["conflicts"]) == (2, 2, 2)
    assert (test["identical"], test["identical_leaks"], test["conflicts"]) == (1, 1, 1)
    assert train["near"] == test["near"] == train["subject_leaks"] == 0
    assert train["classes"] == dict.fromkeys(EXPRESSIONS, 0) | {"anger": 1, "disgust": 1}
    assert train["no_landmarks"]["disgust"] == test["no_landmarks"]["fear"] == 1
    assert found.lists["identical"]["id"].tolist() == ["00", "01", "02"]
    assert found.lists["without_landmarks"]["id"].tolist() == ["01", "03"]


def leaking(folder: Path) -> hygiene.Findings:
    return look(folder, (ORIGINAL, "anger", "train", "a"), (ORIGINAL, "fear", "test", "b"))


def test_a_leak_stops_and_names_files_list_and_switch(tmp_path):
    with pytest.raises(InputError) as error:
        hygiene.judge(leaking(tmp_path), "mine", FAIL, Path("data/hygiene/mine"))
    told = str(error.value)
    for part in ("mine", "00.img (train, anger)", "01.img (test, fear)", "data/hygiene/mine/identical.csv"):
        assert part in told
    assert "hygiene.leaks.clean: warn" in told and "\n" not in told


def test_a_switch_turns_the_stop_into_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        hygiene.judge(leaking(tmp_path), "mine", FAIL | {"leaks": "warn"}, Path("lists"))
    assert "2 images are one file in several splits" in caplog.text
    assert "2 images are one file with several labels" in caplog.text


@pytest.mark.parametrize("key", ["near", "conflicts"])
def test_every_switch_can_stop(tmp_path, key):
    copy = ORIGINAL if key == "conflicts" else COPIES["jpeg"]
    found = look(tmp_path, (ORIGINAL, "anger", "train", ""), (copy, "fear", "test", ""))
    with pytest.raises(InputError, match=f"hygiene.{key}: warn"):
        hygiene.judge(found, "mine", FAIL | {"leaks": "warn", key: "fail"}, tmp_path)


def test_subjects_in_two_splits_stop(tmp_path):
    found = look(tmp_path, (ORIGINAL, "anger", "train", "ann"), (saved(face("fear", 1)), "fear", "test", "ann"))
    assert found.facts["test"]["subject_leaks"] == 1
    with pytest.raises(InputError, match=r"subjects that are in several splits.*shared_subjects.csv"):
        hygiene.judge(found, "mine", FAIL, tmp_path)


def test_clean_data_say_nothing(tmp_path, caplog):
    found = look(tmp_path, (ORIGINAL, "anger", "train", "a"), (saved(face("fear", 1)), "fear", "test", "b"))
    hygiene.judge(found, "mine", FAIL, tmp_path)
    assert not caplog.text


def test_landmark_limit_names_classes_and_rates(tmp_path):
    rows = [(saved(face(word, number)), word, "train", "") for word in ("anger", "fear") for number in range(4)]
    located = [False, True, True, True, False, False, True, True]
    found = look(tmp_path, *rows, located=located)
    hygiene.judge(found, "mine", FAIL | {"landmark_failures": 0.5}, tmp_path)  # exactly the limit passes
    with pytest.raises(InputError, match=r"fear 50.0 % \(2 of 4\), more than 25 %") as error:
        hygiene.judge(found, "mine", FAIL | {"landmark_failures": 0.25}, tmp_path)
    assert "anger" not in str(error.value) and "landmark_failures" in str(error.value)


def entry(raw, protocol: str = "clean"):
    raw["grid"]["protocol"] = protocol
    return plan.entries(params.parse(raw), ROOT)["hygiene/synthetic.json"]


def test_the_switch_follows_the_protocol_and_the_dataset(raw_params):
    assert entry(raw_params)["hygiene"]["leaks"] == "fail"
    assert entry(raw_params, "paper")["hygiene"]["leaks"] == "warn"
    raw_params["hygiene"]["datasets"] = {"synthetic": {"leaks": {"clean": "warn"}, "near_distance": 2}}
    resolved = entry(raw_params)["hygiene"]
    assert (resolved["leaks"], resolved["near_distance"], resolved["near"]) == ("warn", 2, "warn")
    raw_params["hygiene"]["datasets"] = {"synthetik": {}}
    with pytest.raises(InputError, match=r"hygiene.datasets.*did you mean 'synthetic'"):
        params.parse(raw_params)
    raw_params["hygiene"]["datasets"] = {"synthetic": {"near_distnace": 2}}
    with pytest.raises(InputError, match="near_distance"):
        params.parse(raw_params)


def prepare(folder: Path, raw, *rows: tuple[bytes, str, str, str]) -> None:
    """Lay out a work folder as the stages before this one leave it; the first face has no landmarks."""
    faces = folder / "data/faces/synthetic"
    make(faces, *rows).to_csv(faces / "index.csv", index=False)
    points = np.zeros((len(rows), 136), np.float32)
    points[0] = np.nan
    table = pd.DataFrame(points, columns=POINTS).assign(id=[f"{n:02}" for n in range(len(rows))], status="ok")
    (folder / "data/landmarks").mkdir(parents=True)
    table.to_parquet(folder / "data/landmarks/synthetic.parquet")
    (folder / "params.yaml").write_text(json.dumps(raw))


def run_stage(raw) -> None:
    runtime = RuntimeSettings(processes=1, progress=False)
    runpy.run_path(str(ROOT / "stages/hygiene.py"))["work"](entry(raw), runtime)


def test_stage_writes_lists_and_counts(tmp_path, raw_params, monkeypatch):
    raw_params["hygiene"]["landmark_failures"] = 1
    prepare(tmp_path, raw_params, (ORIGINAL, "anger", "train", "a"), (COPIES["jpeg"], "anger", "test", "b"))
    monkeypatch.chdir(tmp_path)
    run_stage(raw_params)
    summary = json.loads(Path("results/hygiene/synthetic.json").read_text())
    assert summary["splits"]["test"]["near_leaks"] == 1 and summary["splits"]["train"]["no_landmarks"]["anger"] == 1
    listed = Path("data/hygiene/synthetic/without_landmarks.csv")
    digest = hashlib.sha256(listed.read_bytes()).hexdigest()
    assert summary["files"] == [{"path": listed.as_posix(), "sha256": digest}]
    assert "images/00.img" in listed.read_text() and "images/01.img" not in listed.read_text()
    before = {path: path.read_bytes() for path in Path().rglob("*hygiene/*") if path.is_file()}
    run_stage(raw_params)
    assert before == {path: path.read_bytes() for path in before}


def test_stage_that_stops_leaves_the_list_and_no_counts(tmp_path, raw_params, monkeypatch):
    raw_params["hygiene"]["landmark_failures"] = 1
    prepare(tmp_path, raw_params, (ORIGINAL, "anger", "train", "a"), (ORIGINAL, "anger", "test", "b"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"identical\.csv"):
        run_stage(raw_params)
    assert len(pd.read_csv("data/hygiene/synthetic/identical.csv")) == 2
    assert not Path("results/hygiene/synthetic.json").exists()
