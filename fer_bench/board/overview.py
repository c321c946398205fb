"""The board of a grid: its prepared data, its cells, its tables."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_bench import failures, grids
from fer_bench.board.lock import recorded
from fer_bench.board.planned import Planned
from fer_bench.board.stages import Stages
from fer_bench.board.state import STATES, State, worst
from fer_bench.cell_stages import planned
from fer_bench.grid_settings import Grid

PREPARED = ("faces", "landmarks", "hygiene", "heatmaps")


@dataclass(frozen=True)
class CellRow:
    """One cell: its training, and its scores on each test dataset."""

    cell: str
    trained: State
    scored: dict[str, State]

    @property
    def state(self) -> State:
        """The state of the whole cell: the one that a user has to know of first."""
        return worst([*self.scored.values(), self.trained])


@dataclass(frozen=True)
class Overview:
    """active: whether params.yaml has this grid. prepared: dataset -> kind of stage -> its state."""

    grid: str
    active: bool
    prepared: dict[str, dict[str, State]]
    cells: list[CellRow]
    tables: State

    @property
    def counts(self) -> dict[str, int]:
        """Number of cells per state, every state named."""
        found = Counter(row.state.state for row in self.cells)
        return {state: found[state] for state in STATES}

    def stages(self) -> Iterator[tuple[str, State]]:
        """Every stage by its name in dvc.lock, in the order of the pipeline."""
        for test, states in self.prepared.items():
            yield from ((f"{kind}@{test}", state) for kind, state in states.items())
        for row in self.cells:
            yield planned(f"train/{row.cell}"), row.trained
            yield from ((planned(f"evaluate/{test}/{row.cell}"), state) for test, state in row.scored.items())
        yield "tables", self.tables

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        cells = [{**asdict(row), **asdict(row.state)} for row in self.cells]
        return {**asdict(self), "cells": cells, "counts": self.counts}


def overview(name: str = "", root: Path = Path()) -> Overview:
    """Look at a grid, by default the active one.

    Raises:
        InputError: params.yaml is not valid, no such grid, or a damaged dvc.lock.
    """
    active = grids.active(root).name
    params = grids.params_with(name or active, root)
    grid = params.grid
    lock = recorded(grid, grid.name == active, root)
    stages = Stages(Planned(params, root), lock, failures.noted(root), root)
    return Overview(
        grid=grid.name,
        active=grid.name == active,
        prepared={test: {kind: stages.state(f"{kind}@{test}") for kind in PREPARED} for test in grid.test_datasets},
        cells=[_row(cell.name, grid, stages) for cell in grids.cells(grid)],
        tables=stages.state("tables"),
    )


def _row(cell: str, grid: Grid, stages: Stages) -> CellRow:
    scored = {test: stages.state(planned(f"evaluate/{test}/{cell}")) for test in grid.test_datasets}
    return CellRow(cell, stages.state(planned(f"train/{cell}")), scored)
