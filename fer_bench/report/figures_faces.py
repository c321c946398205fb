"""The test faces of one training under one kind of map, small enough to stand beside those of other trainings."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from fer_bench.report import examples, style
from fer_bench.report.examples import Examples
from fer_bench.report.figures_overlays import explainer_key
from fer_bench.report.mean_maps import alignment_layer
from fer_bench.report.results import Pair, Results

SIDE, GAP, WORDS = 1.2, 0.06, 0.17  # inches: a face, between faces, the word above one
COLUMNS = 3  # seven faces then fill a square, which MLflow's charts give every picture
KINDS = {"att": "attention", "cam": "cam"}  # beginning of a map's key -> name of the figure


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (`attention` or `cam`, figure) for results of one cell: the first face of each expression.

    Faces are those of `figures_overlays`, so two trainings show the same ones. The word above a face is its expression;
    what it was taken for follows an arrow where that is another.
    """
    for pair in results.drawn_pairs:
        for model in results.models:
            for found in examples.of_arms(results, pair, model).values():
                keys = [f"att.{alignment_layer(results)}", *explainer_key(results, model, found)]
                for key in keys:
                    if key in found:
                        yield KINDS[key.partition(".")[0]], _figure(results, pair, found, key)


def _figure(results: Results, pair: Pair, found: Examples, key: str) -> Figure:
    faces = examples.first_of_each(results, pair, found)
    rows = -(-len(faces) // COLUMNS)
    made = style.blank(COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + WORDS + GAP) + GAP)
    for place, face in enumerate(faces):
        left = GAP + place % COLUMNS * (SIDE + GAP)
        top = place // COLUMNS * (SIDE + WORDS + GAP)
        words = _words(results, pair, found, face)
        size = style.fitting([words], 0.95 * SIDE, 9)
        style.write(made, left + SIDE / 2, top + WORDS - 0.03, words, ha="center", va="bottom", fontsize=size)
        examples.overlay(style.place(made, left, top + WORDS, SIDE, SIDE), found["images"][face], found[key][face])
    return made


def _words(results: Results, pair: Pair, found: Examples, face: int) -> str:
    expressions = results.expressions(pair.test_dataset)
    label, predicted = (expressions[int(found[name][face])] for name in ("labels", "predicted"))
    return label if label == predicted else f"{label} → {predicted}"
