"""The report of a grid rendered again, by the plan that it was run with or by a new one."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_bench import grids, plan, report
from fer_bench.rendering import GRID, render


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
