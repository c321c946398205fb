"""What the shell completes: names of cells, grids and kinds, read from files alone; no plug-in is imported."""

from collections.abc import Callable
from pathlib import Path

from fer_bench import grids, registry, starter
from fer_bench.cells import METRICS, RUNS
from fer_bench.errors import InputError
from fer_bench.grid_settings import Grid
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml


def active(root: Path = Path()) -> Grid:
    """Read the section `grid` of params.yaml by itself."""
    return validate(Grid, read_yaml(root / grids.PARAMS).get("grid"), "params.yaml: grid")


def _completer(names: Callable[[], list[str]]) -> Callable[[str], list[str]]:
    """A function for typer; where names cannot be read it has nothing to say, for there is no place to say it."""

    def complete(incomplete: str) -> list[str]:
        try:
            return sorted(name for name in names() if name.startswith(incomplete))
        except (InputError, OSError):
            return []

    return complete


def cell_names() -> list[str]:
    """Names of the cells of the active grid, in its order."""
    return [cell.name for cell in grids.cells(active())]


def _scored() -> list[str]:
    return list({path.stem for path in METRICS.glob("*/*.json")})


def _trained() -> list[str]:
    return [path.parent.parent.name for path in RUNS.glob("*/weights/model.safetensors")]


def _datasets() -> list[str]:
    return list(active().test_datasets)


cells = _completer(cell_names)
scored_cells = _completer(_scored)
trained_cells = _completer(_trained)
test_datasets = _completer(_datasets)
grid_names = _completer(grids.names)
kinds = _completer(lambda: ["grids", "models", "cells", *registry.KINDS])
new_kinds = _completer(lambda: list(starter.KINDS))
engines = _completer(lambda: registry.names("engines"))
explainers = _completer(lambda: registry.names("explainers"))
