"""The table of controls: λ chosen on validation, gains paired by seed with their interval, `au` minus every control."""

import math

import pandas as pd
import pytest
import recorded_results
from recorded_results import AU, MODELS

from fer_bench.report import figures_controls, figures_lambda, latex, style, text
from fer_bench.report.controls import families, has_controls, subject
from fer_bench.report.gain import gain
from fer_bench.report.results import load
from fer_bench.report.table_controls import build
from fer_bench.report.value import MINUS, Value

CENTRE = {"plugin": "center", "variant": "paper", "layers": ["last"], "label": "centre", "knows": "the middle"}
GUIDANCE = {
    "au_5": AU | {"weight": 5.0, "knows": "the class"},
    "au_9": AU | {"weight": 9.0, "knows": "the class"},
    "center_1": CENTRE | {"weight": 1.0},
    "center_4": CENTRE | {"weight": 4.0},
}
VALIDATION = {"au_9": 0.5, "center_1": 2.0, "center_4": 2.0}  # points above the others
ONE_MODEL = {"resnet_small": MODELS["resnet_small"]}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Results with control runs; the recorded score of a guidance grows by a thousandth per unit of its last number."""
    written = recorded_results._history

    def history(run, cell):
        path = written(run, cell)
        frame = pd.read_csv(path)
        frame["val_accuracy"] += VALIDATION.get(cell["guidance"], 0.0) * (frame["best"] == 1)
        frame.to_csv(path, index=False)
        return path

    monkeypatch.setattr(recorded_results, "_history", history)

    def made(omit=(), **changes):
        plan = recorded_results.plan(guidance=GUIDANCE, models=ONE_MODEL, **changes)
        recorded_results.write(tmp_path, plan, omit)
        return load(plan, tmp_path)

    return made


def test_weight_is_chosen_by_the_mean_validation_score_and_the_first_of_equal_ones(make):
    results = make()
    found = families(results, results.pairs[0], "resnet_small")
    assert [(one.word, one.chosen) for one in found] == [("w/ AU", "au_9"), ("centre", "center_1")]
    assert [one.weight for one in found] == ["9 of 5, 9", "1 of 1, 4"]
    assert subject(found) is found[0]


def test_nothing_is_chosen_while_a_run_is_missing(make):
    results = make(omit=("synthetic-resnet_small-center_4-s1",))
    centre = families(results, results.pairs[0], "resnet_small")[1]
    assert (centre.chosen, centre.weight) == ("", "not chosen of 1, 4")
    table = build(results)
    (line,) = [
        row for row in table.rows if "not chosen of 1, 4" in row.contents and "minus no guidance" in row.contents
    ]
    assert line.contents[-1] == "—"


def test_the_test_images_choose_nothing(make):
    results = make(protocol="paper")
    assert [one.chosen for one in families(results, results.pairs[0], "resnet_small")] == ["au_5", "center_1"]
    assert any("would choose it on the test images" in note for note in build(results).notes)


def test_gains_by_hand(make):
    """Recorded accuracy: 86, with guidance one more and a tenth per unit of λ; seeds differ by 1, or 1.5 with guidance.

    So the gain of au_9 is 1.9 on average and -0.5, 0, +0.5 around it: deviation 0.5, t(2) = 4.303, reach 1.242.
    """
    table = build(make())
    headings = [column.name for column in table.columns]
    difference, word = headings.index("Difference"), headings.index("Map")
    rows = {(row.contents[difference], row.contents[word]): row.contents for row in table.rows}
    accuracy, facs = headings.index("CL (%)"), headings.index("CAM-COS, FACS map")
    assert rows["minus no guidance", "w/ AU"][accuracy].text() == "+1.90 [+0.66, +3.14]"
    assert rows["minus no guidance", "centre"][accuracy].text() == "+1.10 [" + MINUS + "0.14, +2.34]"
    assert rows["w/ AU minus it", "centre"][accuracy].text() == "+0.80 [+0.80, +0.80]"
    assert rows["minus no guidance", "w/ AU"][facs].mean == pytest.approx(0.08 + 0.009)
    assert ("w/ AU minus it", "w/ AU") not in rows
    assert "CAM-COS, AUs present" not in headings  # nothing was scored against them here
    assert "ATT-COS" in headings


def test_the_table_is_written_in_every_form(make):
    table = build(make())
    shown = text.markdown(table)
    assert "In brackets: 95 % t interval" in shown and "the test images took no part" in shown
    assert "+1.90 [+0.66, +3.14]" in shown
    assert r"\bottomrule" in latex.render(table)
    assert "1.900000" in text.csv(table)


def test_a_grid_without_controls_has_no_such_table(tmp_path):
    plan = recorded_results.plan()
    recorded_results.write(tmp_path, plan)
    results = load(plan, tmp_path)
    assert not has_controls(results) and build(results) is None


def test_the_figure_shows_the_gains_of_the_table(make):
    """One panel per score, one line per map; by hand as above: 1.9 for au_9, 1.1 for center_1, open: 1.5 and 1.4."""
    results = make()
    with style.look():
        ((name, figure),) = figures_controls.build(results)
        figure.draw_without_rendering()
    assert name == "controls-synthetic-resnet_small"
    panel = next(axes for axes in figure.axes if axes.get_xlabel() == "accuracy (points)")
    assert [label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in panel.get_yticklabels()] == [
        "w/ AU, λ = 9",
        "centre, λ = 1",
    ]
    marks = {mark: [line for line in panel.lines if line.get_marker() == mark] for mark in "oD"}
    assert [float(line.get_xdata()[0]) for line in marks["o"]] == pytest.approx([1.9, 1.1])
    assert [list(line.get_xdata()) for line in marks["D"]] == [pytest.approx([1.5]), pytest.approx([1.4])]
    assert any(list(line.get_xdata()) == pytest.approx([0.658, 3.142], abs=1e-3) for line in panel.lines)
    for words in (*panel.get_yticklabels(), *figure.texts, *figure.legends[0].get_texts()):
        box = words.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, words.get_text()


def test_weights_of_controls_have_no_figures_of_their_own(make, monkeypatch):
    monkeypatch.setitem(GUIDANCE, "center_9", CENTRE | {"weight": 9.0})
    monkeypatch.setitem(GUIDANCE, "au_1", AU | {"weight": 1.0, "knows": "the class"})
    results = make()
    assert [one.setting for one in results.ablations] == ["weight", "weight"]
    with style.look():
        names = [name for name, _ in figures_lambda.build(results)]
    assert names == ["figure5-synthetic-resnet_small", "lambda-synthetic-resnet_small"]


def test_colours_tell_apart_at_most_six_trainings(make, monkeypatch):
    assert make().leading_guidances == make().guidances
    for number in range(5):
        monkeypatch.setitem(GUIDANCE, f"other_{number}", CENTRE | {"variant": f"v{number}", "label": f"other {number}"})
    results = make()
    assert len(results.guidances) > 6
    assert results.leading_guidances == ["none", "au_5", "au_9"]


def test_a_label_shared_by_several_weights_stands_for_the_one_in_the_main_tables(make, monkeypatch):
    monkeypatch.setitem(GUIDANCE, "center_9", CENTRE | {"weight": 9.0})
    results = make()
    assert [name for name in results.guidances if name.startswith("center")] == ["center_1"]
    assert [results.guidance_label(name) for name in ("center_1", "center_4")] == ["centre", "center 4"]


def test_an_interval_needs_three_seeds():
    after, before = Value({0: 1.0, 1: 3.0}, 2, digits=1), Value({0: 0.5, 1: 1.5}, 2, digits=1)
    assert gain(after, before).interval is None
    assert gain(after, before).text() == "+1.0"
    three = gain(Value({0: 1.0, 1: 2.0, 2: 3.0}, 4, digits=2, optimised=True), Value({0: 0.0, 1: 0.0, 2: 0.0}, 4))
    reach = 4.302653 / math.sqrt(3)  # t(2) at 97.5 %, deviation 1
    assert three.interval == pytest.approx((2 - reach, 2 + reach), abs=1e-5)
    assert three.text() == "+2.00 [" + MINUS + "0.48, +4.48]† (n = 3)"
