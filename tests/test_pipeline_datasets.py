"""Every adapter from a miniature of its true layout to generated tables, with generated faces in the place of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import affectnet_dataset as affectnet
import au_datasets as units
import expw_dataset as expw
import ferplus_dataset as ferplus
import pandas as pd
import pytest
from stages_in_process import Workspace

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
Make = Callable[[Path], Path]
# name of an entry in the committed params.yaml -> who writes its tree, keys that a tree of a few faces needs
COLLECTIONS: dict[str, tuple[Make, dict[str, Any]]] = {
    "affectnet": (affectnet.make_npy, {"val_per_class": 1, "landmarks": "dlib"}),
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
    for name in set(names) & set(COLLECTIONS):
        make, keys = COLLECTIONS[name]
        raw["datasets"][name] |= {"root": str(make(folder / name)), **keys}
    return raw


def finished(raw: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    workspace = Workspace(folder / "work", raw)
    workspace.repro(monkeypatch)
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
        ("affectnet", "clean", "AffectNet"),
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
