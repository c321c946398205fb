"""The whole report of a grid: tidy table, tables and figures, rendered aside and moved into place at the end."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from fer_bench.cells import PRIVATE
from fer_bench.errors import InputError
from fer_bench.report import cards, figures, histories, page, plots, style, tables
from fer_bench.report.results import Results, load

RESULTS = Path("results")
PAPER_TABLES = Path("paper_tables")


def build(
    plan_path: Path,
    root: Path,
    extra_figures: Mapping[str, Figure] | None = None,
    units: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Render the report of the grid planned in `plan_path` below `root`.

    Args:
        plan_path: grid.json of the plan.
        root: repository root.
        extra_figures: file name without ending -> a figure made elsewhere, e.g. the codebook sheet.
        units: expression -> names of the action units in the main tables' map; figures of faces list them.

    Writes results/GRID/metrics.csv, curves.csv and report.html, paper_tables/GRID/ with tables, cards and figures, and,
    for datasets whose images may not be published, figures that show faces in results/private/GRID/. Existing files
    stay untouched until everything is rendered.
    """
    results = load(read_plan(plan_path), root)
    with tempfile.TemporaryDirectory(dir=_scratch(root)) as name:
        scratch = Path(name)
        _render(results, scratch, extra_figures or {}, units or {})
        _replace_files(scratch / RESULTS / results.grid, root / RESULTS / results.grid)
        for folder in (PAPER_TABLES / results.grid, PRIVATE / results.grid):
            _replace_folder(scratch / folder, root / folder)


def read_plan(path: Path) -> dict[str, Any]:
    """Read grid.json.

    Raises:
        InputError: the file is missing or is no plan.
    """
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as the plan of a grid ({error}); run `dvc repro plan`") from error
    if not isinstance(plan, dict):
        raise InputError(f"{path}: not the plan of a grid; run `dvc repro plan`")
    return plan


def _scratch(root: Path) -> Path:
    """A folder on the same disk as the results, so that the final move cannot stop half-way for lack of space."""
    folder = root / PRIVATE
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _render(results: Results, folder: Path, extra: Mapping[str, Figure], units: Mapping[str, Sequence[str]]) -> None:
    write_csv(results.frame, folder / RESULTS / results.grid / "metrics.csv")
    write_csv(histories.curves(results), folder / RESULTS / results.grid / "curves.csv")
    plots.write(results, folder / PAPER_TABLES / results.grid / "plots")
    built = tables.build(results)
    tables.write(built, folder / PAPER_TABLES / results.grid)
    cards.write(results, built, folder / PAPER_TABLES / results.grid)
    public = folder / PAPER_TABLES / results.grid / "figures"
    figures.write(results, public, folder / PRIVATE / results.grid, units)
    for name, figure in extra.items():
        style.save(figure, public, name)
    page.write(results, built, public, units, folder / RESULTS / results.grid / page.NAME)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table with full precision and the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")


def _replace_files(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        path.replace(target / path.name)


def _replace_folder(source: Path, target: Path) -> None:
    """Put a folder in the place of an older one, which may hold files of a cell that has left the grid."""
    if target.exists():
        shutil.rmtree(target)
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
