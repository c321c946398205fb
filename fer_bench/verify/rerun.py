"""The pipeline of the last commit once more, from nothing, in a clone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from fer_bench.cells import PLAN, Cell
from fer_bench.errors import InputError, unknown
from fer_bench.report.collect import collect


@contextmanager
def clone(root: Path) -> Iterator[Path]:
    """Clone the last commit into a temporary folder, whose DVC cache is empty; the working tree is not looked at."""
    with TemporaryDirectory(prefix="fer-bench-verify-") as folder:
        target = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(root.resolve()), str(target)], check=True)
        yield target


def targets(cells: Sequence[str], test_datasets: Sequence[str]) -> list[str]:
    """Names of the DVC stages that score the cells; none for the whole grid."""
    parsed = [Cell.parse(name) for name in cells]
    return [
        f"evaluate@{cell.dataset}-{cell.model}-{cell.guidance}-{cell.seed}-{test}"
        for cell in parsed
        for test in test_datasets
    ]


def with_trainings(stages: Sequence[str]) -> list[str]:
    """The stages `evaluate@...` and the trainings before them, as dvc.lock names them."""
    return [*stages, *sorted({f"train@{name.removeprefix('evaluate@').rpartition('-')[0]}" for name in stages})]


def run(folder: Path, stages: Sequence[str]) -> None:
    """Run `dvc repro` in a clone, its output on the screen.

    Raises:
        InputError: a stage failed.
    """
    environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(folder)}
    result = subprocess.run([sys.executable, "-m", "dvc", "repro", *stages], cwd=folder, env=environment, check=False)
    if result.returncode:
        raise InputError("the rerun stopped; its last lines above say why, and nothing was certified")


def scores(folder: Path, cells: Sequence[str]) -> pd.DataFrame:
    """Read the scores of some cells of a clone as a tidy table."""
    plan: dict[str, Any] = json.loads((folder / PLAN / "grid.json").read_text(encoding="utf-8"))
    return collect({**plan, "cells": [entry for entry in plan["cells"] if entry["cell"] in cells]}, folder)


def checked(wanted: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the wanted cells, each of which the grid must have."""
    for name in wanted:
        if name not in known:
            raise unknown("cell", name, "fer-bench verify --cell", known)
    return list(dict.fromkeys(wanted))
