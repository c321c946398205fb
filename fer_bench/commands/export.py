"""`fer-bench export`: a trained cell as a folder for others."""

from pathlib import Path
from tempfile import TemporaryDirectory
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
    "fer-bench export synthetic-resnet10t-au-s0 --to hub:my-name/my-model",
)
def export(
    cell: CellName,
    to: Annotated[
        str,
        typer.Option(
            help="folder to be made, with nothing but an earlier export in it; or hub:OWNER/NAME (Hugging Face)"
        ),
    ],
    onnx: Annotated[bool, typer.Option("--onnx", help="also model.onnx: logits and attention")] = False,
    grid: Grid = None,
    public: Annotated[bool, typer.Option("--public", help="a model that is new on the hub: for all to see")] = False,
) -> None:
    """Write a trained cell as a folder: weights, settings, model card with scores, a loader that needs timm alone."""
    from fer_bench import export as exports  # noqa: PLC0415  torch takes seconds

    if not to.startswith(exports.PREFIX):
        print(*exports.export(cell, Path(to), onnx, grid), sep="\n")
        return
    exports.checked(to)
    with TemporaryDirectory() as folder:
        exports.export(cell, Path(folder), onnx, grid)
        print(exports.upload(Path(folder), to, public))
