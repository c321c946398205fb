"""The report of a grid with all that it shows beside scores: names of action units, the codebook as a figure."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fer_bench import grids, plan, report
from fer_bench.au import AU_NAMES, VARIANTS, wanted_aus
from fer_bench.au.preview import codebook_figure
from fer_bench.cells import PLAN
from fer_bench.expressions import EXPRESSIONS

GRID = PLAN / "grid.json"


def render(plan_path: Path = GRID, root: Path = Path()) -> dict[str, Any]:
    """Render tables, figures and page of the grid planned in a file into their places; return its plan.

    Raises:
        InputError: no plan, or a result file is missing.
    """
    planned = report.read_plan(plan_path)
    report.build(plan_path, root, units=_units(planned))
    for path in codebook_figure(root / "paper_tables" / planned["name"] / "figures" / "codebook"):
        if path.suffix == ".png":
            report.shrink(path)
    return planned


def again(grid: str = "", root: Path = Path()) -> str:
    """Render a grid, by default the active one, from the result files that lie here; return its name.

    It is shown as it was planned when it was run, if that plan is here, else as params.yaml plans it now.
    """
    name = grid or grids.active(root).name
    if (root / GRID).is_file() and report.read_plan(root / GRID).get("name") == name:
        render(root / GRID, root)
        return name
    with TemporaryDirectory(prefix="fer-bench-") as folder:
        path = Path(folder) / GRID.name
        path.write_text(json.dumps(plan.entries(grids.params_with(name, root), root)["grid.json"]), encoding="utf-8")
        render(path, root)
    return name


def _units(planned: dict[str, Any]) -> dict[str, list[str]]:
    """Action units of every expression's map in the main tables; nothing for maps that no codebook makes."""
    variant = planned["tables"]["target"]
    if variant not in VARIANTS:
        return {}
    return {name: [f"AU{unit} {AU_NAMES[unit]}" for unit in wanted_aus(name, variant)] for name in EXPRESSIONS}
