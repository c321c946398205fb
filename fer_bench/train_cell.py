"""From a plan entry to a trained cell: data, network, guidance and loop put together."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_bench import optimisation, processes, registry
from fer_bench.cells import STATES, Cell, faces_folder
from fer_bench.checkpoints.base import CheckpointBase
from fer_bench.classifier import Classifier
from fer_bench.data import EvaluationBatches, no_maps
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError
from fer_bench.guidance_entry import guidance_of
from fer_bench.initial import initialised
from fer_bench.protocols import PROTOCOLS
from fer_bench.recovery import Recovery
from fer_bench.split_maps import SplitMaps
from fer_bench.train import OnEpoch, Trainer
from fer_bench.train_data import EpochOrder, TrainBatches, train_loader
from fer_bench.train_settings import RuntimeSettings, TrainSettings, resized_side
from fer_bench.training_state import TrainingState
from fer_bench.validation import validate


def train_cell(entry: dict[str, Any], runtime: RuntimeSettings, on_epoch: OnEpoch, root: Path = Path()) -> None:
    """Train the cell of a plan entry (data/plan/train/CELL.json) into results/runs/CELL.

    Writes weights/ (or weights/skipped.json with the reason) and log/ (history.csv, settings.json); of several
    processes that train together the first one does.
    """
    cell = Cell.parse(entry["cell"])
    writes = processes.place().index == 0
    if writes:
        _start(entry, root / cell.weights, root / cell.log, root)
    if entry["skip"]:
        return
    torch.set_num_threads(runtime.threads)
    states = states_of(entry, runtime, root)
    trainer = _trainer(entry, runtime, root)
    trainer.recovery = Recovery(states, runtime.state_seconds)
    with trainer.recovery.listening():
        history = trainer.run(on_epoch)
    if writes:
        history.write(root / cell.log / "history.csv")
        states.clear()


def states_of(entry: dict[str, Any], runtime: RuntimeSettings, root: Path) -> TrainingState:
    """Where a cell's training keeps its states: in a folder named by all that they hang on, those of old ones removed.

    Plan entry (settings and sources), index of the dataset, version of torch, device, threads and processes.
    """
    index = (root / faces_folder(entry["dataset"]["name"]) / "index.csv").read_bytes()
    place = (runtime.device, runtime.threads, processes.place().count, torch.__version__)
    identity = hashlib.sha256(json.dumps([entry, place], sort_keys=True).encode() + index).hexdigest()[:16]
    folder = root / STATES / entry["cell"]
    for old in folder.glob("*"):
        if old.name != identity and processes.place().index == 0:
            shutil.rmtree(old)
    return TrainingState(folder / identity)


def _start(entry: dict[str, Any], weights: Path, log: Path, root: Path) -> None:
    """Write what is known before the first step."""
    for folder in (weights, log):
        folder.mkdir(parents=True, exist_ok=True)
    _write_json(log / "settings.json", _used(entry, root))
    if entry["skip"]:
        _write_json(weights / "skipped.json", {"reason": entry["skip"]})
        (log / "history.csv").write_text("epoch,val_accuracy\n", encoding="utf-8")


def checkpoint_of(entry: dict[str, Any], root: Path = Path()) -> CheckpointBase | None:
    """Build the source of a trained network that a plan entry names, None where the cell is trained here."""
    section = dict(entry["model"].get("checkpoint") or {})
    if not section:
        return None
    plugin, where = str(section.pop("plugin")), f"params.yaml: models.{entry['model']['name']}: checkpoint"
    settings = validate(registry.settings("checkpoints", plugin), section, where)
    checkpoint: CheckpointBase = registry.plugin("checkpoints", plugin)(settings, where, root)
    return checkpoint


def _used(entry: dict[str, Any], root: Path) -> dict[str, Any]:
    """Settings as used; of a network that was only taken over, what its source says of the training."""
    used = {key: value for key, value in entry.items() if key != "sources"}
    checkpoint = None if entry["skip"] else checkpoint_of(entry, root)
    if checkpoint is None:
        return used
    recipe = entry["train"] if entry["train"]["epochs"] else {"epochs": 0}
    return {**used, "train": recipe, "trained_elsewhere": checkpoint.facts()}


def _network(entry: dict[str, Any], num_classes: int, root: Path) -> Classifier:
    """The network that training starts with."""
    classifier = initialised(entry, num_classes)
    checkpoint = checkpoint_of(entry, root)
    if checkpoint is not None:
        checkpoint.fill(classifier)
    return classifier


def _trainer(entry: dict[str, Any], runtime: RuntimeSettings, root: Path) -> Trainer:
    settings = validate(TrainSettings, entry["train"], f"{entry['cell']}: train")
    protocol, guidance, model = PROTOCOLS[entry["protocol"]], guidance_of(entry), entry["model"]
    files = DatasetFiles(entry["dataset"], root, protocol.resampling)
    train, held_out = files.faces("train"), files.faces(protocol.selection_split)
    _require_every_class(train.labels, files)
    size = int(model["input_size"])
    classifier = _network(entry, len(files.plugin.expressions), root)
    batches = TrainBatches(
        train,
        guidance.maps(SplitMaps(files, train)) if guidance.needs_maps else no_maps,
        resized_side(settings, size),
        size,
        settings.augmentation,
        entry["seed"],
        protocol.stepwise,
        place=None if classifier.method.mixes_images else processes.place(),
        on_device=runtime.device != "cpu" and torch.cuda.is_available(),
    )
    loader, order = train_loader(batches, settings.batch_size, runtime.workers, settings.sampling)
    _require_images_for_all(order)
    watched = guidance.maps(SplitMaps(files, held_out))  # without guidance too: how far attention is from unit maps
    validation = EvaluationBatches(held_out, watched, size, settings.batch_size)
    return Trainer(
        classifier=classifier,
        guidance=guidance,
        settings=settings,
        protocol=protocol,
        train=loader,
        order=order,
        validation=lambda: (batch for _, batch in validation),
        class_weights=optimisation.class_weights(
            torch.from_numpy(train.labels), len(files.plugin.expressions), settings
        ),
        weights=root / Cell.parse(entry["cell"]).weights,
        device=runtime.device,
        progress=runtime.progress,
        name=entry["cell"],
        seed=entry["seed"],
        compile=runtime.compile,
    )


def _require_every_class(labels: np.ndarray, files: DatasetFiles) -> None:
    missing = sorted(set(range(len(files.plugin.expressions))) - set(labels.tolist()))
    if missing:
        names = ", ".join(files.plugin.expressions[number] for number in missing)
        raise InputError(
            f"dataset {files.name}: no training image of {names}; a classifier cannot learn a class it never sees"
        )


def _require_images_for_all(order: EpochOrder) -> None:
    """Every process needs an image of every batch, the last one included."""
    count, last = processes.place().count, order.images % order.batch_size or order.batch_size
    if last < count:
        raise InputError(
            f"train.batch_size {order.batch_size}: the last batch of {order.images} images has {last}, fewer than the "
            f"{count} processes that train together; another batch size or fewer processes would work"
        )


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
