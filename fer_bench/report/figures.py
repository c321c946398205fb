"""All figures of a grid."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from fer_bench.report import (
    figures_confusion,
    figures_controls,
    figures_coverage,
    figures_curves,
    figures_faithfulness,
    figures_lambda,
    figures_maps,
    figures_overlays,
    figures_panels,
    figures_summary,
    figures_units,
    style,
)
from fer_bench.report.results import Results


def write(results: Results, folder: Path, private: Path, units: Mapping[str, Sequence[str]]) -> None:
    """Save every figure as .pdf and .png in `folder`; what shows faces that may not be published goes to `private`.

    `units` names the action units of each expression's map.
    """
    with style.look():
        for name, made in _public(results):
            style.save(made, folder, name)
        for name, made, publishable in _faces(results, units):
            style.save(made, folder if publishable else private, name)


def _public(results: Results) -> Iterator[tuple[str, Figure]]:
    yield from figures_summary.build(results)
    yield from figures_controls.build(results)
    yield from figures_maps.build(results)
    yield from figures_confusion.build(results)
    yield from figures_coverage.build(results)
    yield from figures_curves.build(results)
    yield from figures_lambda.build(results)
    yield from figures_faithfulness.build(results)


def _faces(results: Results, units: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Figure, bool]]:
    yield from figures_panels.build(results)
    yield from figures_units.build(results, units)
    yield from figures_overlays.build(results)
