"""`fer-bench compare`: two cells side by side."""

from typing import Annotated

import typer

from fer_bench.commands import _complete
from fer_bench.commands._command import LOOK, Json, command, console

EXAMPLE = "synthetic-resnet10t-none-s0 synthetic-resnet10t-au-s0"
First = Annotated[
    str,
    typer.Argument(
        metavar="CELL",
        help="e.g. synthetic-resnet10t-none-s0",
        autocompletion=_complete.scored_cells,
        show_default=False,
    ),
]
Second = Annotated[
    str,
    typer.Argument(metavar="CELL", help="e.g. synthetic-resnet10t-au-s0", autocompletion=_complete.scored_cells),
]
On = Annotated[
    str,
    typer.Option(
        help="test dataset; default: the one that the first was trained on", autocompletion=_complete.test_datasets
    ),
]


@command(LOOK, f"fer-bench compare {EXAMPLE}", f"fer-bench compare {EXAMPLE} --all --json")
def compare(
    first: First,
    second: Second,
    on: On = "",
    every: Annotated[bool, typer.Option("--all", help="all scores, not the headline ones alone")] = False,
    as_json: Json = False,
) -> None:
    """Compare the scores of two cells: the difference, and what chance would make of it."""
    from fer_bench import grids, two_cells  # noqa: PLC0415  pandas takes a second

    lines = two_cells.compare(first, second, on, every)
    if as_json:
        print(two_cells.as_json(lines))
    else:
        grid = grids.active()
        both = {first, second} <= {cell.name for cell in grids.cells(grid)}
        two_cells.show((first, second), lines, console(), grid.name if both else "GRID")
