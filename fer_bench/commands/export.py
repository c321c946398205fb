"""`fer-bench export`: a trained cell as a folder for others."""

from pathlib import Path
from typing import Annotated

import typer

from fer_bench.commands import _complete
from fer_bench.commands._command import EXTEND, command

CellName = Annotated[
    str,
    typer.Argument(help="a trained cell, DATASET-MODEL-GUIDANCE-sSEED", autocompletion=_complete.trained_cells),
]
Grid = Annotated[
    str | None,
    typer.Option(help="whose scores the card shows; default: the active grid", autocompletion=_complete.grid_names),
]


@command(
    EXTEND,
    "fer-bench export synthetic-resnet10t-au-s0 --to exported",
    "fer-bench export synthetic-resnet10t-au-s0 --to exported --onnx",
)
def export(
    cell: CellName,
    to: Annotated[Path, typer.Option(help="folder to be made; nothing but an earlier export may be in it")],
    onnx: Annotated[bool, typer.Option("--onnx", help="also model.onnx: logits and attention")] = False,
    grid: Grid = None,
) -> None:
    """Write a trained cell as a folder: weights, settings, model card with scores, a loader that needs timm alone."""
    from fer_bench.export import export as write  # noqa: PLC0415  torch takes seconds

    for path in write(cell, to, onnx, grid):
        print(path)
