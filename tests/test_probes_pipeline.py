"""The shortcut benchmark on a few faces, from params.yaml to its table, stage by stage in one process."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fer_bench import heatmaps, landmarks, params, plan, report
from fer_bench.cells import PLAN, faces_folder, landmarks_file
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.datasets import read_image, read_index
from fer_bench.evaluate import evaluate_cell
from fer_bench.train_cell import train_cell
from fer_bench.train_settings import RuntimeSettings

ROOT = Path(__file__).parent.parent
OVERRIDES = {"train": 28, "val": 7, "test": 14, "size": 80}
CUED, PAIRS = "cued", "synthetic_pairs"
RUNTIME = RuntimeSettings(device="cpu", threads=1, workers=0, processes=1, progress=False, mlflow=False)


def _prepare(name: str) -> None:
    entry = json.loads((PLAN / f"landmarks/{name}.json").read_text())
    dataset, folder = dataset_plugin(entry["dataset"]), faces_folder(name)
    dataset.prepare(folder, workers=1, progress=False)
    landmarks.run(
        index=read_index(folder / "index.csv"),
        image_root=folder,
        backend=entry["backend"],
        settings=entry["settings"],
        out=landmarks_file(name),
        workers=1,
        progress=False,
        read_image=read_image,
        cache=Path("cache") / name,
        timings=Path("cache") / f"{name}.csv",
        source="test",
        truth=folder / "ground_truth.parquet",
    )
    heatmaps.make(json.loads((PLAN / f"heatmaps/{name}.json").read_text()), progress=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which everything has run: one training with a cue on the background, both test sets."""
    folder = tmp_path_factory.mktemp("shortcut")
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["datasets"] = {
        CUED: {"plugin": "synthetic_cue", "preset": "smoke", "overrides": OVERRIDES, "site": "background", "rate": 0.9},
        PAIRS: {"preset": "smoke", "overrides": OVERRIDES},
    }
    raw["grid"] = {
        "name": "few",
        "datasets": [CUED],
        "models": ["resnet10t"],
        "guidance": ["none"],
        "seeds": [0],
        "test_datasets": [CUED, PAIRS],
        "train": {"epochs": 1},
        "evaluate": {
            "explainers": ["cam"],
            "probes": ["shortcut", "attribution", "occlusion", "deletion_insertion", "randomisation"],
            "minimum_class_images": 1,
            "examples_per_expression": 0,
        },
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan.write(params.load())
        for name in (CUED, PAIRS):
            _prepare(name)
        cell = f"{CUED}-resnet10t-none-s0"
        train_cell(json.loads((PLAN / f"train/{cell}.json").read_text()), RUNTIME, on_epoch=lambda *_: None)
        for test in (CUED, PAIRS):
            evaluate_cell(json.loads((PLAN / f"evaluate/{test}/{cell}.json").read_text()), RUNTIME)
        report.build(PLAN / "grid.json", Path())
    return folder


@pytest.fixture(scope="module")
def scores(finished):
    return pd.read_csv(finished / "results/few/metrics.csv", keep_default_na=False)


def values(scores, **equal):
    for column, wanted in equal.items():
        scores = scores[scores[column] == wanted]
    return scores["value"].astype(float)


def test_every_view_is_scored_on_the_same_faces(scores):
    accuracy = scores[scores["metric"] == "shortcut_accuracy"]
    assert list(accuracy["subset"]) == ["clean", "aligned", "random", "conflict"]
    assert set(accuracy["n"]) == {14} and set(accuracy["test_dataset"]) == {CUED}


def test_the_clean_view_is_the_plain_test(scores):
    clean = values(scores, metric="shortcut_accuracy", subset="clean").item()
    assert clean == values(scores, metric="accuracy", test_dataset=CUED).item()


def test_reliance_follows_from_the_views(scores):
    views = scores[scores["metric"] == "shortcut_accuracy"].set_index("subset")["value"].astype(float)
    assert values(scores, metric="shortcut_reliance").item() == pytest.approx(views["aligned"] - views["conflict"])


def test_predictions_of_every_face_are_kept(finished):
    frame = pd.read_parquet(finished / f"results/runs/{CUED}-resnet10t-none-s0/evaluate/{CUED}/shortcut.parquet")
    assert len(frame) == 14 and frame["has_cue"].all()
    assert (frame["cue.aligned"] == frame["label"]).all() and (frame["cue.conflict"] != frame["label"]).all()


def test_pairs_are_counted_kept_or_not(scores, finished):
    frame = pd.read_parquet(finished / f"results/runs/{CUED}-resnet10t-none-s0/evaluate/{PAIRS}/attribution.parquet")
    kept = scores[scores["metric"] == "pair_kept"]
    assert int(kept["n"].item()) == len(frame) == 12  # neutral faces have no action unit
    assert float(kept["value"].item()) == (frame["moved"].abs() >= 1).sum()


def test_pairs_differ_in_one_action_unit_and_in_few_pixels(finished):
    folder = finished / faces_folder(PAIRS)
    pairs = pd.read_parquet(folder / "pairs.parquet")
    truth = pd.read_parquet(folder / "ground_truth.parquet").set_index("id")
    units = [name for name in truth if name.startswith("au_") and name.removeprefix("au_").isdigit()]
    for pair in pairs.itertuples():
        difference = truth.loc[pair.shown, units].astype(float) - truth.loc[pair.absent, units].astype(float)
        assert difference[f"au_{pair.unit}"] == 1.0
        assert not difference.drop(f"au_{pair.unit}").any()
        shown, absent = (read_image(folder / f"images/{name}.png").astype(int) for name in (pair.shown, pair.absent))
        touched = np.abs(shown - absent).max(axis=-1) >= 4
        assert 0 < touched.mean() < 0.3
        same = truth.columns[~truth.columns.str.match(r"au_|x\d|y\d")]
        assert truth.loc[pair.shown, same].equals(truth.loc[pair.absent, same])


def test_occlusion_has_its_chance_level_beside(scores):
    for value in ("probability", "logit"):
        drop, chance, excess = (
            values(scores, metric=f"occlusion_{value}{suffix}", test_dataset=CUED).item()
            for suffix in ("", "_chance", "_excess")
        )
        assert excess == pytest.approx(drop - chance, abs=2e-6)
    assert 0 < values(scores, metric="occlusion_area", test_dataset=CUED).item() < 60


def test_probes_run_where_they_fit_alone(scores):
    fitting = {"shortcut_reliance": {CUED}, "pair_kept": {PAIRS}, "occlusion_logit": {CUED}, "deletion_logit": {CUED}}
    for metric, datasets in fitting.items():
        assert set(scores[scores["metric"] == metric]["test_dataset"]) == datasets


def test_tables_are_written(finished):
    text = (finished / "paper_tables/few/shortcut.md").read_text(encoding="utf-8")
    assert "Reliance" in text and "chance" in text and "rate 0.9" in text
    truth = (finished / "paper_tables/few/known_truth.md").read_text(encoding="utf-8")
    assert "of 12" in truth and "chance" in truth


def test_faithfulness_is_shown_with_its_chance_level(finished):
    folder = finished / "paper_tables/few"
    curves = (folder / "faithfulness.md").read_text(encoding="utf-8")
    assert "random patches" in curves and "attention, last layer" in curves
    assert "measured on 14 test images" in curves
    check = pd.read_csv(folder / "randomisation.csv")
    attention = check[check["Map"] == "attention, last layer"]
    assert attention["Rank correlation, weights drawn anew, head"].item() == pytest.approx(1.0)
    assert attention["changes"].item() == "not with the head"
    assert (folder / f"figures/faithfulness-{CUED}.png").stat().st_size > 10_000
