"""Pages of the repository whose tables are made from the committed results of the default grid: `make pages`."""

from pathlib import Path

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.report.page_significance import significance
from fer_bench.report.page_tables import GRID, levels, scores
from fer_bench.yaml_file import read_yaml

BEGIN = "<!-- made of the results of the grid `default` by `make pages` -->"
END = "<!-- end -->"
METRICS = f"results/{GRID}/metrics.csv"
SIGNIFICANCE = f"paper_tables/{GRID}/significance.csv"


def pages(root: Path) -> dict[str, str]:
    """Path -> what each page would be with the results that lie below a folder, the root of the repository."""
    frame, models = _read(root, METRICS), read_yaml(root / "params.yaml")["models"]
    made = {
        "README.md": scores(frame, models),
        "docs/tables.md": levels(frame, models),
        "docs/statistics.md": significance(_read(root, SIGNIFICANCE)),
    }
    return {page: update((root / page).read_text(encoding="utf-8"), table, page) for page, table in made.items()}


def update(text: str, made: str, page: str) -> str:
    """Put a table between the two marks of a page; InputError where it has not one of each, in this order."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"{page}: expected the lines {BEGIN!r} and {END!r}, in this order")
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


def _read(root: Path, name: str) -> pd.DataFrame:
    """A table; empty cells are empty texts among texts and NaN among numbers."""
    if not (root / name).is_file():
        raise InputError(f"{root / name}: no such file; `make repro` with the grid {GRID} writes it")
    return pd.read_csv(root / name, keep_default_na=name != METRICS)


if __name__ == "__main__":
    for name, text in pages(Path()).items():
        Path(name).write_text(text, encoding="utf-8")
