"""`fer-bench status`: how far a grid is."""

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from fer_bench.commands import _complete
from fer_bench.commands._command import RUN, Json, command, console

if TYPE_CHECKING:
    from fer_bench.board import Overview, State

Grid = Annotated[
    str, typer.Argument(help="name of a grid; default: the active one", autocompletion=_complete.grid_names)
]
SHOWN = 3  # stages named beside a reason
STYLES = {"done": "green", "skipped": "dim", "missing": "yellow", "stale": "yellow", "failed": "bold red"}


@command(RUN, "fer-bench status", "fer-bench status full --json", statuses={0: "shown, whatever the states are"})
def status(grid: Grid = "", as_json: Json = False) -> None:
    """Show a grid as a board: which cells are done, missing, stale, failed or skipped, and why."""
    from fer_bench.board import overview  # noqa: PLC0415  the plan needs torch and timm, which take seconds

    found = overview(grid)
    if as_json:
        print(json.dumps(found.data(), indent=1))
        return
    out = console()
    out.print(_data(found), _cells(found))
    for line in _reasons(found):
        out.print(line, highlight=False, soft_wrap=True)
    counted = (f"{number} {state}" for state, number in found.counts.items() if number)
    out.print(f"grid {found.grid}: {len(found.cells)} cells: {', '.join(counted)}; tables {found.tables.state}")
    if any(found.counts[state] for state in ("missing", "stale", "failed")) or found.tables.state != "done":
        use = "" if found.active else f"fer-bench use {found.grid} && "
        out.print(f"next: {use}fer-bench repro", highlight=False)


def _data(found: "Overview") -> Table:
    """Datasets and the stages that prepare them."""
    kinds = list(dict.fromkeys(kind for states in found.prepared.values() for kind in states))
    table = Table("dataset", *kinds)
    for name, states in found.prepared.items():
        table.add_row(name, *(_word(states[kind]) for kind in kinds))
    return table


def _cells(found: "Overview") -> Table:
    table = Table()
    table.add_column("cell", no_wrap=True, overflow="fold")
    for heading in ("trained", *(f"scored on {name}" for name in found.prepared)):
        table.add_column(heading)
    for row in found.cells:
        table.add_row(row.cell, *map(_word, (row.trained, *row.scored.values())))
    return table


def _word(state: "State") -> Text:
    return Text(state.state, style=STYLES[state.state])


def _reasons(found: "Overview") -> list[Text]:
    """Every reason once, with the stages that it stands for."""
    grouped: dict[State, list[str]] = defaultdict(list)
    for name, state in found.stages():
        if state.reason:
            grouped[state].append(name)
    return [
        Text.assemble(_word(state), f" {_names(names)}: {state.reason}")
        for state, names in sorted(grouped.items(), key=lambda item: list(STYLES).index(item[0].state))
    ]


def _names(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more stages" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
