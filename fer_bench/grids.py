"""Named grids: files of grids/ that take turns as the section `grid` of params.yaml."""

from pathlib import Path

from fer_bench import grid_locks, params
from fer_bench.cells import Cell
from fer_bench.errors import unknown
from fer_bench.grid_settings import Grid
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml

FOLDER = Path("grids")
PARAMS = Path("params.yaml")


def names(root: Path = Path()) -> list[str]:
    """List the grids that have a file, those of a folder as FOLDER/NAME."""
    paths = (root / FOLDER).rglob("*.yaml")
    return sorted(path.relative_to(root / FOLDER).with_suffix("").as_posix() for path in paths)


def read(name: str, root: Path = Path()) -> Grid:
    """Read a grid file; its name is the grid's."""
    if name not in names(root):
        raise unknown("grid", name, str(FOLDER), names(root))
    path = FOLDER / f"{name}.yaml"
    return validate(Grid, {"name": name, **read_yaml(root / path)}, str(path))


def params_with(name: str, root: Path = Path()) -> params.Params:
    """Read params.yaml as if a grid were the active one; the active one itself as it stands there.

    Raises:
        InputError: no such grid, or one that cannot run.
    """
    loaded = params.load(root / PARAMS)
    if name == loaded.grid.name:
        return loaded
    grid = read(name, root).model_dump(mode="json")
    return params.parse({**read_yaml(root / PARAMS), "grid": grid}, f"{PARAMS} with grid {name}")


def use(name: str, root: Path = Path()) -> Grid:
    """Make a grid the active one: copy its file into the section `grid` of params.yaml, all other lines untouched.

    The whole is validated first, so that params.yaml never holds a grid that cannot run. dvc.lock changes with it.
    """
    grid = read(name, root)
    text = (root / PARAMS).read_text(encoding="utf-8")
    params.parse({**read_yaml(root / PARAMS), "grid": grid.model_dump(mode="json")}, f"{PARAMS} with grid {name}")
    grid_locks.switch(active(root), grid, root)
    (root / PARAMS).write_text(_with_section(text, _section(name, root)), encoding="utf-8")
    return grid


def cells(grid: Grid) -> list[Cell]:
    """List the cells of a grid."""
    return [
        Cell(dataset, model, guidance, seed)
        for dataset in grid.datasets
        for model in grid.models
        for guidance in grid.guidance
        for seed in grid.seeds
        if grid.has(model, guidance)
    ]


def active(root: Path = Path()) -> Grid:
    """Return the active grid."""
    return params.load(root / PARAMS).grid


def _section(name: str, root: Path) -> str:
    """The lines of a grid file as they stand below `grid:`; its leading comment stays in the file."""
    lines = (root / FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("#")):
        lines.pop(0)
    return "\n".join(["grid:", f"  name: {name}", *(f"  {line}".rstrip() for line in lines)]) + "\n"


def _with_section(text: str, section: str) -> str:
    """Replace the top-level section `grid` of a YAML text, up to the next top-level line."""
    lines = text.splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("grid:"))
    end = start + 1
    while end < len(lines) and (lines[end].startswith((" ", "-"))):
        end += 1
    return "".join(lines[:start]) + section + "".join(lines[end:])
