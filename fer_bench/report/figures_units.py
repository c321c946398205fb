"""Faces beside the maps of their action units, in the layout of the paper's Figure 2."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from fer_bench.report import examples, labels, style
from fer_bench.report.examples import Examples
from fer_bench.report.results import Pair, Results

ORDER = ("happiness", "surprise", "fear", "anger", "disgust", "sadness")  # as in the paper
ACROSS = 3  # pairs of panels in a row
ROOM, GAP = 0.06, 0.02  # inches around a pair, and between its panels
UNBROKEN = "\N{NO-BREAK SPACE}"  # a unit stays in one line
TITLE, TAG, WORDS = 0.26, 0.16, 0.52  # inches: title, name of the expression, list of units


def build(results: Results, units: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Figure, bool]]:
    """Yield (file name, figure, whether the faces may be published) per test dataset.

    Args:
        results: of a grid.
        units: expression -> names of the action units that its map shows; may be empty.
    """
    for pair in results.drawn_pairs:
        first = _any(results, pair) if pair.dataset == pair.test_dataset else None
        faces = _faces(results, pair, first) if first else {}
        if first and faces:
            made = _figure(results, pair, first, faces, units)
            yield f"au_maps-{pair.name}", made, examples.publishable(results, pair)


def _any(results: Results, pair: Pair) -> Examples | None:
    """Examples of any cell: faces and the maps of their units do not depend on the network."""
    for model in results.models:
        for found in examples.of_arms(results, pair, model).values():
            return found
    return None


def _faces(results: Results, pair: Pair, first: Examples) -> dict[str, int]:
    """Expression -> its first example with a map, in the paper's order, others after it."""
    names = examples.names_of(results, pair, first)
    maps = first.get(f"target.{results.target}")
    found: dict[str, int] = {}
    for face, name in enumerate(names):
        if maps is not None and np.isfinite(maps[face]).all():
            found.setdefault(name, face)
    ordered = [name for name in (*ORDER, *sorted(found)) if name in found]
    return {name: found[name] for name in ordered}


def _figure(
    results: Results, pair: Pair, first: Examples, faces: Mapping[str, int], units: Mapping[str, Sequence[str]]
) -> Figure:
    width = style.TEXT / ACROSS
    side = (width - 2 * ROOM - GAP) / 2
    height = TAG + side + (WORDS if units else ROOM)
    rows = -(-len(faces) // ACROSS)
    made = style.blank(style.TEXT, TITLE + rows * height)
    title = f"Faces and the maps of their action units ({labels.target(results.target)}), {results.pair_label(pair)}"
    style.write(made, style.TEXT / 2, ROOM, title, ha="center", va="top", fontsize=8)
    for number, (name, face) in enumerate(faces.items()):
        left, top = number % ACROSS * width + ROOM, TITLE + number // ACROSS * height + TAG
        style.write(made, left + side + GAP / 2, top - 0.03, name.capitalize(), ha="center", va="bottom", fontsize=7)
        image = first["images"][face]
        style.picture(style.place(made, left, top, side, side), image)
        examples.overlay(
            style.place(made, left + side + GAP, top, side, side), image, first[f"target.{results.target}"][face]
        )
        listed = fill(", ".join(unit.replace(" ", UNBROKEN) for unit in units.get(name, ())), 48)
        style.write(made, left, top + side + 0.04, listed, ha="left", va="top", fontsize=style.SMALL, linespacing=1.15)
    return made
