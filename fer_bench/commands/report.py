"""`fer-bench show` and `report`: the tables of a grid as they are, and rendered again."""

from pathlib import Path
from typing import Annotated

import typer

from fer_bench import grids, params
from fer_bench.commands import _complete
from fer_bench.commands._command import LOOK, command, console
from fer_bench.errors import unknown

Grid = Annotated[
    str, typer.Argument(help="name of a grid; default: the active one", autocompletion=_complete.grid_names)
]


@command(LOOK, "fer-bench show", "fer-bench show full")
def show(grid: Grid = "") -> None:
    """Print the tables of a grid and where its files are."""
    from fer_bench import report as tables  # noqa: PLC0415  pandas and matplotlib take a second

    if grid and grid not in grids.names() and not Path("paper_tables", grid).is_dir():
        raise unknown("grid", grid, "fer-bench show", grids.names())
    name = grid or params.load().grid.name
    tables.print_tables(name, Path())
    out = console()
    out.print(f"\ntables and figures: paper_tables/{name}/\nevery number:       results/{name}/metrics.csv")
    page = Path("results", name, "report.html")
    if page.is_file():
        out.print(f"as one page:        {page}")
    out.print("runs:               .venv/bin/fer-bench ui, then open the address that it prints")


@command(LOOK, "fer-bench report", "fer-bench report full")
def report(grid: Grid = "") -> None:
    """Render tables, figures and the report page of a grid again from its result files, without DVC."""
    from fer_bench import rendered_again  # noqa: PLC0415  matplotlib and torch take seconds

    name = rendered_again.again(grid)
    print(f"tables and figures: paper_tables/{name}/\nevery number:       results/{name}/metrics.csv")
    print(f"page:               {Path('results', name, 'report.html').resolve()}")
