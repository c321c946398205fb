"""`fer-bench ui` and `mlflow-sync`: the runs in MLflow, a mirror of the result files."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from fer_bench.cells import PLAN
from fer_bench.commands._command import KEEP, LOOK, command
from fer_bench.errors import InputError

_WHERE = "open one of these as soon as `Uvicorn running` is printed, in about ten seconds; Ctrl+C ends it:"
_EMPTY = "no runs yet: `fer-bench repro` makes them, `fer-bench mlflow-sync` builds them from results that are here"


@command(LOOK, "fer-bench ui", "fer-bench ui --port 5001", statuses={0: "ended", 1: "MLflow could not start"})
def ui(port: Annotated[int, typer.Option(min=1, max=65535)] = 5000) -> None:
    """Show the runs in MLflow, for this machine alone and without its telemetry, until interrupted."""
    from fer_bench import tracking  # noqa: PLC0415  MLflow takes seconds

    views = tracking.view_addresses(port)
    print(_WHERE if views else _EMPTY, flush=True)
    for view, address in views.items():
        print(f"{view}: {address}", flush=True)
    hosts = f"localhost:{port},127.0.0.1:{port}"  # requests under any other name are refused
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--allowed-hosts", hosts]
    command = [sys.executable, "-m", "mlflow", "ui", *options]
    os.execv(sys.executable, command)  # noqa: S606  in place of this process, so that what ends one ends the other


@command(KEEP, "fer-bench mlflow-sync", name="mlflow-sync")
def mlflow_sync() -> None:
    """Build the MLflow runs that are missing from the result files."""
    from fer_bench import tracking  # noqa: PLC0415  MLflow takes seconds

    plan = PLAN / "grid.json"
    if not plan.is_file():
        raise InputError(f"{plan}: no such file; `dvc repro plan` makes it")
    print(tracking.sync(Path(), json.loads(plan.read_text(encoding="utf-8")), _watched))


def _watched(cells: list[Any]) -> Iterable[Any]:
    """Show how many cells are done, on a terminal: a run takes seconds and a grid has hundreds."""
    console = Console(stderr=True)
    return track(cells, "cells in MLflow", console=console, transient=True, disable=not console.is_terminal)
