"""Recorded results with made-up, fixed numbers: 2 models x 2 guidances x 3 seeds, or any other grid of them."""

import hashlib
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench import score_file
from fer_bench.expressions import EXPRESSIONS

DATASET = "synthetic"
# model -> label, backbone, method
MODELS = {
    "resnet_small": ("ResNet small", "resnet10t", "cam"),
    "deit_small": ("DeiT small", "deit_tiny_patch16_224", "tscam"),
}
# The paper's eight trainings, on its backbones.
PAPER_MODELS = {
    **{name: ("ResNet-50", "resnet50", name) for name in ("cam", "wildcat", "acol", "prm", "adl", "cutmix")},
    "tscam": ("DeiT-S", "deit_small_patch16_224", "tscam"),
    "apvit": ("IR-50 + ViT", "ir50", "apvit"),
}
# method -> explainers that fit it; any other method is scored with the explainer `cam`.
EXPLAINERS = {
    "cam": ("cam", "gradcampp"),
    "tscam": ("cam", "tscam"),
    "wildcat": ("class_maps",),
    "prm": ("class_maps",),
    "acol": ("acol",),
    "apvit": (),
}
ALL_EXPLAINERS = ["cam", "gradcampp", "tscam", "class_maps", "acol"]
LAYERS = {"tscam": ("5",), "apvit": ("5",)}  # method -> layers; others: 4 and 5
TEST_IMAGES = {"rafdb": 3068, "affectnet": 3500}  # others: seven times IMAGES
GUIDANCES = ("none", "au")
SEEDS = (0, 1, 2)
IMAGES = 80  # per expression
SIDE = 14
PAIRINGS = ("true_true", "pred_pred", "pred_true")


AU = {"plugin": "au", "variant": "paper", "layers": ["last"], "weight": 4.0, "label": "w/ AU"}


def plan(seeds=SEEDS, publishable=True, models=MODELS, datasets=(DATASET,), guidance=None, **changes):
    """The plan of a recorded grid, as data/plan/grid.json holds it; `guidance`: name -> settings besides `none`."""
    arms = {"none": {"plugin": "none", "label": "w/o AU"}, **({"au": AU} if guidance is None else guidance)}
    cells = product(datasets, models, arms, seeds)
    return {
        "name": "recorded",
        "protocol": "clean",
        "cells": [entry(model, arm, seed, dataset, models) for dataset, model, arm, seed in cells],
        "test_datasets": list(datasets),
        "datasets": {name: facts(name) | {"publishable_images": publishable} for name in datasets},
        "models": {name: {"label": label} for name, (label, *_) in models.items()},
        "guidance": arms,
        "tables": {"explainers": [], "target": "paper", "faces_per_expression": 1},
        "evaluate": {"explainers": ALL_EXPLAINERS, "minimum_class_images": 20},
        "fingerprint": "0123456789abcdef",
    } | changes


def facts(dataset):
    """What the plan says of a dataset."""
    label = {DATASET: "Synthetic faces", "rafdb": "RAF-DB", "affectnet": "AffectNet"}[dataset]
    return {"plugin": dataset, "label": label, "licence": "MIT", "citation": "", "expressions": list(EXPRESSIONS)}


def entry(model, guidance, seed, dataset=DATASET, models=MODELS):
    """A cell of the plan."""
    names = {"dataset": dataset, "model": model, "guidance": guidance, "seed": seed}
    _, backbone, method = models[model]
    more = {"backbone": backbone, "method": method, "input_size": 112 if method == "apvit" else 224, "skip": ""}
    more |= {"kwargs": {}, "method_kwargs": {}, "guided_otherwise": {}}
    return {"cell": f"{dataset}-{model}-{guidance}-s{seed}"} | names | more


def write(root: Path, the_plan, omit=(), cached=True):
    """Write plan, scores and, if asked, cached files of every cell below `root`, but for the cells in `omit`."""
    path = root / "data/plan/grid.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(the_plan))
    for cell in the_plan["cells"]:
        for test in the_plan["test_datasets"]:
            if cell["cell"] not in omit:
                write_cell(root, cell, test, cached)
    for test in the_plan["test_datasets"] if cached else []:
        write_index(root, test)
    return path


def write_index(root: Path, test=DATASET, subject=lambda number: f"face_{number % IMAGES}"):
    """Write what the report reads of a dataset's index: `subject` names the subject of an image by its number."""
    path = root / "data/faces" / test / "index.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(7 * IMAGES)
    frame = pd.DataFrame({"id": numbers, "split": "test", "subject": [subject(number) for number in numbers]})
    frame.to_csv(path, index=False)


def write_cell(root: Path, cell, test=DATASET, cached=True, **changes):
    """Write the scores file of one cell and the cached files that it names."""
    run = root / "results/runs" / cell["cell"]
    rows = _rows(cell, TEST_IMAGES.get(test, 7 * IMAGES))
    files = [_history(run, cell), *_evaluation(run / "evaluate" / test, cell, rows)] if cached else []
    headline = {row["metric"]: row["value"] for row in rows[:3]}
    facts = {key: cell[key] for key in ("dataset", "model", "backbone", "method", "guidance", "seed")}
    facts |= {"test_dataset": test, "protocol": "clean", "selection": "best accuracy on the val split", "best_epoch": 2}
    named = [{"path": str(f.relative_to(root)), "sha256": hashlib.sha256(f.read_bytes()).hexdigest()} for f in files]
    content = headline | {"rows": rows, "cell": [facts], "skipped": [], "files": named} | changes
    path = root / "results/metrics" / test / f"{cell['cell']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    score_file.write(path, content)
    return path


def _row(metric, value, n=6 * IMAGES, **fields):
    empty = dict.fromkeys(("explainer", "layer", "target", "pairing"), "")
    row = empty | {"subset": "all", "average": "macro", "direction": "higher", "unit": "", "optimised": False}
    return {"metric": metric, "value": round(value, 6), "n": n} | row | fields


def explainers_of(cell):
    """Explainers that a cell is scored with."""
    return EXPLAINERS.get(cell["method"], ("cam",))


def layers_of(cell):
    """Layers whose attention a cell is scored on."""
    return LAYERS.get(cell["method"], ("4", "5"))


def _rows(cell, images):
    """Scores from a short formula: guidance helps, seeds differ by a hundredth, transformers are five points worse."""
    guided, seed = cell["guidance"] != "none", cell["seed"]
    shift = 0.01 * (seed - 1) * (1.5 if guided else 1.0) + _extra(cell["guidance"]) + _extra(cell["model"])
    worse = 0.05 if cell["method"] == "tscam" else 0.0
    rows = _classification(86 + guided - 100 * worse + 100 * shift, images)
    for layer, (target, gain) in product(layers_of(cell), (("paper", 0.2), ("facs", 0.1))):
        rows += _attention(layer, target, 0.75 - worse + shift + gain * guided, guided)
    for explainer, (target, gain) in product(explainers_of(cell), (("paper", 0.15), ("facs", 0.08))):
        rows += _activation(explainer, target, 0.55 - worse + shift + gain * guided, seed)
    return [*rows, *_fixed("paper"), *_fixed("facs")]


def _extra(name):
    """A member of an ablation, or a trial, is better by a thousandth per unit of the number that its name ends with."""
    digits = name.rpartition("_")[2]
    return 0.001 * int(digits) if digits.isdigit() else 0.0


def _classification(accuracy, images):
    scores = {"accuracy": "micro", "balanced_accuracy": "macro", "macro_f1": "macro"}
    rows = [_row(name, accuracy, images, average=kind, unit="%") for name, kind in scores.items()]
    rows += [_row(f"recall_{name}", accuracy - 3 + k, IMAGES, unit="%") for k, name in enumerate(EXPRESSIONS)]
    return [*rows, _row("expected_calibration_error", 10 - accuracy / 10, images, unit="%", direction="lower")]


def _attention(layer, target, value, guided):
    same = {"layer": layer, "target": target}
    trained_on = guided and target == "paper" and layer == "5"
    rows = [_row("att_cos", value, **same, pairing="true_true", optimised=trained_on)]
    rows.append(_row("att_pearson", value - 0.2, **same, pairing="true_true"))
    return [*rows, _row("att_cos_ceiling", 0.96 if layer == "5" else 0.98, **same)]


def _activation(explainer, target, value, seed):
    same = {"explainer": explainer, "target": target}
    rows = []
    for pairing, (subset, n) in product(PAIRINGS, (("all", 480), ("correct", 410), ("wrong", 70))):
        lower = 0.1 * (pairing == "pred_true" and subset != "correct") + 0.05 * (subset == "wrong")
        for average, more in (("macro", 0), ("micro", 0.001)):
            where = {"pairing": pairing, "subset": subset, "average": average}
            rows.append(_row("cam_cos", value - lower + more, n, **where, **same))
        if subset == "all":
            undefined = 92 if pairing == "pred_pred" else 80
            rows.append(
                _row("cam_cos_undefined", undefined, 560, pairing=pairing, average="micro", **same, unit="images")
            )
    rows.append(_row("cam_pearson", value - 0.3, pairing="true_true", **same))
    rows.append(_row("cam_cos_chance_untrained", 0.4 + 0.01 * seed, **same))
    return [*rows, _row("cam_cos_chance_random", 0.46, **same), _row("cam_cos_ceiling", 0.97, **same)]


def _fixed(target):
    """References that no model enters."""
    rows = [_row("att_cos_chance_constant", 0.44, target=target)]
    for name, value in (("reference_gaussian", 0.555), ("reference_blind_mean", 0.66), ("reference_class_mean", 0.7)):
        rows += [_row(f"{kind}_{name}", value, target=target) for kind in ("att_cos", "cam_cos")]
    return rows


def _history(run: Path, cell) -> Path:
    epochs, guided = np.arange(1, 4), cell["guidance"] != "none"
    frame = pd.DataFrame(
        {"epoch": epochs, "learning_rate": 1e-3 / epochs, "train_loss": 2.0 / epochs + 0.1 * cell["seed"]}
    )
    frame["train_classification"] = 1.8 / epochs
    frame["train_alignment"] = 0.5 / epochs if guided else 0.0
    frame["train_accuracy"] = 80 - 40 / epochs
    frame["val_accuracy"] = 82 - 50 / epochs + cell["seed"] + cell.get("ahead", 0)
    frame["val_loss"] = 1.5 / epochs
    frame["val_att_cos"] = 0.6 + 0.1 * guided - 0.1 / epochs
    frame["best"] = (epochs == 2).astype(int)
    path = run / "log/history.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    return path


def _evaluation(folder: Path, cell, rows) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    label = np.repeat(np.arange(7), IMAGES)
    right = round(label.size * next(row["value"] for row in rows if row["metric"] == "accuracy") / 100)
    rank = np.roll(
        np.random.default_rng(0).permutation(label.size), 7 * cell["seed"] + 3 * (cell["guidance"] != "none")
    )
    predicted = np.where(rank < right, label, (label + 1) % 7)
    images = pd.DataFrame({"id": np.arange(label.size).astype(str), "label": label, "predicted": predicted})
    predictions, scores = folder / "predictions.parquet", folder / "scores.parquet"
    images.to_parquet(predictions)
    images.assign(**_image_scores(rows, label, cell)).to_parquet(scores)
    maps = _maps(cell)
    np.savez(folder / "mean_maps.npz", count=np.full(7, IMAGES), **maps)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (7, SIDE * 2, SIDE * 2, 3), dtype=np.uint8)
    np.savez(
        folder / "examples.npz",
        images=images,
        labels=np.arange(7),
        predicted=(np.arange(7) + (np.arange(7) == 3)) % 7,
        **maps,
    )
    return [predictions, scores, folder / "mean_maps.npz", folder / "examples.npz"]


def _image_scores(rows, label, cell):
    """Column -> scores of the images, around the macro mean that the row of the same name says; none for neutral."""
    rng = np.random.default_rng([cell["seed"], cell["guidance"] != "none"])
    columns = {}
    for row in rows:
        if row["subset"] == "all" and row["average"] == "macro" and row["pairing"]:
            noise = rng.normal(0, 0.05, (7, IMAGES))
            noise -= noise.mean(axis=1, keepdims=True)
            column = f"{row['metric']}.{row['explainer'] or row['layer']}.{row['target']}.{row['pairing']}"
            columns[column] = np.where(label == 0, np.nan, row["value"] + noise.ravel()).astype(np.float32)
    return columns


def _maps(cell) -> dict[str, np.ndarray]:
    """Blobs that stand in another place per expression and are sharper with guidance."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    width = 0.15 if cell["guidance"] == "none" else 0.05

    def blobs(spread):
        centres = [(0.2 + 0.1 * k, 0.8 - 0.08 * k) for k in range(7)]
        maps = np.stack([np.exp(-((x - a) ** 2 + (y - b) ** 2) / spread) for a, b in centres])
        maps[0] = np.nan  # neutral has no map
        return maps

    maps = {"target.paper": blobs(0.04), "target.facs": blobs(0.03)}
    maps |= {f"att.{layer}": blobs(width) for layer in layers_of(cell)}
    return maps | {f"cam.{name}": blobs(width * 1.5) for name in explainers_of(cell)}
