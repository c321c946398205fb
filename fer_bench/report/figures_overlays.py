"""Single test faces with their maps laid over them, in the layout of the paper's Figure 4."""

from collections.abc import Iterator
from textwrap import fill

from matplotlib.figure import Figure

from fer_bench.report import examples, methods, style
from fer_bench.report.examples import Examples
from fer_bench.report.mean_maps import alignment_layer
from fer_bench.report.results import Pair, Results

MOST = 1.0  # inches, the largest panel
ROOM, GAP, TAG = 0.06, 0.03, 0.13  # inches: around, between panels, and for the words below one
TITLE, HEADING = 0.26, 0.28


def build(results: Results) -> Iterator[tuple[str, Figure, bool]]:
    """Yield (file name, figure, whether the faces may be published) per pair of datasets and model.

    The first seed that all trainings have is shown; rows are faces, columns the image, its action unit map, then
    attention and activation map of each training. A wrong prediction is named below its activation map.
    """
    for pair in results.drawn_pairs:
        for model in results.models:
            arms = examples.of_arms(results, pair, model)
            if arms:
                made = _figure(results, pair, model, arms)
                yield f"overlays-{pair.name}-{model}", made, examples.publishable(results, pair)


def explainer_key(results: Results, model: str, found: Examples) -> list[str]:
    """Key of the activation map to show: the model's first row of Table 1 that has one; none where it has none."""
    for network in methods.networks(results):
        for row in methods.rows(results, network):
            if row.model == model and f"cam.{row.explainer}" in found:
                return [f"cam.{row.explainer}"]
    return []


def _figure(results: Results, pair: Pair, model: str, arms: dict[str, Examples]) -> Figure:
    first = next(iter(arms.values()))
    keys = [key for key in (f"att.{alignment_layer(results)}",) if key in first] + explainer_key(results, model, first)
    columns = [(key, arm) for key in keys for arm in arms]
    faces = examples.first_of_each(results, pair, first, int(results.plan["tables"].get("faces_per_expression", 1)))
    names = examples.names_of(results, pair, first)
    left = max(style.width_of(names[face], 7) for face in faces) + 2 * ROOM
    count = len(columns) + 2
    side = min(MOST, (style.TEXT - left - ROOM - (count - 1) * GAP) / count)
    width = left + count * (side + GAP) - GAP + ROOM
    made = style.blank(width, TITLE + HEADING + len(faces) * (side + TAG) + ROOM)
    label = f"{methods.model_words(results)[model]}: single test images, {results.pair_label(pair)}"
    style.write(made, width / 2, ROOM, label, ha="center", va="top", fontsize=8)
    words = ["image", "action units", *(f"{examples.word(key)}\n{results.guidance_label(arm)}" for key, arm in columns)]
    for place, title in enumerate(words):
        words_at = (left + place * (side + GAP) + side / 2, TITLE + HEADING - 0.03)
        style.write(made, *words_at, fill(title, 60, replace_whitespace=False), ha="center", va="bottom", fontsize=7)
    for number, face in enumerate(faces):
        top = TITLE + HEADING + number * (side + TAG)
        style.write(made, left - ROOM, top + side / 2, names[face], ha="right", va="center", fontsize=7)
        _row(results, pair, made, (left, top, side), face, arms, columns)
    return made


def _row(
    results: Results,
    pair: Pair,
    made: Figure,
    where: tuple[float, float, float],
    face: int,
    arms: dict[str, Examples],
    columns: list[tuple[str, str]],
) -> None:
    left, top, side = where
    first = next(iter(arms.values()))
    image, target = first["images"][face], first.get(f"target.{results.target}")
    panels = [style.place(made, left + n * (side + GAP), top, side, side) for n in range(len(columns) + 2)]
    style.picture(panels[0], image)
    examples.overlay(panels[1], image, None if target is None else target[face])
    for axes, (key, arm) in zip(panels[2:], columns, strict=True):
        examples.overlay(axes, image, arms[arm][key][face])
        if key.startswith("cam."):
            words = examples.verdict(results, pair, arms[arm], face)
            axes.set_xlabel(words, fontsize=style.fitting([words], side), labelpad=1)
