"""The report of a grid as one web page that needs nothing else: no network, no other file, the same bytes each time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_bench.report.page import _coverage, _curves, _figures, _gallery, _mean_maps, _origin, _render, _summary
from fer_bench.report.page._tables import split
from fer_bench.report.results import Results
from fer_bench.report.table import Table

NAME = "report.html"


def write(
    results: Results, tables: Sequence[Table], figures: Path, units: Mapping[str, Sequence[str]], path: Path
) -> None:
    """Write the page of a grid.

    Args:
        results: of the grid.
        tables: all of its tables, in the order of print.
        figures: folder of the public figures; those that show faces which may not be published are not in it.
        units: expression -> names of the action units of its map; may be empty.
        path: of the page.
    """
    first, further = split(tables)
    content = _render.page(
        origin=_origin.build(results),
        summary=_summary.build(results, tables),
        first_tables=first,
        further_tables=further,
        galleries=_gallery.build(results, units),
        mean_maps=_mean_maps.build(results),
        coverages=_coverage.build(results),
        curves=_curves.build(results),
        figures=_figures.build(figures),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")
