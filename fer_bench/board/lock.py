"""What dvc.lock records of the stages of a grid."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from fer_bench import grid_locks
from fer_bench.errors import InputError
from fer_bench.grid_settings import Grid

Recorded = dict[str, dict[str, dict[str, Any]]]  # `deps` or `outs` -> path -> hash, size, number of files


def recorded(grid: Grid, active: bool, root: Path = Path()) -> dict[str, Recorded]:
    """Read the stages of a grid, without the large one that plans it.

    Args:
        grid: which one.
        active: whether its stages are in dvc.lock itself; those of other grids wait beside their results.
        root: repository root.

    Raises:
        InputError: a file that is not as DVC writes it.
    """
    path = grid_locks.LOCK if active else grid_locks.waiting(grid.name)
    if not (root / path).is_file():
        return {}
    _, blocks = grid_locks.parts((root / path).read_text(encoding="utf-8"), path)
    wanted = [name for name in grid_locks.stages(grid) if name in blocks and name != "plan"]
    try:
        stages = YAML(typ="safe").load("".join(blocks[name] for name in wanted)) or {}
    except YAMLError as error:
        line = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: cannot be read ({line}); `git restore {path}` brings the committed one back"
        ) from None
    found = {name: {kind: _by_path(stage.get(kind)) for kind in ("deps", "outs")} for name, stage in stages.items()}
    # The stage `tables` of all grids has one name: after `fer-bench use` it may be that of the grid before.
    return {name: stage for name, stage in found.items() if name != "tables" or _of_grid(stage, grid.name)}


def _by_path(entries: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {entry["path"]: entry for entry in entries or []}


def _of_grid(tables: Recorded, grid: str) -> bool:
    return any(Path(path).is_relative_to(grid_locks.RESULTS / grid) for path in tables["outs"])
