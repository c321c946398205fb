"""Measured costs of the catalogue: networks are built without values, and their operations counted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from fer_bench import classifier, cost, grids, params
from fer_bench.catalogue.entry import Entry
from fer_bench.errors import InputError
from fer_bench.model_settings import ModelSettings


def with_costs(entries: Iterable[Entry], root: Path = Path()) -> Iterator[Entry]:
    """Add parameters and operations to models, hours to grids; what cannot be counted says why."""
    loaded = params.load(root / grids.PARAMS)
    for entry in entries:
        try:
            if entry.kind == "models":
                yield replace(entry, cost=_of_model(loaded.models[entry.name]))
            elif entry.kind == "grids":
                yield replace(
                    entry, cost=f"{entry.cost}; {cost.estimate(grids.params_with(entry.name, root), root=root)}"
                )
            else:
                yield entry
        except InputError as error:
            yield replace(entry, cost="; ".join(part for part in (entry.cost, f"not counted: {error}") if part))


def _of_model(section: ModelSettings) -> str:
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        network = classifier.build(section, pretrained=False)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    side, operations = section.input_size, cost.forward_operations(section)
    return f"{parameters:,} parameters, {operations / 1e9:.3g} GFLOP per image of {side} px"
