"""Which combinations of the grid make no sense, and why; the reason reaches the tables."""

from typing import Any

from fer_bench import registry
from fer_bench.cells import Cell
from fer_bench.classifier import map_sizes, unsuitable

COARSEST_GUIDED_MAP = 7  # pixels; the best a 4x4 map can reach against an action unit map is 0.74, a 7x7 map 0.89

LEFT_OUT = "no block of the grid has this pair of model and guidance"


def skip_reason(params: Any, cell: Cell) -> str:
    """Return why this cell is skipped, or an empty string."""
    if not params.grid.has(cell.model, cell.guidance):
        return LEFT_OUT
    model = params.models[cell.model]
    reason = unsuitable(model)
    if reason:
        return reason
    if not registry.plugin("guidance", params.guidance_plugin(cell.guidance)).needs_maps:
        return ""
    return _coarse_map(map_sizes(model), params.guidance_of(cell.guidance, cell.model).layers)


def _coarse_map(sizes: dict[int, tuple[int, int]], layers: Any) -> str:
    for layer in layers:
        number = max(sizes) if layer == "last" else int(layer)
        if number not in sizes:
            return f"the backbone has no layer {layer}; it has {', '.join(map(str, sorted(sizes)))}"
        if min(sizes[number]) < COARSEST_GUIDED_MAP:
            height, width = sizes[number]
            return f"layer {layer} is {height}x{width}, too coarse to carry guidance (at least 7x7)"
    return ""
