"""Stage tables: plan and scores of the grid -> results/GRID, paper_tables/GRID; MLflow gets what it lacks."""

import sys
from pathlib import Path
from typing import Any

from fer_bench import report, tracking
from fer_bench.au import AU_NAMES, VARIANTS, wanted_aus
from fer_bench.au.preview import codebook_figure
from fer_bench.cells import PLAN
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.provenance import recorded
from fer_bench.stage import runtime

GRID = PLAN / "grid.json"


def main() -> None:
    """Render everything and move it into place, then mirror all evaluations at once."""
    try:
        with recorded("tables", "grid"):
            plan = report.read_plan(GRID)
            report.build(GRID, Path(), units=_units(plan))
            for path in codebook_figure(Path("paper_tables") / plan["name"] / "figures" / "codebook"):
                if path.suffix == ".png":
                    report.shrink(path)
            if runtime().mlflow:
                print(tracking.sync(Path(), plan))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _units(plan: dict[str, Any]) -> dict[str, list[str]]:
    """Action units of every expression's map in the main tables; nothing for maps that no codebook makes."""
    variant = plan["tables"]["target"]
    if variant not in VARIANTS:
        return {}
    return {name: [f"AU{unit} {AU_NAMES[unit]}" for unit in wanted_aus(name, variant)] for name in EXPRESSIONS}


if __name__ == "__main__":
    main()
