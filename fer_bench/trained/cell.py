"""A trained cell of the repository, read with all that is known of it."""

import json
from pathlib import Path
from typing import Any

from fer_bench import classifier as classifiers
from fer_bench import params as parameters
from fer_bench import registry
from fer_bench.cells import RUNS, Cell
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError, unknown
from fer_bench.explainers import supported
from fer_bench.protocols import PROTOCOLS
from fer_bench.report import labels
from fer_bench.trained.about import About, Preparation, Reading, Source
from fer_bench.trained.framing import framing_of
from fer_bench.trained.network import Trained
from fer_bench.trained.scores import scores_of
from fer_bench.validation import validate

STAND_IN = "dlib"  # finds landmarks where the dataset's own were given, not found


def of_cell(name: str, root: Path = Path(), grid: str | None = None) -> Trained:
    """Read a trained cell below the repository root.

    Args:
        name: DATASET-MODEL-GUIDANCE-sSEED.
        root: of the repository; params.yaml, the run and the prepared training set are read.
        grid: whose metrics.csv the scores come from; None: the active grid, else any that holds the cell.

    Raises:
        InputError: no such cell, it is not trained, or its training set is not prepared here.
    """
    _check(name, root)
    params = parameters.load(root / "params.yaml")
    entry = json.loads((root / RUNS / name / "log" / "settings.json").read_text(encoding="utf-8"))
    classifier = classifiers.load(name, root)
    files = DatasetFiles(entry["dataset"], root, PROTOCOLS[entry["protocol"]].resampling)
    about = About(
        source=_source(name, entry, files, params),
        expressions=tuple(files.plugin.expressions),
        preparation=_preparation(entry, files, params, root),
        reading=_reading(entry, classifier, params),
        scores=scores_of(Cell.parse(name), root, grid, params.grid.name),
    )
    return Trained(classifier, about, root / RUNS / name / "weights")


def trained_cells(root: Path) -> list[str]:
    """List the cells that are trained below a repository root."""
    return sorted(path.parent.parent.name for path in (root / RUNS).glob("*/weights/model.safetensors"))


def _check(name: str, root: Path) -> None:
    if not (root / "params.yaml").is_file():
        raise InputError(f"{root / 'params.yaml'}: no such file; a cell is read in the root of the repository")
    folder = root / RUNS / name
    if (folder / "weights" / "skipped.json").is_file():
        classifiers.load(name, root)  # says why it was skipped
    if (folder / "weights" / "model.safetensors").is_file() and (folder / "log" / "settings.json").is_file():
        return
    known = trained_cells(root)
    if not known:
        raise InputError(
            f"cell {name}: nothing is trained here yet; `make repro` trains the active grid, "
            "`dvc checkout` brings back what DVC's cache holds of it"
        )
    raise unknown("cell", name, "trained here (`make repro` trains the active grid)", known)


def _source(name: str, entry: dict[str, Any], files: DatasetFiles, params: parameters.Params) -> Source:
    plugin, model, guidance = files.plugin, entry["model"], entry["guidance"]
    known = params.models.get(model["name"])
    return Source(
        cell=name,
        dataset=files.name,
        dataset_label=plugin.label or files.name,
        generated=bool(plugin.generated),
        licence=plugin.licence or "not given",
        citation=plugin.citation or "not given",
        model=(known.label if known else "") or model["name"],
        guidance=guidance["name"],
        guidance_label=labels.guidance(guidance["name"], guidance["settings"].get("label") or ""),
        method=model["method"],
        protocol=entry["protocol"],
    )


def _preparation(entry: dict[str, Any], files: DatasetFiles, params: parameters.Params, root: Path) -> Preparation:
    backend, settings = _backend(str(entry["dataset"]["settings"]["landmarks"]), params)
    found = {
        **framing_of(files, root),
        "resampling": files.resampling,
        "input_size": entry["model"]["input_size"],
        "landmarks": backend,
        "landmark_settings": settings,
    }
    return validate(Preparation, found, f"framing of {files.name}")


def _backend(name: str, params: parameters.Params) -> tuple[str, dict[str, Any]]:
    """Plug-in and settings of the landmarks of a dataset; where they were given, those of STAND_IN."""
    plugin = str((params.raw["landmarks"].get(name) or {}).get("plugin") or name)
    if registry.plugin("landmarks", plugin).needs_images:
        return plugin, params.landmarks[name].model_dump(mode="json")
    return STAND_IN, registry.settings("landmarks", STAND_IN)().model_dump(mode="json")


def _reading(entry: dict[str, Any], classifier: classifiers.Classifier, params: parameters.Params) -> Reading:
    model, protocol = params.models.get(entry["model"]["name"]), PROTOCOLS[entry["protocol"]]
    named = params.evaluate.explainers if model is None or model.explainers is None else model.explainers
    reasons = supported(classifier, named)
    return Reading(
        explainers=tuple(name for name, reason in reasons.items() if not reason),
        variants=tuple(params.heatmaps.variants),
        map_size=params.evaluate.map_size or int(entry["model"]["input_size"]),
        paper_side=params.heatmaps.paper_side,
        resize=protocol.resize,
        shift=protocol.shift_in_score,
    )
