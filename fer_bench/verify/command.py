"""`fer-bench verify`: compare, certify, print."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fer_bench import cell_stages, grids, params
from fer_bench.errors import InputError
from fer_bench.grid_settings import Grid
from fer_bench.verify import certificate, environment, git, lock, rerun
from fer_bench.verify.certificate import RESULTS, Certificate
from fer_bench.verify.compare import compared, differences, read


def run(
    tolerance: float, again: bool, wanted: Sequence[str], root: Path = Path(), as_json: bool = False
) -> Certificate:
    """Verify the active grid, write its certificate, print what differs and the verdict.

    Args:
        tolerance: see `compare.compared`, in points.
        again: run the pipeline of the last commit in a clone instead of reading the files that lie here.
        wanted: cells to run again; all of them when empty.
        root: repository root.
        as_json: print the certificate itself; what a rerun says goes to the error stream.

    Raises:
        InputError: nothing to compare with, an unknown cell, or a stage that failed.
    """
    grid = params.load(root / "params.yaml").grid
    names = [cell.name for cell in grids.cells(grid)]
    cells = cell_stages.checked(wanted, names, "fer-bench verify --cell")
    table = RESULTS / grid.name / "metrics.csv"
    before = git.committed_frame(table, root)
    if again:
        found, stages, outdated = _again(before, table, cells, grid, tolerance, root, as_json)
    else:
        found, stages, outdated = _as_it_lies(before, table, grid, tolerance, root)
    made = _certificate(grid.name, found, stages, outdated, again, cells, tolerance, root)
    path = made.write(root)
    if as_json:
        print(path.read_text(encoding="utf-8"), end="")
    else:
        _print(made, found, path)
    return made


def _as_it_lies(
    before: pd.DataFrame, table: Path, grid: Grid, tolerance: float, root: Path
) -> tuple[pd.DataFrame, lock.Stages, list[str]]:
    if not (root / table).is_file():
        raise InputError(f"{table}: no such file; `dvc repro` makes it")
    here = (root / lock.LOCK).read_text(encoding="utf-8") if (root / lock.LOCK).is_file() else ""
    stages = lock.compared(lock.committed(grid.name, root), here)
    return compared(before, read(root / table), tolerance), stages, lock.outdated(root)


def _again(
    before: pd.DataFrame, table: Path, cells: list[str], grid: Grid, tolerance: float, root: Path, quiet: bool
) -> tuple[pd.DataFrame, lock.Stages, list[str]]:
    stages = cell_stages.evaluations(cells, grid.test_datasets)
    committed_lock = lock.committed(grid.name, root)
    with rerun.clone(root) as folder:
        if grids.active(folder).name != grid.name:
            grids.use(grid.name, folder)
        rerun.run(folder, stages, quiet)
        here = rerun.scores(folder, cells) if cells else read(folder / table)
        after = (folder / lock.LOCK).read_text(encoding="utf-8")
    only = cell_stages.with_trainings(stages) if cells else None
    return compared(_of(before, cells), here, tolerance), lock.compared(committed_lock, after, only), []


def _of(table: pd.DataFrame, cells: Sequence[str]) -> pd.DataFrame:
    if not cells:
        return table
    names = table["dataset"] + "-" + table["model"] + "-" + table["guidance"] + "-s" + table["seed"]
    return table[names.isin(cells)]


def _certificate(
    grid: str,
    found: pd.DataFrame,
    stages: lock.Stages,
    outdated: list[str],
    again: bool,
    cells: list[str],
    tolerance: float,
    root: Path,
) -> Certificate:
    here = environment.surroundings()
    before = certificate.environment_of(_committed_certificate(grid, root))
    pins = (root / environment.LOCK).read_text(encoding="utf-8")
    return Certificate(
        grid=grid,
        mode="rerun" if again else "check",
        commit=git.head(root),
        cells=cells or "all",
        tolerance=tolerance,
        scores=certificate.counts(found),
        largest=certificate.largest(found),
        stages=stages,
        outdated=outdated,
        environment=here,
        environment_differences=[*environment.from_certificate(before, here), *environment.from_lock(pins)],
    )


def _committed_certificate(grid: str, root: Path) -> str | None:
    try:
        return git.committed_text(RESULTS / grid / certificate.NAME, root)
    except InputError:  # the first certificate of a grid
        return None


def _print(made: Certificate, found: pd.DataFrame, path: Path) -> None:
    if made.largest:
        print(differences(found).head(len(made.largest)).to_string(index=False))
    print(f"outputs of stages: {made.stages.compared - len(made.stages.different)} of {made.stages.compared} identical")
    for title, lines in (
        ("out of date, `dvc repro` runs them", made.outdated),
        ("stages with other outputs", made.stages.different),
        ("environment", made.environment_differences),
    ):
        if lines:
            print(f"{title}:\n{certificate.listed(lines)}")
    print(f"certificate: {path}")
    print(made.verdict)
