"""The report as one page: whole without network, usable without sight or mouse, the same bytes, no private face."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import recorded_results as recorded
from html_page import Page

from fer_bench.report import examples, page, results, style, table_main, tables
from fer_bench.report.page import _images, _tables
from fer_bench.report.results import Pair
from fer_bench.report.table import Column, Exact, Row, Table
from fer_bench.report.value import MINUS, Value

HOSTILE = "<b onclick=\"x()\">R&D</b> '{{ 7 * 7 }}' </script>"
MODELS = {"resnet_small": (HOSTILE, "resnet10t", "cam")}
UNITS = {"anger": ["AU4 brow lowerer", "AU5 upper lid raiser"]}
ASSETS = page._render.ASSETS


def load(root, omit=(), **changes):
    given = {"models": MODELS, "seeds": (0, 1)} | changes
    return results.load(results_plan(root, omit, given), root)


def results_plan(root, omit, given):
    the_plan = recorded.plan(**given)
    recorded.write(root, the_plan, omit)
    return the_plan


def written(loaded, folder, made=None):
    """The page with the given tables, else with the first one alone, which is quick."""
    figures = folder / "figures"
    figures.mkdir(parents=True)
    with style.look():
        style.save(style.figure(1, 1), figures, "summary-synthetic", pdf=False)
    path = folder / "report.html"
    page.write(loaded, made or [table_main.build(loaded)], figures, UNITS, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def built(loaded):
    return tables.build(loaded)


@pytest.fixture(scope="module")
def content(loaded, built, tmp_path_factory):
    return written(loaded, tmp_path_factory.mktemp("page"), built)


@pytest.fixture(scope="module")
def parsed(content):
    return Page(content)


# --- structure


def test_headings_make_an_outline(parsed):
    levels = [int(one.tag[1]) for one in parsed.of("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_landmarks_and_language(parsed):
    assert parsed.of("html")[0].attributes["lang"] == "en"
    assert [len(parsed.of(tag)) for tag in ("header", "nav", "main")] == [1, 1, 1]
    assert "width=device-width" in next(
        one.attributes["content"] for one in parsed.of("meta") if one.attributes.get("name") == "viewport"
    )


def test_ids_are_unique_and_every_reference_has_its_target(parsed):
    ids = [one.attributes["id"] for one in parsed.elements if "id" in one.attributes]
    assert not [name for name, count in Counter(ids).items() if count > 1]
    links = [one.attributes["href"] for one in parsed.of("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    for name in ("aria-labelledby", "aria-describedby"):
        assert {one.attributes[name] for one in parsed.elements if name in one.attributes} <= set(ids)


def test_every_table_has_a_caption_and_scopes(parsed):
    assert len(parsed.of("table")) > 10
    owners = [one.around[-1] for one in parsed.of("caption") if one.text.strip()]
    assert [id(one) for one in owners] == [id(one) for one in parsed.of("table")]
    scopes = {"col", "colgroup", "row", "rowgroup"}
    assert {one.attributes.get("scope") for one in parsed.of("th")} <= scopes


def test_headings_that_sort_are_buttons_and_say_their_state(parsed):
    heads = [one for one in parsed.of("th") if "data-place" in one.attributes]
    assert heads
    assert {one.attributes["aria-sort"] for one in heads} == {"none"}
    buttons = [one for one in parsed.of("button") if one.around[-1] in heads]
    assert len(buttons) == len(heads)
    assert all(one.text.strip() for one in buttons)


def test_rows_have_as_many_cells_as_headings(parsed):
    for table in (one for one in parsed.of("table") if "sortable" in one.attributes["class"]):
        inside = [one for one in parsed.elements if table in one.around]
        places = [int(one.attributes["data-place"]) for one in inside if "data-place" in one.attributes]
        cells = Counter(id(one.around[-1]) for one in inside if one.tag in ("td", "th") and one.inside("tbody"))
        assert sorted(places) == list(range(len(places)))
        assert set(cells.values()) == {len(places)}


def test_every_picture_has_words_or_stands_beside_one_that_has(parsed):
    pictures = parsed.of("img")
    assert pictures
    assert all("alt" in one.attributes for one in pictures)
    silent = [one for one in pictures if not one.attributes["alt"]]
    assert all("compared" in one.around[-1].attributes["class"] for one in silent)  # the face again, under its maps
    assert all(one.attributes["aria-label"] for one in parsed.of("svg") if one.attributes.get("role") == "img")
    drawings = [one for one in parsed.of("svg") if one.attributes.get("role") != "img"]
    assert all(any("aria-hidden" in o.attributes for o in (*one.around, one)) for one in drawings)


def test_every_control_has_a_label(parsed):
    controls = parsed.of("input", "select")
    assert {one.attributes.get("type", "") for one in controls} == {"range", ""}
    for one in controls:
        words = [o.text.strip() for o in one.around if o.tag == "label"] + [one.attributes.get("aria-label", "")]
        assert any(words), one


# --- nothing from elsewhere


def test_the_page_asks_nothing_of_a_network(parsed, content):
    for one in parsed.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert one.attributes.get(name, "#").startswith(("#", "data:")), one
    assert "@import" not in content
    assert "url(" not in content
    policy = next(one for one in parsed.of("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"].startswith("default-src 'none'; img-src data:;")


def test_labels_are_words_not_markup(parsed, content):
    assert not parsed.of("b")
    assert "&lt;b onclick=&#34;x()&#34;&gt;R&amp;D&lt;/b&gt;" in content
    assert "49" not in next(one for one in parsed.of("dd") if HOSTILE in one.text).text
    assert len(parsed.of("script")) == content.count("</script>")


def test_the_same_results_give_the_same_bytes(loaded, tmp_path):
    first = written(loaded, tmp_path / "first")
    assert written(load(tmp_path / "again"), tmp_path / "page") == first
    assert str(loaded.root.parent) not in first


# --- faces


def faces_of(root):
    with np.load(next(root.rglob("examples.npz"))) as file:
        return [_images.face(image, "").uri for image in file["images"]]


def test_faces_can_be_compared(parsed, content, loaded):
    assert all(face in content for face in faces_of(loaded.root))
    sliders = [one for one in parsed.of("input") if one.attributes["type"] == "range"]
    assert len(sliders) == 7 + 1  # and one for all of them
    maps = [one for one in parsed.of("img") if "data-side" in one.attributes]
    assert Counter(one.attributes["data-side"] for one in maps) == {"before": 7, "after": 7}
    assert {one.attributes["alt"] for one in maps if "hidden" in one.attributes} == {"no map"}  # neutral
    assert "AU4 brow lowerer, AU5 upper lid raiser" in content


def test_faces_that_may_not_be_published_are_nowhere(tmp_path):
    found = load(tmp_path / "private", publishable=False)
    assert examples.of_arms(
        found, Pair(recorded.DATASET, recorded.DATASET), "resnet_small"
    )  # they are there to be shown
    private = written(found, tmp_path / "page")
    assert not any(face in private for face in faces_of(found.root))
    assert 'class="gallery"' not in private
    assert "this page shows no face of it" in private


# --- content


def test_the_first_screen_repeats_the_tables(parsed, loaded):
    headline = next(one for one in parsed.of("table") if "headline" in one.attributes["class"])
    cells = [one.text.strip() for one in parsed.of("td") if headline in one.around]
    table = table_main.build(loaded)
    row = next(row for row in table.rows if not row.quiet)
    names = [column.title for column in table.columns]
    for name in ("CL (%), without AU", "CL (%), with AU", "CAM-COS, without AU"):
        assert row.contents[names.index(name)].text() in cells
    assert any("constant map" in cell for cell in cells)
    assert "0.970" in cells  # the ceiling


def test_all_tables_are_there_with_their_captions_and_notes(content, built):
    text = re.sub(r"\s+", " ", content)
    for table in built:
        assert f'id="{page._render.slug(table.name)}"' in content
        for words in (table.title, *table.notes):
            assert re.sub(r"\s+", " ", str(page._render.Markup.escape(words))) in text


def test_missing_cells_are_told_on_the_first_screen(tmp_path):
    told = written(load(tmp_path / "gap", omit=("synthetic-resnet_small-au-s1",)), tmp_path / "page")
    assert "1 of 4 cells have no scores" in told


def test_a_grid_without_a_second_training_has_no_slider_and_no_difference(tmp_path):
    alone = Page(written(load(tmp_path / "alone", guidance={}), tmp_path / "page"))
    assert not alone.of("input")
    headline = next(one for one in alone.of("table") if "headline" in one.attributes["class"])
    assert "Difference" not in [one.text for one in alone.of("th") if headline in one.around]


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (Value({0: 0.25, 1: 0.75}, 2), "0.5"),
        (Value({}, 2), ""),
        (Exact("[+0.1, +0.3]", {"low": 0.1, "high": 0.3}), "0.1"),
        (f"{MINUS}1,234.5", "-1234.5"),
        ("n/a", ""),
        ("", ""),
    ],
)
def test_cells_are_sorted_by_their_full_numbers(cell, key):
    assert _tables.sort_key(cell) == key


def test_shared_headings_span_their_columns():
    columns = (Column("Method"), Column("a", "CL"), Column("b", "CL"), Column("c"))
    view = _tables.view(Table("t", "T", "", columns, (Row(("x", "1", "2", "3")),), 1))
    assert [(head.words, head.span, head.own) for head in view.upper] == [
        ("Method", 1, True), ("CL", 2, False), ("c", 1, True)
    ]  # fmt: skip
    assert [(head.words, head.place) for head in view.lower] == [("a", 1), ("b", 2)]


def test_words_for_where_a_map_is_strongest():
    values = np.zeros((6, 6))
    values[5, 0] = 1.0
    assert _images.where(values) == "strongest lower left"


# --- colours


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours_of(block):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def test_words_and_lines_stand_out_by_day_and_night():
    sheet = (ASSETS / "style.css").read_text(encoding="utf-8")
    day, *nights = [colours_of(block) for block in re.findall(r"\{([^{}]*--paper:[^{}]*)\}", sheet)]
    assert len(nights) == 2
    assert nights[0] == nights[1]  # by the system and by the switch
    assert set(day) == set(nights[0])
    for colours in (day, nights[0]):
        for ground in ("paper", "raised", "soft"):
            for ink in ("ink", "quiet", "link"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for number in range(10):
            assert contrast(colours[f"arm-{number}"], colours["paper"]) >= 3, number  # lines of a drawing


def test_numbers_stand_out_on_every_colour_of_a_heat_table():
    sheet = (ASSETS / "style.css").read_text(encoding="utf-8")
    found = re.findall(r"\.heat-\d \{ background: (#\w{6}); color: (#\w{3}); \}", sheet)
    assert len(found) == 9
    for ground, ink in found:
        assert contrast("#" + "".join(2 * letter for letter in ink[1:]), ground) >= 4.5, ground


def test_mean_maps_name_their_network(tmp_path):
    two = load(tmp_path, models=recorded.MODELS, seeds=(0,))
    sheets = page._mean_maps.build(two)
    assert [sheet.title.partition(":")[0] for sheet in sheets] == [
        "Attention, layer 5",
        "Class activation maps, ResNet small",
        "Class activation maps, DeiT small",
    ]
    rows = [row for block in sheets[1].blocks for row in block]
    assert rows[0].words == "action units (paper map)"
    assert rows[1].words == "CAM without AU"
    assert all(picture.alt.startswith("CAM without AU, ") for picture in rows[1].pictures)
