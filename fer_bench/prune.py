"""Find and remove what no grid names any more: runs, scores, tables and prepared datasets left behind."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

from fer_bench import grids
from fer_bench.cells import DATA, METRICS, PRIVATE, RUNS, STATES, Cell
from fer_bench.grid_settings import Grid
from fer_bench.hygiene.files import SUMMARIES

KEPT_IN_RESULTS = {"runs", "metrics", "hygiene", "provenance", "private", "states"}

PREPARED = ("faces", "landmarks", "hygiene", "heatmaps")  # folders of data/ with an entry per dataset


def leftovers(root: Path = Path()) -> list[Path]:
    """List the files and folders that neither the active grid nor any file of grids/ names, sorted."""
    named = [grids.active(root), *(grids.read(name, root) for name in grids.names(root))]
    cells = {name for grid in named for name in _staged(grid)}
    datasets = {name for grid in named for name in (*grid.datasets, *grid.test_datasets)}
    names = {grid.name for grid in named}
    found = [
        *_strangers(root / RUNS, cells),
        *_strangers(root / STATES, cells),
        *_strangers(root / METRICS, datasets),
        *_strangers(root / SUMMARIES, datasets),
        *(path for folder in _folders(root / METRICS) for path in _strangers(folder, cells)),
        *(path for kind in PREPARED for path in _strangers(root / DATA / kind, datasets)),
        *_grid_strangers(root / "results", names, KEPT_IN_RESULTS),
        *_grid_strangers(root / PRIVATE, names, datasets),
        *_grid_strangers(root / "paper_tables", names, set()),
    ]
    return sorted(set(found))


def _staged(grid: Grid) -> Iterator[str]:
    """Cells that have stages: DVC's matrix knows products only, so those outside the grid's blocks are among them."""
    for identity in product(grid.datasets, grid.models, grid.guidance, grid.seeds):
        yield Cell(*identity).name


def remove(paths: Iterable[Path]) -> None:
    """Delete files and folders."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_dir()]


def _strangers(folder: Path, names: set[str]) -> list[Path]:
    """Entries of a folder whose name without ending is not among the names; DVC's own .gitignore files stay."""
    return [path for path in folder.glob("*") if path.stem not in names and not path.name.startswith(".")]


def _grid_strangers(folder: Path, grids: set[str], others: set[str]) -> list[Path]:
    """Folders of grids that no longer are, one level deeper where grids lie in a folder of their own."""
    shared = {name.split("/")[0] for name in grids if "/" in name}
    nested = (
        path
        for name in sorted(shared - grids)
        for path in _strangers(folder / name, {grid.split("/")[1] for grid in grids if grid.startswith(f"{name}/")})
    )
    found = [*_strangers(folder, {grid.split("/")[0] for grid in grids} | others), *nested]
    return [path for path in found if path.is_dir()]  # files beside the grids, such as a README, belong to none
