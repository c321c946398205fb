"""`fer-bench use` and `estimate`: which grid is active, and what it costs."""

import json
from typing import Annotated

import typer

from fer_bench import grids, params
from fer_bench.commands import _complete
from fer_bench.commands._command import RUN, Json, command
from fer_bench.commands._cost import say_cost

Name = Annotated[str, typer.Argument(help="of a file in grids/", autocompletion=_complete.grid_names)]


@command(RUN, "fer-bench use smoke")
def use(name: Name) -> None:
    """Make a grid of grids/ the active one (section `grid` of params.yaml)."""
    grid = grids.use(name)
    print(f"active grid: {name}, {len(grids.cells(grid))} cells; `fer-bench repro` runs what is missing")
    say_cost(params.load(), grids.cells(grid))


@command(RUN, "fer-bench estimate", "fer-bench estimate --device cuda --json")
def estimate(
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    as_json: Json = False,
) -> None:
    """Count the operations of all trainings of the active grid, and the hours that this machine would need."""
    from fer_bench import cost  # noqa: PLC0415  torch and timm take seconds
    from fer_bench.runner.board import duration  # noqa: PLC0415  as above

    loaded = params.load()
    found = cost.estimate(loaded)
    model = loaded.grid.models[0]
    if not as_json:
        print(found)
    rate = cost.measured_rate(loaded.models[model], device)
    if as_json:
        print(json.dumps(_as_data(loaded.grid.name, found.cells, found.operations, found.unknown, device, rate)))
        return
    print(f"this machine ({device}, {model}): {rate / 1e9:.3g} GFLOP/s, about {duration(found.hours(rate) * 3600)}")


def _as_data(
    grid: str, trainings: int, operations: float, unknown: tuple[str, ...], device: str, rate: float
) -> dict[str, object]:
    """What is printed, for scripts; hours are those of this device."""
    return {
        "grid": grid,
        "trainings": trainings,
        "operations": operations,
        "not_counted": list(unknown),
        "device": device,
        "operations_per_second": rate,
        "hours": operations / rate / 3600,
    }
