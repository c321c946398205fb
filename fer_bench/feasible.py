"""Which combinations of the grid make no sense, and why; the reason reaches the tables."""

from pathlib import Path
from typing import Any

from fer_bench import registry
from fer_bench.backbones.weights import absent
from fer_bench.cells import Cell
from fer_bench.classifier import initial_weights, map_sizes, unsuitable
from fer_bench.model_settings import ModelSettings

CHECKPOINT_SEED = 0
COARSEST_GUIDED_MAP = 7  # pixels; the best a 4x4 map can reach against an action unit map is 0.74, a 7x7 map 0.89

LEFT_OUT = "no block of the grid has this pair of model and guidance"


def skip_reason(params: Any, cell: Cell) -> str:
    """Return why this cell is skipped, or an empty string."""
    if not params.grid.has(cell.model, cell.guidance):
        return LEFT_OUT
    model = params.model_of(cell.dataset, cell.model, cell.guidance)
    reason = _no_such_cell(params, cell) or _not_this_checkpoint(params, cell, model)
    network = model.network()
    if reason := reason or unsuitable(network) or _no_weights(network, f"{params.source}: models.{cell.model}"):
        return reason
    guidance = registry.plugin("guidance", params.guidance_plugin(cell.guidance))
    if not guidance.needs_maps:
        return ""
    if guidance.needs_intensities and (reason := _units_unknown(params, cell.dataset)):
        return reason
    return _coarse_map(map_sizes(network), params.guidance_of(cell.guidance, cell.model, cell.dataset).layers)


def _no_such_cell(params: Any, cell: Cell) -> str:
    """A model that describes its cells one by one has no others."""
    cells = params.models[cell.model].cells
    if not cells or cell.guidance in cells.get(cell.dataset, {}):
        return ""
    has = ", ".join(f"{dataset} with {guidance}" for dataset, arms in cells.items() for guidance in arms)
    return f"models.{cell.model}.cells has no entry for {cell.dataset} with {cell.guidance}; it has {has}"


def _not_this_checkpoint(params: Any, cell: Cell, model: Any) -> str:
    """A network that was trained elsewhere is one run, and nothing here can say that no test image has chosen it."""
    if not model.checkpoint:
        return ""
    if cell.seed != CHECKPOINT_SEED:
        return f"a network that was trained elsewhere is a single run; it stands for seed {CHECKPOINT_SEED}"
    if params.grid.protocol == "clean":
        return "a network that was trained elsewhere may have been chosen on the test split; use protocol paper"
    return ""


def _no_weights(network: ModelSettings, source: str) -> str:
    """A file of initial weights that is not on this machine; everything else of the grid can run without it."""
    missing = ((key, absent(form)) for key, form in initial_weights(network).items())
    return next((f"{source}.{key}: {reason}" for key, reason in missing if reason), "")


def _units_unknown(params: Any, dataset: str) -> str:
    """Only generated faces and annotated ones come with the table of what is really in them."""
    plugin = str((params.raw["datasets"][dataset] or {}).get("plugin") or dataset)
    if registry.plugin("datasets", plugin)(dataset, params.datasets[dataset]).ground_truth(Path()) is not None:
        return ""
    return f"nobody knows which action units are really in the faces of {dataset}; plug-in {plugin} has no ground truth"


def _coarse_map(sizes: dict[int, tuple[int, int]], layers: Any) -> str:
    for layer in layers:
        number = max(sizes) if layer == "last" else int(layer)
        if number not in sizes:
            return f"the backbone has no layer {layer}; it has {', '.join(map(str, sorted(sizes)))}"
        if min(sizes[number]) < COARSEST_GUIDED_MAP:
            height, width = sizes[number]
            return f"layer {layer} is {height}x{width}, too coarse to carry guidance (at least 7x7)"
    return ""
