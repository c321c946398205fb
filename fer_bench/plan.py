"""The plan: params.yaml expanded into one small file per stage and per thing that the stage works on.

A DVC stage depends on its own plan file only. The file holds the resolved settings and the hashes of the sources that
define the result, so it changes exactly when the stage has to run again.
"""

import json
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from fer_bench.backbones.weights import digest
from fer_bench.cells import PLAN, Cell, seed_of
from fer_bench.classifier import initial_weights
from fer_bench.feasible import skip_reason
from fer_bench.fingerprint import sources
from fer_bench.model_settings import ModelSettings
from fer_bench.params import Params
from fer_bench.plan_grid import grid_entry, plain


def write(params: Params, root: Path = Path()) -> dict[str, Any]:
    """Write the plan below `root` and return the grid's entry, grid.json.

    Files: faces/DATASET.json, landmarks/DATASET.json, hygiene/DATASET.json, heatmaps/DATASET.json,
    train/CELL.json, evaluate/TEST_DATASET/CELL.json and grid.json, with sorted keys, without times, hosts or absolute
    paths.
    """
    files = entries(params, root)
    folder = root / PLAN
    shutil.rmtree(folder, ignore_errors=True)
    for name, entry in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(entry, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return files["grid.json"]


def entries(params: Params, root: Path = Path()) -> dict[str, dict[str, Any]]:
    """Compute every plan file: its name below data/plan -> its content."""
    files: dict[str, dict[str, Any]] = {}
    for name in params.grid.test_datasets:
        files |= _dataset_files(params, name, root)
    cells = [Cell(*parts) for parts in _product(params)]
    for cell in cells:
        files[f"train/{cell.name}.json"] = _train(params, cell, root)
        for test in params.grid.test_datasets:
            files[f"evaluate/{test}/{cell.name}.json"] = _evaluate(params, cell, test, root)
    files["grid.json"] = grid_entry(params, cells, files, root)
    return files


def _product(params: Params) -> list[tuple[str, str, str, int]]:
    grid = params.grid
    return list(product(grid.datasets, grid.models, grid.guidance, grid.seeds))


def _dataset(params: Params, name: str) -> dict[str, Any]:
    """What every later stage needs to know of a dataset."""
    settings = plain(params.datasets[name])
    for key in ("root", "train"):  # a path changes no result; training settings are resolved into the cells'
        settings.pop(key, None)
    plugin = params.plugin_of("datasets", name)
    return {"name": name, "plugin": plugin, "settings": settings}


def _dataset_files(params: Params, name: str, root: Path) -> dict[str, dict[str, Any]]:
    dataset = _dataset(params, name)
    plugin = f"fer_bench.datasets.{dataset['plugin']}"
    backend_name = params.datasets[name].landmarks
    backend = params.plugin_of("landmarks", backend_name)
    return {
        f"faces/{name}.json": {
            "dataset": dataset,
            "sources": sources(["stages.faces", plugin, *params.datasets[name].plugins()], root),
        },
        f"landmarks/{name}.json": {
            "dataset": dataset,
            "backend": backend,
            "settings": plain(params.landmarks[backend_name]),
            "sources": sources(["stages.landmarks", f"fer_bench.landmarks.{backend}"], root),
        },
        f"hygiene/{name}.json": {
            "dataset": dataset,
            "hygiene": _hygiene(params, name),
            "sources": sources(["stages.hygiene", plugin], root),
        },
        f"heatmaps/{name}.json": {
            "dataset": dataset,
            **plain(params.heatmaps),
            "sources": sources(["stages.heatmaps"], root),
        },
    }


def _hygiene(params: Params, name: str) -> dict[str, Any]:
    """What is asked of a dataset under the protocol of the grid."""
    settings, protocol = plain(params.hygiene_of(name)), params.grid.protocol
    settings.pop("datasets")
    return {**settings, "leaks": settings["leaks"][protocol], "protocol": protocol}


def _train(params: Params, cell: Cell, root: Path) -> dict[str, Any]:
    model = params.model_of(cell.dataset, cell.model, cell.guidance)
    guidance = params.guidance_plugin(cell.guidance)
    plugins = [f"fer_bench.methods.{model.method}", f"fer_bench.guidance.{guidance}"]
    plugins += _readers(params, cell.dataset)
    if model.checkpoint:
        plugins.append(f"fer_bench.checkpoints.{model.checkpoint['plugin']}")
    skip = skip_reason(params, cell)
    return {
        "cell": cell.name,
        "dataset": _dataset(params, cell.dataset),
        "model": {"name": cell.model, **_network(model)},
        "weights_sha256": {} if skip else _weights(model, f"{params.source}: models.{cell.model}"),
        "guidance": {
            "name": cell.guidance,
            "plugin": guidance,
            "settings": plain(params.guidance_of(cell.guidance, cell.model, cell.dataset)),
        },
        "train": plain(params.train_of(cell.dataset, cell.model)),
        "protocol": params.grid.protocol,
        "seed": _random_seed(params, cell),
        "skip": skip,
        "sources": sources(["stages.train", *plugins], root),
    }


def _weights(model: ModelSettings, source: str) -> dict[str, str]:
    """Key -> content of the file that it names, or the form where there is no file of ours."""
    forms = initial_weights(model, source)
    return {key: digest(form, f"{source}.{key}") for key, form in forms.items()}


def _random_seed(params: Params, cell: Cell) -> int:
    """Seed of a cell; a trial shares initial weights and batch order with the model that it is another recipe for."""
    return replace(cell, model=params.models[cell.model].trial_of or cell.model).random_seed


def _readers(params: Params, dataset: str) -> list[str]:
    """Modules that decide what the images of a dataset look like when they are read."""
    return [f"fer_bench.datasets.{params.plugin_of('datasets', dataset)}", *params.datasets[dataset].readers()]


def _network(model: Any) -> dict[str, Any]:
    """A model's settings without those that are resolved elsewhere or that change no number (its label)."""
    elsewhere = ("train", "guidance", "label", "trial_of", "explainers", "cells")
    return {key: value for key, value in plain(model).items() if key not in elsewhere}


def _evaluate(params: Params, cell: Cell, test: str, root: Path) -> dict[str, Any]:
    train = _train(params, cell, root)
    model = params.models[cell.model]
    explainers = params.evaluate.explainers if model.explainers is None else model.explainers
    plugins = [f"fer_bench.methods.{model.method}", f"fer_bench.guidance.{train['guidance']['plugin']}"]
    plugins += [f"fer_bench.explainers.{name}" for name in explainers]
    plugins += [f"fer_bench.metrics.{name}" for name in params.evaluate.metrics]
    plugins += [f"fer_bench.probes.{name}" for name in params.evaluate.probes]
    plugins += _readers(params, test)
    return {
        **{key: value for key, value in train.items() if key != "sources"},
        "test_dataset": _dataset(params, test),
        "evaluate": {**plain(params.evaluate), "explainers": explainers},
        "variants": params.heatmaps.variants,
        "reference_seed": seed_of("references", test),
        "sources": sources(["stages.evaluate", *plugins], root),
    }
