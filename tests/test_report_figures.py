"""Figures: nothing is cut off, sizes fit a page, maps keep the paper's layout, faces are never chosen by result."""

from itertools import pairwise

import numpy as np
import pytest
import recorded_results as recorded
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from fer_bench.report import (
    examples,
    figures_confusion,
    figures_curves,
    figures_lambda,
    figures_maps,
    figures_overlays,
    figures_panels,
    figures_summary,
    figures_units,
    mean_maps,
    results,
    style,
)

UNITS = {
    "happiness": ["AU6 Cheek Raiser", "AU12 Lip Corner Puller"],
    "fear": [f"AU{n} Some Long Name" for n in range(8)],
}
WEIGHTS = {f"au_weight_{weight}": recorded.AU | {"weight": float(weight)} for weight in range(5, 25)}


def load(root, **changes):
    plan = recorded.plan(**changes)
    recorded.write(root, plan)
    return results.load(plan, root)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    models = {"plain": ("A network with a rather long name", "resnet10t", "cam")}
    models |= {"other": ("Another network, with another long name", "resnet18", "cam")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recorded.LAYERS, "cam", tuple("12345"))
        return load(tmp_path_factory.mktemp("figures"), models=models)


@pytest.fixture(scope="module")
def drawn(loaded, tmp_path_factory):
    """Every figure of a grid, drawn: name -> figure."""
    weights = load(
        tmp_path_factory.mktemp("weights"), models={"plain": ("A", "a", "cam")}, guidance=WEIGHTS, seeds=(0, 1, 2)
    )
    builders = (figures_summary, figures_maps, figures_confusion, figures_curves)
    with style.look():
        made = {name: figure for module in builders for name, figure in module.build(loaded)}
        made |= dict(figures_lambda.build(weights))
        faces = (*figures_overlays.build(loaded), *figures_panels.build(loaded), *figures_units.build(loaded, UNITS))
        made |= {name: figure for name, figure, _ in faces}
        for figure in made.values():
            figure.draw_without_rendering()
    return made


def test_every_kind_of_figure_is_made(drawn):
    assert {name.split("-")[0] for name in drawn} == {
        "summary", "attention_maps", "attention_maps_shared", "cam_maps", "cam_maps_shared", "confusion",
        "training_curves", "figure5", "lambda", "overlays", "panels", "au_maps",
    }  # fmt: skip


def test_no_word_is_cut_off(drawn):
    for name, figure in drawn.items():
        page, outside = figure.bbox.padded(1), undrawn(figure)
        for words in figure.findobj(Text):
            if words.get_visible() and words.get_text().strip() and words not in outside:
                box = words.get_window_extent()
                inside = page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1)
                assert inside, f"{name}: {words.get_text()!r} leaves the page"


def undrawn(figure):
    """Labels of ticks beyond the limits of their axis: they exist but are not drawn."""
    found = []
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not axis.axes.get_visible() or not low <= tick.get_loc() <= high:
                found += [tick.label1, tick.label2]
    return found


def test_figures_are_as_wide_as_a_column_or_the_text(drawn):
    for name, figure in drawn.items():
        width, height = figure.get_size_inches()
        assert width == pytest.approx(style.COLUMN) or style.COLUMN < width <= style.TEXT + 1e-9, name
        assert height <= 9.25, name  # of a page with two columns
        sizes = [words.get_fontsize() for words in figure.findobj(Text) if words.get_text().strip()]
        assert min(sizes) >= 5, name


# --- mean maps


def strips(figure):
    return [axes for axes in figure.axes if len(axes.images) > 1]


def test_maps_stand_in_alphabetical_order_with_the_units_last(loaded, drawn):
    figure = drawn["attention_maps-synthetic"]
    words = [words.get_text() for words in figure.texts]
    names = ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise"]
    assert [word for word in words if word in names] == names
    assert words[-1].startswith("action units")
    assert len(strips(figure)) == 2 * 2 + 1  # networks times trainings, and the units
    pair, expressions = loaded.pairs[0], loaded.expressions("synthetic")
    maps = mean_maps.mean_maps(loaded, pair, "plain", "none", "att.5")
    first = strips(figure)[0].images
    for image, name in zip(first, map(str.lower, names), strict=True):
        np.testing.assert_allclose(image.get_array(), maps[expressions.index(name)])


def test_each_panel_has_its_own_scale_or_a_row_shares_one(drawn):
    own = strips(drawn["attention_maps-synthetic"])[0]
    for image in own.images:
        assert image.get_clim() == pytest.approx((image.get_array().min(), image.get_array().max()))
        assert image.get_cmap().name == "jet"
    assert to_rgba(own.get_facecolor()) == to_rgba("darkorange")  # the line between the panels
    shared = strips(drawn["attention_maps_shared-synthetic"])[0]
    low, high = (f([f(image.get_array()) for image in shared.images]) for f in (np.min, np.max))
    assert {image.get_clim() for image in shared.images} == {(low, high)}
    assert {image.get_cmap().name for image in shared.images} == {"viridis"}


def test_panels_are_two_pixels_apart(drawn):
    extents = [image.get_extent() for image in strips(drawn["attention_maps-synthetic"])[0].images]
    gaps = [right[0] - left[1] for left, right in pairwise(extents)]
    assert gaps == pytest.approx([2 / 128] * 5)


def test_many_methods_go_to_further_figures(tmp_path):
    many = load(tmp_path, models=recorded.PAPER_MODELS, seeds=(0,))
    with style.look():
        made = dict(figures_maps.build(many))
    names = [name for name in made if name.startswith("attention_maps-")]
    assert names == ["attention_maps-synthetic", "attention_maps-synthetic-2"]
    assert [len(strips(made[name])) for name in names] == [11, 7]  # sixteen trainings, units on both
    resnet = [name for name in made if name.startswith("cam_maps-synthetic-cam")]
    assert [len(strips(made[name])) for name in resnet] == [11, 5]  # seven rows of the network
    assert not any("apvit" in name for name in made if name.startswith("cam_maps"))


def test_a_class_without_a_map_is_a_visible_gap(loaded):
    with style.look():
        figure = style.blank(2, 1)
        axes = style.place(figure, 0, 0, 2, 1)
        maps = [np.full((2, 2), np.nan), np.array([[0.0, 1.0], [2.0, 3.0]])]
        assert figures_maps._limits(maps) == (0, 3)
        figures_maps._strip(axes, maps, (0, 3))
    assert [words.get_text() for words in axes.texts] == ["—"]
    assert len(axes.images) == 1


def test_numbers_of_a_colour_bar_are_short_and_have_room():
    numbers = [0.0, 1.0, 0.0342, 0.00321, -0.00041, 12345.0]
    assert [figures_maps._short(number) for number in numbers] == [
        "0",
        "1",
        "0.034",
        "3e\N{MINUS SIGN}3",
        "\N{MINUS SIGN}4e\N{MINUS SIGN}4",
        "1e4",
    ]
    room = figures_maps._right([(-0.00041, 1.0), None])
    assert room > figures_maps.ROOM + 2 * figures_maps.BAR + style.width_of("\N{MINUS SIGN}4e\N{MINUS SIGN}4", 5)
    assert figures_maps._right([None]) == figures_maps.ROOM


# --- faces


def test_faces_are_the_first_of_their_expression(loaded):
    found = examples.of_arms(loaded, loaded.pairs[0], "plain")["none"]
    twice = {key: np.concatenate([values, values]) for key, values in found.items() if key in ("labels", "predicted")}
    chosen = examples.first_of_each(loaded, loaded.pairs[0], twice)
    assert chosen == [4, 5, 3, 1, 0, 6, 2]  # anger, disgust, fear, happiness, neutral, sadness, surprise
    assert examples.first_of_each(loaded, loaded.pairs[0], twice, most=2)[:2] == [4, 11]


def test_a_wrong_prediction_is_named(loaded, drawn):
    found = examples.of_arms(loaded, loaded.pairs[0], "plain")["none"]
    assert examples.verdict(loaded, loaded.pairs[0], found, 3) == "predicted: anger"
    assert examples.verdict(loaded, loaded.pairs[0], found, 2) == "correct"
    labels = [axes.get_xlabel() for axes in drawn["overlays-synthetic-plain"].axes]
    assert labels.count("predicted: anger") == 2 and labels.count("correct") == 12


def test_overview_shows_every_layer_of_each_training(drawn):
    figure = drawn["panels-synthetic-plain"]
    assert len(figure.axes) == 2 + 2 * 6  # image and units; five layers and one activation map, twice
    words = " ".join(words.get_text() for words in figure.texts)
    assert "layer 1" in words and "layer 5 (last)" in words and "happiness" in words


def test_units_are_listed_below_their_map(drawn):
    words = [words.get_text() for words in drawn["au_maps-synthetic"].texts]
    assert any("Cheek\N{NO-BREAK SPACE}Raiser" in word for word in words)
    assert [word for word in words if word.lower() in figures_units.ORDER] == [
        name.capitalize() for name in figures_units.ORDER
    ]


def test_more_than_six_confusion_matrices_go_to_a_second_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(figures_confusion, "_figure", lambda *_: None)
    many = load(tmp_path, models=recorded.PAPER_MODELS, seeds=(0,))
    names = [name for name, _ in figures_confusion.build(many)]
    assert names == ["confusion-synthetic", "confusion-synthetic-2", "confusion-synthetic-3"]
