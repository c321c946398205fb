"""The cards of a grid, beside its tables."""

from collections.abc import Sequence
from pathlib import Path

from fer_bench.report import data_card, model_card
from fer_bench.report.results import Results
from fer_bench.report.table import Table


def write(results: Results, tables: Sequence[Table], folder: Path) -> None:
    """Write model_card.md and data_card.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_card.md").write_text(model_card.render(results, tables), encoding="utf-8")
    (folder / "data_card.md").write_text(data_card.render(results), encoding="utf-8")
