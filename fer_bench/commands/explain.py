"""`fer-bench explain`: what a network sees in photographs."""

from pathlib import Path
from typing import Annotated

import typer

from fer_bench.commands import _complete
from fer_bench.commands._command import LOOK, command
from fer_bench.errors import InputError

EXPLANATIONS = Path("explanations")  # ignored by git: photographs are personal data
Photos = Annotated[list[Path], typer.Argument(help="photographs, or folders of them")]
CellName = Annotated[
    str | None,
    typer.Option(help="a trained cell, DATASET-MODEL-GUIDANCE-sSEED", autocompletion=_complete.trained_cells),
]
Model = Annotated[Path | None, typer.Option(help="instead of --cell: the folder of an export")]
Out = Annotated[Path, typer.Option(help="folder for a PNG, a JSON and an HTML file per photograph")]
Explainer = Annotated[
    list[str] | None,
    typer.Option(
        help="class activation map to show; may be repeated; default: the cell's first",
        autocompletion=_complete.explainers,
    ),
]
Variant = Annotated[str | None, typer.Option(help="of the action unit maps: facs (the default) or paper")]


@command(
    LOOK,
    "fer-bench explain photo.jpg --cell synthetic-resnet10t-au-s0",
    "fer-bench explain photos/ --model exported --json",
    statuses={
        0: "all explained",
        1: "nothing could start",
        3: "some not explained, each with one line (no face found)",
    },
)
def explain(
    photos: Photos,
    cell: CellName = None,
    model: Model = None,
    out: Out = EXPLANATIONS,
    explainer: Explainer = None,
    variant: Variant = None,
    whole: Annotated[bool, typer.Option("--whole", help="photographs are face crops already: cut nothing out")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Show what a trained network predicts on photographs, where it looks, and which action units that visits."""
    absent = next((path for path in photos if not path.exists()), None)
    if absent:  # said at once: the imports below take seconds
        raise InputError(f"{absent}: no such file or folder")
    from fer_bench.explanation import command as explanation  # noqa: PLC0415  torch and matplotlib take seconds

    asked = explanation.Asked(photos, out, explainer, variant, whole, as_json)
    if explanation.run(asked, cell, model).failed:
        raise typer.Exit(3)
