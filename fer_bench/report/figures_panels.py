"""The panels of the paper's overview (Figure 1): a face, the map of its action units, and what a network attends to."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from fer_bench.report import examples, labels, methods, style
from fer_bench.report.examples import Examples
from fer_bench.report.figures_overlays import explainer_key
from fer_bench.report.results import Pair, Results

ROOM, GAP, TAG = 0.06, 0.04, 0.13  # inches: around, between panels, and for the words below one
TITLE, HEADING = 0.26, 0.26


def build(results: Results) -> Iterator[tuple[str, Figure, bool]]:
    """Yield (file name, figure, whether the face may be published) per pair of datasets and model.

    Shown is the first face that has a map, in the order of the test split: image, action unit map, then for each
    training the attention of every layer and the class activation map of the true class.
    """
    for pair in results.drawn_pairs:
        for model in results.models:
            arms = examples.of_arms(results, pair, model)
            face = _face(results, arms)
            if face is not None:
                made = _figure(results, pair, model, arms, face)
                yield f"panels-{pair.name}-{model}", made, examples.publishable(results, pair)


def _face(results: Results, arms: dict[str, Examples]) -> int | None:
    """The first example with a map."""
    for found in arms.values():
        maps = found.get(f"target.{results.target}")
        if maps is not None:
            finite = [face for face, values in enumerate(maps) if np.isfinite(values).all()]
            return finite[0] if finite else None
    return None


def _figure(results: Results, pair: Pair, model: str, arms: dict[str, Examples], face: int) -> Figure:
    first = next(iter(arms.values()))
    keys = [f"att.{name}" for name in results.layers if f"att.{name}" in first]
    keys += explainer_key(results, model, first)
    left = max(style.width_of(results.guidance_label(arm), 7) for arm in arms) + 3 * ROOM
    side = (style.TEXT - left - 2 * ROOM - (len(keys) + 1) * GAP) / (len(keys) + 2)
    made = style.blank(style.TEXT, TITLE + HEADING + len(arms) * (side + TAG) + ROOM)
    name = examples.names_of(results, pair, first)[face]
    title = f"{methods.model_words(results)[model]}: one test image, {name}, {results.pair_label(pair)}"
    style.write(made, style.TEXT / 2, ROOM, title, ha="center", va="top", fontsize=8)
    _given(results, made, first, face, side, len(arms))
    for place, key in enumerate(keys):
        start = ROOM + 2 * (side + GAP) + left + place * (side + GAP)
        _heading(made, start + side / 2, key)
        for number, found in enumerate(arms.values()):
            axes = style.place(made, start, TITLE + HEADING + number * (side + TAG), side, side)
            examples.overlay(axes, first["images"][face], found[key][face])
            if key.startswith("cam."):
                words = examples.verdict(results, pair, found, face)
                axes.set_xlabel(words, fontsize=style.fitting([words], side), labelpad=1)
    for number, arm in enumerate(arms):
        middle = TITLE + HEADING + number * (side + TAG) + side / 2
        edge = ROOM + 2 * (side + GAP) + left - ROOM
        style.write(made, edge, middle, results.guidance_label(arm), ha="right", va="center", fontsize=7)
    return made


def _given(results: Results, made: Figure, first: Examples, face: int, side: float, rows: int) -> None:
    """The image and its action unit map, half-way up."""
    top = TITLE + HEADING + (rows - 1) * (side + TAG) / 2
    image = first["images"][face]
    for place, (word, values) in enumerate(
        (("image", None), ("action units", first[f"target.{results.target}"][face]))
    ):
        start = ROOM + place * (side + GAP)
        axes = style.place(made, start, top, side, side)
        if values is None:
            style.picture(axes, image)
        else:
            examples.overlay(axes, image, values)
        style.write(made, start + side / 2, top - 0.03, word, ha="center", va="bottom", fontsize=7)


def _heading(made: Figure, middle: float, key: str) -> None:
    kind, name = key.split(".", 1)
    words = f"attention\n{labels.layer(name)}" if kind == "att" else examples.word(key)
    style.write(made, middle, TITLE + HEADING - 0.03, words, ha="center", va="bottom", fontsize=7)
