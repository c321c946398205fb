"""What a grid costs to train: floating point operations counted on its networks, hours at a rate of a device."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from fer_bench import classifier, grids, registry
from fer_bench.cells import Cell, faces_folder
from fer_bench.model_settings import ModelSettings
from fer_bench.params import Params
from fer_bench.protocols import PROTOCOLS

BACKWARD = 2  # a backward pass multiplies twice as often as a forward one: once for the inputs, once for the weights
WORTH_SAYING = 0.1  # GPU-hours
LEAST_SAID = 0.01  # GPU-hours
NOMINAL_RATE = 40e12  # operations per second: what a data centre GPU sustains on such networks in half precision


@dataclass(frozen=True)
class Cost:
    """Operations of all trainings of a grid; `unknown` names the datasets whose size is not known yet."""

    cells: int
    operations: float
    unknown: tuple[str, ...]

    def hours(self, rate: float) -> float:
        """Return the hours at `rate` operations per second."""
        return self.operations / rate / 3600

    def __str__(self) -> str:
        absent = ", ".join(self.unknown)
        if absent and not self.operations:
            return f"{self.cells} trainings; what they cost can be told once the images are there: {absent}"
        missing = f"; not counted, because its images are not there yet: {absent}" if absent else ""
        nominal = self.hours(NOMINAL_RATE)
        amount = f"about {nominal:.2g}" if nominal >= LEAST_SAID else f"less than {LEAST_SAID}"
        hours = f"{amount} GPU-hours at {NOMINAL_RATE / 1e12:g} TFLOP/s"
        return f"{self.cells} trainings, {self.operations:.2g} floating point operations: {hours}{missing}"


def estimate(params: Params, cells: Iterable[Cell] | None = None, root: Path = Path()) -> Cost:
    """Count the operations of the trainings of the active grid, or of the given cells.

    A training is three forward passes per image and epoch (one of them forward, two backward) and one for each image
    of every validation; multiplications and additions count one each.
    """
    named = grids.cells(params.grid) if cells is None else cells
    chosen = [cell for cell in named if params.train_of(cell.dataset, cell.model).epochs]
    selection = PROTOCOLS[params.grid.protocol].selection_split
    total, unknown = 0.0, set()
    for cell in chosen:
        counts = images(params, cell.dataset, root)
        if not counts:
            unknown.add(cell.dataset)
            continue
        recipe = params.train_of(cell.dataset, cell.model)
        share = recipe.validation_interval
        validations = recipe.epochs * (1 + (int(1 / share) if share else 0))
        passes = (1 + BACKWARD) * recipe.epochs * counts["train"] + validations * counts[selection]
        total += passes * forward_operations(params.models[cell.model])
    return Cost(len(chosen), total, tuple(sorted(unknown)))


def images(params: Params, dataset: str, root: Path = Path()) -> dict[str, int]:
    """Images of train, val and test: of the index where it is made, else as published; empty where neither is known."""
    index = root / faces_folder(dataset) / "index.csv"
    if index.is_file():
        return {"val": 0, "test": 0, **_counts(index)}
    plugin = str((params.raw["datasets"][dataset] or {}).get("plugin") or dataset)
    published = registry.plugin("datasets", plugin)(dataset, params.datasets[dataset]).counts
    found = {split: sum(classes.values()) for split, classes in published.items()}
    return {"val": 0, "test": 0, **found} if found else {}


_COUNTED: dict[str, float] = {}


def forward_operations(section: ModelSettings) -> float:
    """Operations of one image's forward pass, counted on a network without values."""
    key = section.model_dump_json()
    if key not in _COUNTED:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            network = classifier.build(section, pretrained=False).eval()
            image = torch.zeros(1, 3, section.input_size, section.input_size)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(image)
        _COUNTED[key] = float(counter.get_total_flops())
    return _COUNTED[key]


def measured_rate(section: ModelSettings, device: str, batch: int = 8, steps: int = 3) -> float:
    """Operations per second of training steps (float32) on a device, the first step left out."""
    network = classifier.build(section, pretrained=False).to(device).train()
    images = torch.rand(batch, 3, section.input_size, section.input_size, device=device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4)
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        network(images).logits.square().mean().backward()
        optimizer.step()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return (1 + BACKWARD) * batch * forward_operations(section) / min(seconds[1:])


def _counts(index: Path) -> dict[str, int]:
    splits = pd.read_csv(index, usecols=["split"])["split"].value_counts()
    return {str(name): int(count) for name, count in splits.items()}
