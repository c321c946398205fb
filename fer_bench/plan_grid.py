"""The plan of a grid as a whole, grid.json: what tables and figures are made by."""

import hashlib
import json
from pathlib import Path
from typing import Any

from fer_bench import registry, trials
from fer_bench.cells import Cell
from fer_bench.fingerprint import sources
from fer_bench.params import Params
from fer_bench.settings import Settings


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as plan files hold them."""
    return dict(settings.model_dump(mode="json"))


def grid_entry(params: Params, cells: list[Cell], files: dict[str, dict[str, Any]], root: Path) -> dict[str, Any]:
    """Compute grid.json: all that tables and figures need to know of the grid; `files` are the other plan files."""
    return {
        "name": params.grid.name,
        "protocol": params.grid.protocol,
        "cells": [
            _cell_entry(params, cell, files[f"train/{cell.name}.json"]["skip"])
            for cell in cells
            if params.grid.has(cell.model, cell.guidance)
        ],
        "test_datasets": params.grid.test_datasets,
        "datasets": {name: _dataset_facts(params, name) for name in params.grid.test_datasets},
        "models": {name: _model_facts(params, name) for name in params.grid.models},
        "guidance": {
            name: {**_guidance_facts(params.guidance_plugin(name)), **plain(params.guidance[name])}
            for name in params.grid.guidance
        },
        "tables": plain(params.tables),
        "evaluate": plain(params.evaluate),
        "fingerprint": _hash(
            {name: entry for name, entry in files.items() if name.startswith(("train/", "evaluate/"))}
        ),
        "sources": sources(["stages.tables"], root),
    }


def _guidance_facts(plugin: str) -> dict[str, str]:
    return {"plugin": plugin, "knows": registry.plugin("guidance", plugin).knows}


def _model_facts(params: Params, name: str) -> dict[str, Any]:
    """Label of a model; of one that has or is a trial, also what tells its recipe from the others."""
    model = params.models[name]
    recipes = {dataset: trials.recipe(params, dataset, name) for dataset in params.grid.datasets}
    return {
        "label": model.label or name,
        "trial_of": model.trial_of,
        "explainers": model.explainers,
        "recipe": {dataset: recipe for dataset, recipe in recipes.items() if recipe},
    }


def _cell_entry(params: Params, cell: Cell, skip: str) -> dict[str, Any]:
    """What tables need to know of a cell; `guided_otherwise`: what its guidance has other than the grid's."""
    model = params.model_of(cell.dataset, cell.model, cell.guidance)
    names = {"dataset": cell.dataset, "model": cell.model, "guidance": cell.guidance, "seed": cell.seed}
    network = {key: getattr(model, key) for key in ("backbone", "method", "input_size", "kwargs", "method_kwargs")}
    shared = plain(params.guidance[cell.guidance])
    own = plain(params.guidance_of(cell.guidance, cell.model, cell.dataset))
    otherwise = {key: value for key, value in own.items() if shared.get(key) != value}
    return {"cell": cell.name, **names, **network, "guided_otherwise": otherwise, "skip": skip}


def _dataset_facts(params: Params, name: str) -> dict[str, Any]:
    plugin = params.plugin_of("datasets", name)
    dataset = registry.plugin("datasets", plugin)(name, params.datasets[name])
    facts = ("label", "licence", "citation", "publishable_images", "expressions", "generated")
    return {"plugin": plugin, **{fact: getattr(dataset, fact) for fact in facts}}


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
