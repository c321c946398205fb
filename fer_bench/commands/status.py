"""`fer-bench status`: how far a grid is."""

import json
from collections.abc import Iterable
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
STYLES = {"done": "green", "skipped": "dim", "missing": "yellow", "stale": "yellow", "failed": "bold red"}


@command(RUN, "fer-bench status", "fer-bench status full --json", statuses={0: "shown, whatever the states are"})
def status(grid: Grid = "", as_json: Json = False) -> None:
    """Show a grid as a board: which cells are done, missing, stale, failed or skipped, and why."""
    from fer_bench.board import overview  # noqa: PLC0415  the plan needs torch and timm, which take seconds

    found = overview(grid)
    if as_json:
        print(json.dumps(found.data(), indent=1))
        return
    console().print(_data(found), _cells(found))
    tables = Text.assemble("tables: ", _word(found.tables))
    console().print(tables, Text(f"({found.tables.reason})" if found.tables.reason else ""))
    counted = (f"{number} {state}" for state, number in found.counts.items() if number)
    console().print(f"grid {found.grid}: {len(found.cells)} cells, {', '.join(counted)}", highlight=False)
    if any(found.counts[state] for state in ("missing", "stale", "failed")):
        console().print("next: fer-bench repro", highlight=False)


def _data(found: "Overview") -> Table:
    """Datasets and the stages that prepare them."""
    kinds = list(dict.fromkeys(kind for states in found.prepared.values() for kind in states))
    table = Table("dataset", *kinds, "why")
    for name, states in found.prepared.items():
        table.add_row(name, *(_word(states[kind]) for kind in kinds), _why(states.values()))
    return table


def _cells(found: "Overview") -> Table:
    tests = list(found.prepared)
    table = Table("cell", "trained", *(f"scored on {name}" for name in tests), "why")
    for row in found.cells:
        states = [row.trained, *row.scored.values()]
        table.add_row(row.cell, *map(_word, states), _why(states))
    return table


def _word(state: "State") -> Text:
    return Text(state.state, style=STYLES[state.state])


def _why(states: Iterable["State"]) -> Text:
    """The reasons, each once."""
    return Text("; ".join(dict.fromkeys(state.reason for state in states if state.reason)))
