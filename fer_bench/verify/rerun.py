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

from fer_bench.cells import PLAN
from fer_bench.errors import InputError
from fer_bench.report.collect import collect


@contextmanager
def clone(root: Path) -> Iterator[Path]:
    """Clone the last commit into a temporary folder, whose DVC cache is empty; the working tree is not looked at."""
    with TemporaryDirectory(prefix="fer-bench-verify-") as folder:
        target = Path(folder) / "clone"
        subprocess.run(
            ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", str(root.resolve()), str(target)], check=True
        )
        yield target


def run(folder: Path, stages: Sequence[str], quiet: bool = False) -> None:
    """Run `dvc repro` in a clone, its output on the screen; with `quiet` on the error stream.

    Raises:
        InputError: a stage failed.
    """
    environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "dvc", "repro", *stages]
    out = sys.stderr if quiet else None
    result = subprocess.run(command, cwd=folder, env=environment, stdout=out, check=False)
    if result.returncode:
        raise InputError("the rerun stopped; its last lines above say why, and nothing was certified")


def scores(folder: Path, cells: Sequence[str]) -> pd.DataFrame:
    """Read the scores of some cells of a clone as a tidy table."""
    plan: dict[str, Any] = json.loads((folder / PLAN / "grid.json").read_text(encoding="utf-8"))
    return collect({**plan, "cells": [entry for entry in plan["cells"] if entry["cell"] in cells]}, folder)
