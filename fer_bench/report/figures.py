"""All figures of a grid."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from fer_bench.report import (
    figures_confusion,
    figures_curves,
    figures_maps,
    figures_overlays,
    figures_summary,
    style,
)
from fer_bench.report.results import Results


def write(results: Results, folder: Path, private: Path) -> None:
    """Save every figure as .pdf and .png in `folder`; what shows faces that may not be published goes to `private`."""
    with style.look():
        for name, made in _public(results):
            style.save(made, folder, name)
        for name, made, publishable in figures_overlays.build(results):
            style.save(made, folder if publishable else private, name)


def _public(results: Results) -> Iterator[tuple[str, Figure]]:
    yield from figures_summary.build(results)
    yield from figures_maps.build(results)
    yield from figures_confusion.build(results)
    yield from figures_curves.build(results)
