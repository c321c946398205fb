"""The report of a grid with all that it shows beside scores: names of action units, the codebook as a figure."""

from pathlib import Path
from typing import Any

from fer_bench import report
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


def _units(planned: dict[str, Any]) -> dict[str, list[str]]:
    """Action units of every expression's map in the main tables; nothing for maps that no codebook makes."""
    variant = planned["tables"]["target"]
    if variant not in VARIANTS:
        return {}
    return {name: [f"AU{unit} {AU_NAMES[unit]}" for unit in wanted_aus(name, variant)] for name in EXPRESSIONS}
