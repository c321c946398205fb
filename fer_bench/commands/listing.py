"""`fer-bench list`: what there is to choose from."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from fer_bench.commands import _complete
from fer_bench.commands._command import LOOK, Json, command, console
from fer_bench.errors import unknown

if TYPE_CHECKING:
    from fer_bench.catalogue import Entry

CELLS = "cells"
Kind = Annotated[
    str,
    typer.Argument(
        help="grids, models, a kind of plug-in, or `cells` (of the active grid, one a line); default: all but cells",
        autocompletion=_complete.kinds,
    ),
]
Cost = Annotated[
    bool, typer.Option("--cost", help="build models without values and count: parameters, operations, hours")
]


@command(
    LOOK, "fer-bench list", "fer-bench list models --cost", "fer-bench list explainers --json", "fer-bench list cells",
    name="list",
)  # fmt: skip
def list_(kind: Kind = "", cost: Cost = False, as_json: Json = False) -> None:
    """List grids, datasets, models, methods, explainers, guidance, metrics ... with what to cite and what they cost."""
    if kind == CELLS:
        names = _complete.cell_names()
        print(json.dumps(names, indent=1) if as_json else "\n".join(names))
        return
    entries = _entries(kind, cost)
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], indent=1, ensure_ascii=False))
        return
    for name in dict.fromkeys(entry.kind for entry in entries):
        console().print(Text(name, style="bold"), _table([entry for entry in entries if entry.kind == name]))


def _entries(kind: str, cost: bool) -> "list[Entry]":
    from fer_bench import catalogue  # noqa: PLC0415  only this command needs it

    if kind and kind not in catalogue.KINDS:
        raise unknown("kind", kind, "fer-bench list", [*catalogue.KINDS, CELLS])
    entries = [entry for name in catalogue.KINDS if kind in ("", name) for entry in catalogue.listed(name)]
    if not cost:
        return entries
    from fer_bench.catalogue.cost import with_costs  # noqa: PLC0415  torch and timm take seconds

    return list(with_costs(entries))


def _table(entries: "list[Entry]") -> Table:
    table = Table.grid(padding=(0, 2), pad_edge=True)
    table.add_column(no_wrap=True, overflow="fold", style="cyan")
    table.add_column()
    for entry in entries:
        facts = (f"\n{entry.facts}", "dim") if entry.facts else ""
        table.add_row(entry.name, Text.assemble(entry.description, facts))
    return table
