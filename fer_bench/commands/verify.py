"""`fer-bench verify`: do these files, or a rerun, come to the committed numbers?"""

from typing import Annotated

import typer

from fer_bench.commands import _complete
from fer_bench.commands._command import RUN, Json, command
from fer_bench.errors import InputError

Tolerance = Annotated[
    float, typer.Option(min=0, help="largest difference that counts as equal, in points (hundredths of a cosine)")
]
Cells = Annotated[
    list[str] | None,
    typer.Option(help="with --rerun: only this cell; may be repeated", autocompletion=_complete.cells),
]


@command(
    RUN,
    "fer-bench verify",
    "fer-bench verify --tolerance 0.5 --json",
    "fer-bench verify --rerun --cell synthetic-resnet10t-au-s0",
    statuses={0: "every committed number came out again", 1: "it did not, or an error"},
)
def verify(
    tolerance: Tolerance = 0.0,
    rerun: Annotated[bool, typer.Option("--rerun", help="run the last commit again, from nothing, in a clone")] = False,
    cell: Cells = None,
    as_json: Json = False,
) -> None:
    """Compare the active grid's numbers with the committed ones and write results/GRID/certificate.json."""
    from fer_bench.verify import command as verification  # noqa: PLC0415  pandas takes a second

    if cell and not rerun:
        raise InputError("fer-bench verify --cell: only with --rerun; without it every score is compared")
    made = verification.run(tolerance, rerun, cell or [], as_json=as_json)
    if not made.holds:
        if not as_json:
            print("to have the committed files back: git restore results paper_tables dvc.lock")
        raise typer.Exit(1)
