"""Every adapter from a miniature of its true layout, filled with generated faces, to generated tables."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import affectnet_dataset as affectnet
import au_datasets as units
import expw_dataset as expw
import ferplus_dataset as ferplus
import pandas as pd
import pytest
import rafdb_dataset as rafdb
from PIL import Image
from repository_copy import RepositoryCopy
from stages_in_process import Workspace

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
Make = Callable[[Path], Path]
# name of an entry in the committed params.yaml -> who writes its tree, keys that a tree of a few faces needs
COLLECTIONS: dict[str, tuple[Make, dict[str, Any]]] = {
    "affectnet_paper": (affectnet.make_npy, {"landmarks": "dlib"}),
    "affectnet8": (affectnet.make_npy, {"val_per_class": 1, "landmarks": "dlib", "train": {"sampling": "balanced"}}),
    "affectnet_csv": (affectnet.make_csv, {"val_per_class": 1, "size": 64}),
    "ferplus": (ferplus.make, {"landmarks": "dlib"}),
    "expw": (expw.make, {"landmarks": "dlib", "size": 64}),
    "raf_au": (units.make_raf_au, {"landmarks": "dlib"}),
    "disfa": (units.make_disfa, {"landmarks": "dlib", "every": 1}),
    "bp4d": (units.make_bp4d, {"landmarks": "dlib", "every": 1}),
    "ck_plus": (units.make_ck_plus, {"landmarks": "dlib"}),
}


def settings(raw: dict[str, Any], names: list[str], folder: Path, **grid: Any) -> dict[str, Any]:
    """The committed params.yaml with a grid of one tiny network, trained for an epoch on the first of the datasets."""
    raw["grid"] |= {
        "name": "mini", "datasets": names[:1], "test_datasets": names, "models": ["resnet10t"], "seeds": [0],
        "train": {"epochs": 1, "warmup_epochs": 0},
        "evaluate": {"explainers": ["cam"], "minimum_class_images": 1, "ceiling_maps": 2},
        **grid,
    }  # fmt: skip
    raw["models"]["resnet10t"]["kwargs"] |= {"channels": [4, 4, 8, 8], "stem_width": 4}
    raw["runtime"] |= {"progress": False, "processes": 1, "mlflow": False}
    raw["hygiene"] |= {"leaks": {"clean": "warn"}, "landmark_failures": 1.0}  # a few faces, laid out again and again
    for name in set(names) & set(COLLECTIONS):
        make, keys = COLLECTIONS[name]
        raw["datasets"][name] |= {"root": str(make(folder / name)), **keys}
    return raw


def finished(raw: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, figures: bool = False) -> Workspace:
    workspace = Workspace(folder / raw["grid"]["name"], raw)
    workspace.repro(monkeypatch, figures)
    return workspace


def scores(metrics: pd.DataFrame, metric: str, **keys: str) -> pd.DataFrame:
    """Rows of a metric with value and n as numbers; map scores of true classes, averaged over images."""
    rows = metrics[metrics["metric"] == metric]
    if metric in ("att_cos", "cam_cos"):
        keys = {"pairing": "true_true", "subset": "all", "average": "micro", "target": "paper", **keys}
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    return rows.assign(value=rows["value"].astype(float), n=rows["n"].astype(int))


def check(workspace: Workspace, test: str, images: int, mapped: int) -> None:
    """Both guidances were scored on all test images, and their maps on those that have one."""
    metrics = workspace.metrics
    metrics = metrics[metrics["test_dataset"] == test]
    accuracy = scores(metrics, "accuracy")
    assert set(accuracy["guidance"]) == set(metrics["guidance"]) and len(accuracy) == 2
    assert accuracy["value"].between(0, 100).all() and set(accuracy["n"]) == {images}
    for metric in ("att_cos", "cam_cos"):
        found = scores(metrics, metric)
        assert found["value"].between(0, 1).all() and set(found["guidance"]) == set(metrics["guidance"])
        assert set(found["n"]) == {mapped}, (metric, found["n"].unique())


@pytest.mark.parametrize(
    ("name", "protocol", "label"),
    [
        ("affectnet_paper", "paper", "AffectNet"),
        ("affectnet_csv", "clean", "AffectNet"),
        ("ferplus", "clean", "FER+"),
    ],
)
def test_from_the_layout_to_tables(
    name: str, protocol: str, label: str, raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven test images, one of each expression; neutral has no map."""
    workspace = finished(settings(raw_params, [name], tmp_path, protocol=protocol), tmp_path, monkeypatch)
    check(workspace, name, images=7, mapped=6)
    for table in ("table1", "table2", "scores", "recall", "landmarks"):
        text = workspace.table(table)
        assert f"{label}: 7 test images" in text or table == "landmarks", text
        assert f"Protocol {protocol}" in text or table == "landmarks", text
    split = {"clean": "val", "paper": "test"}[protocol]
    assert f"best accuracy on the {split} split" in workspace.table("table1")


def with_rafdb(raw: dict[str, Any], folder: Path, name: str, **keys: Any) -> Path:
    """Lay out RAF-DB in a folder, point an entry of params.yaml at it, and return its root."""
    root = rafdb.make(folder) / "RAF-DB"
    raw["datasets"][name] |= {"root": str(root), **keys}
    return root


def test_rafdb_prepared(
    raw_params: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Figures included: those that show faces must stay private, and so must the crops."""
    with_rafdb(raw_params, tmp_path, "rafdb")
    workspace = finished(settings(raw_params, ["rafdb"], tmp_path), tmp_path, monkeypatch, figures=True)
    check(workspace, "rafdb", images=7, mapped=6)
    assert "RAF-DB: licence: non-commercial research" in capsys.readouterr().out
    crops = pd.read_csv(workspace.folder / "data/faces/rafdb/crops.csv")
    assert (crops["status"] == "aligned").sum() >= 19
    table = workspace.table("table1")
    assert "RAF-DB: 7 test images" in table and "no published number beside CAM" in table
    assert not list((workspace.folder / "data/faces").rglob("*.png"))
    public, private = workspace.folder / "paper_tables/mini/figures", workspace.folder / "results/private"
    assert (private / "rafdb/heatmaps_preview.png").is_file()
    shown = {path.name.partition("-")[0] for path in (private / "mini").glob("*.png")}
    assert {"overlays", "panels", "au_maps"} <= shown, shown
    assert not list((workspace.folder / "results/runs").rglob("examples.npz"))  # an output of DVC, which may be pushed
    assert list(public.glob("attention_maps-*.pdf"))
    assert not [path for path in public.iterdir() if re.match("overlays|panels|au_maps", path.name)]


def test_rafdb_aligned(raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rafdb(raw_params, tmp_path, "rafdb", images="aligned")
    workspace = finished(settings(raw_params, ["rafdb"], tmp_path), tmp_path, monkeypatch)
    check(workspace, "rafdb", images=7, mapped=6)
    assert set(pd.read_csv(workspace.folder / "data/faces/rafdb/index.csv")["width"]) == {100}


def test_rafdb_by_the_published_protocol_crops_folds_and_landmarks(
    raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our crops and landmarks stand in for the released ones, in their format: the second run must draw equal maps."""
    root = with_rafdb(raw_params, tmp_path, "rafdb_paper")
    raw = settings(raw_params, ["rafdb_paper"], tmp_path, protocol="paper")
    first = finished(raw, tmp_path, monkeypatch)
    check(first, "rafdb_paper", images=7, mapped=6)
    assert "best accuracy on the test split" in first.table("table1") and "Protocol paper" in first.table("table1")
    found = pd.read_parquet(first.folder / "data/landmarks/rafdb_paper.parquet").set_index("id")
    release(root, first.folder / "data/private/rafdb_paper/images", found)
    raw["grid"]["name"] = "released"
    raw["landmarks"]["released"] = {"plugin": "given", "file": str(root / "folds")}
    raw["datasets"]["rafdb_paper"] |= {"images": "published", "folds": "folds", "landmarks": "released"}
    second = finished(raw, tmp_path, monkeypatch)
    check(second, "rafdb_paper", images=7, mapped=6)
    again = pd.read_parquet(second.folder / "data/landmarks/rafdb_paper.parquet").set_index("id")
    assert set(again["backend"]) == {"given"}
    pd.testing.assert_frame_equal(again[POINTS], found[POINTS], atol=1e-3)
    chance = [scores(one.metrics, "att_cos_chance_constant")["value"].tolist() for one in (first, second)]
    assert chance[0] == pytest.approx(chance[1], abs=1e-4)  # it hangs on the maps alone


POINTS = [f"{axis}{number}" for axis in "xy" for number in range(68)]


def release(root: Path, crops: Path, landmarks: pd.DataFrame) -> None:
    """Write crops and landmarks as the published code does: basic/Image/our_aligned and fold files."""
    (root / "basic/Image/our_aligned").mkdir()
    for path in crops.glob("*.png"):
        Image.open(path).save(root / f"basic/Image/our_aligned/{path.stem}.jpg", quality=75)
    folds = rafdb.write_folds(root / "folds", rafdb.labels(root))
    for split in ("train", "val", "test"):
        images = (folds / split / "image_ids.txt").read_text().split()
        lines = [",".join([image, *map(str, landmarks.loc[Path(image).stem, POINTS])]) for image in images]
        (folds / split / "landmarks.txt").write_text("\n".join(lines) + "\n")


GRID = """protocol: {protocol}
datasets: [{name}]
models: [resnet10t]
guidance: [none, au]
seeds: [0]
test_datasets: [{name}]
train: {{epochs: 1}}
evaluate: {{minimum_class_images: 1, explainers: [cam]}}
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_rafdb_through_dvc_by_both_protocols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of docs/datasets_rafdb.md, as they stand there."""
    root = rafdb.make(tmp_path) / "RAF-DB"
    copy = RepositoryCopy(tmp_path / "copy")
    copy.environment |= {"FER_BENCH_ROOT_RAFDB": str(root), "FER_BENCH_ROOT_RAFDB_PAPER": str(root)}
    for name, protocol in (("rafdb", "clean"), ("rafdb_paper", "paper")):
        grid = f"mini_{protocol}"
        (copy.folder / f"grids/{grid}.yaml").write_text(GRID.format(protocol=protocol, name=name))
        copy.run("fer_bench.cli", "use", grid)
        checked = copy.run("fer_bench.cli", "check")
        fingerprint = re.search(r"fingerprint: (files:21/\S+)", checked)
        assert fingerprint and "non-commercial research" in checked and "10.1109/CVPR.2017.277" in checked
        copy.edit("params.yaml", f"\n  {name}:", f"\n  {name}:\n    fingerprint: {fingerprint[1]}\n   ")
        copy.run("dvc", "repro", f"faces@{name}")
        printed = copy.run("fer_bench.cli", "repro")
        assert f"paper_tables/{grid}" in printed
        assert "Running stage" not in copy.run("dvc", "repro")
        accuracy = scores(copy.metrics(grid), "accuracy")
        assert set(accuracy["guidance"]) == {"none", "au"} and set(accuracy["protocol"]) == {protocol}
    assert not list((copy.folder / "data/faces").rglob("*.png"))
    shutil.copy(root / "basic/Image/original/train_00001.jpg", root / "basic/Image/original/train_00002.jpg")
    stopped = copy.run("dvc", "repro", "-f", "faces@rafdb_paper", check=False)
    assert "fingerprint: the folder" in stopped and "image contents" in stopped and "Traceback" not in stopped


def test_expw(raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = finished(settings(raw_params, ["expw"], tmp_path), tmp_path, monkeypatch)
    index = pd.read_csv(workspace.folder / "data/faces/expw/index.csv")
    test = index[index["split"] == "test"]
    check(workspace, "expw", images=len(test), mapped=int((test["label"] != "neutral").sum()))


def test_contempt_is_learnt_and_has_a_map_in_facs_alone(
    raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = settings(raw_params, ["affectnet8"], tmp_path, guidance=["none", "au_facs"])
    workspace = finished(raw, tmp_path, monkeypatch)
    check(workspace, "affectnet8", images=8, mapped=6)
    for metric in ("att_cos", "cam_cos"):
        assert set(scores(workspace.metrics, metric, target="facs")["n"]) == {7}
    assert set(scores(workspace.metrics, "recall_contempt")["n"]) == {1}
    assert "contempt" in workspace.table("recall").lower()


def test_annotated_units_stand_beside_the_codebook(
    raw_params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained on a table of one's own and tested on it and on all layouts; each face is scored against both maps."""
    names = ["units", "raf_au", "disfa", "bp4d", "ck_plus"]
    own = {"plugin": "au_table", "landmarks": "dlib", "labels": "labels.csv", "test_fraction": 0.3, "label": "Ours"}
    root = str(units.make_csv(tmp_path / "units", people=8))
    raw_params["datasets"]["units"] = {**own, "root": root}
    workspace = finished(settings(raw_params, names, tmp_path), tmp_path, monkeypatch)
    # faces for testing, those whose expression has a map, those in which a drawable unit was seen
    expected = {
        "units": (14, 12, 14),  # two of eight people; AU1 is in neutral faces too
        "raf_au": (3, 3, 2),  # 0012 has no unit
        "disfa": (8, 8, 4),  # AU12 in the four frames of SN001
        "bp4d": (6, 6, 6),
        "ck_plus": (6, 6, 6),
    }
    for test, (images, mapped, present) in expected.items():
        check(workspace, test, images, mapped)
        metrics = workspace.metrics[workspace.metrics["test_dataset"] == test]
        for metric in ("att_cos", "cam_cos"):
            annotated, codebook = (scores(metrics, metric, target=target) for target in ("present", "paper"))
            assert set(annotated["n"]) == {present}, (test, metric)
            assert set(annotated["guidance"]) == {"none", "au"} and annotated["value"].between(0, 1).all()
            assert annotated["value"].tolist() != codebook["value"].tolist()
    lines = [line for line in workspace.table("cross_map").splitlines() if "AUs present" in line]
    for label in ("Ours", "RAF-AU", "DISFA", "BP4D", "CK+"):
        assert any(label in line and "attention" in line for line in lines), label
        assert any(label in line and "CAM" in line for line in lines), label
