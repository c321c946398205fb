"""The figures and pictures of a run, drawn from the result files; a face only where its dataset may be shown."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.cells import PLAN, Cell


def history(table: pd.DataFrame, cell: Cell, folder: Path) -> None:
    """Draw training_curves.png."""
    from fer_bench.report import figures_curves, style  # noqa: PLC0415  seaborn loads only when a figure is drawn

    with style.look():
        style.save(figures_curves.single(table, cell.guidance, cell.name), folder, "training_curves", pdf=False)


def evaluation(root: Path, cell: Cell, test: str, folder: Path) -> None:
    """Draw confusion.png and, where the images may be shown, overlays.png; nothing for a cell outside the grid."""
    from fer_bench.report import figures_confusion, figures_overlays, results, style  # noqa: PLC0415  as above

    plan = _plan_of(root, cell, test)
    if plan is None:
        return
    one = results.load(plan, root)
    with style.look():
        for _, figure in figures_confusion.build(one):
            style.save(figure, folder, "confusion", pdf=False)
        for _, figure, publishable in figures_overlays.build(one):
            if publishable:
                style.save(figure, folder, "overlays", pdf=False)


def pictures(root: Path, cell: Cell, test: str, folder: Path) -> dict[str, Path]:
    """Draw the faces under each kind of map, `attention` and `cam`: kind -> file; empty where none may be shown."""
    from fer_bench.report import figures_faces, results, style  # noqa: PLC0415  as above

    plan = _plan_of(root, cell, test)
    if plan is None or not plan["datasets"][test].get("publishable_images", False):
        return {}
    with style.look():
        for kind, figure in figures_faces.build(results.load(plan, root)):
            style.save(figure, folder, kind, pdf=False)
    return {path.stem: path for path in sorted(folder.glob("*.png"))}


def _plan_of(root: Path, cell: Cell, test: str) -> dict[str, Any] | None:
    """The plan of the active grid reduced to one cell and one test dataset; None when they are not in it."""
    path = root / PLAN / "grid.json"
    plan = dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    entries = [entry for entry in plan.get("cells", []) if entry["cell"] == cell.name]
    if not entries or test not in plan["test_datasets"]:
        return None
    return plan | {"cells": entries, "test_datasets": [test]}
