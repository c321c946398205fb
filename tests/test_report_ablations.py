"""Guided layers and weights: recognised from the settings, tables, figures, and what chance makes of the best λ."""

import pytest
import recorded_results as recorded

from fer_bench.report import figures_lambda, results, table_ablation, table_main
from fer_bench.report.ablation_scores import summarise, summarise_numbers
from fer_bench.report.ablations import ablations, layers_of, left_out
from fer_bench.report.published import claims
from fer_bench.report.table import text
from fer_bench.report.value import Value

AU = recorded.AU
LAYERS = {
    f"au_layers_{'_'.join(map(str, layers))}": AU | {"layers": list(layers)} for layers in ((5, 4), (1,), (4, 5, 3))
}
WEIGHTS = {f"au_weight_{weight}": AU | {"weight": float(weight)} for weight in (10, 2)}
ARMS = {"au": AU, **LAYERS, **WEIGHTS}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    root = tmp_path_factory.mktemp("ablations")
    plan = recorded.plan(models={"cam": recorded.PAPER_MODELS["cam"]}, datasets=("rafdb",), guidance=ARMS)
    recorded.write(root, plan, cached=False)
    return results.load(plan, root)


def words(table):
    return [[text(item) for item in row.contents] for row in table.rows]


def test_members_differ_in_one_setting_alone():
    found = ablations(ARMS, list(ARMS))
    assert [one.setting for one in found] == ["layers", "weight"]
    assert list(found[0].values.values()) == [(1,), (5,), (5, 4), (5, 4, 3)]  # single ones first, then growing sets
    assert list(found[1].values.items()) == [("au_weight_2", 2.0), ("au", 4.0), ("au_weight_10", 10.0)]


def test_last_is_layer_5():
    assert layers_of({"layers": ["last"]}) == layers_of({"layers": [5]}) == (5,)
    assert layers_of({"layers": [3, "last"]}) == (5, 3)
    assert layers_of({}) == ()


@pytest.mark.parametrize(
    "arms",
    [
        {"au": AU, "b": AU | {"weight": 1.0}},  # two values are two guidances, no ablation
        {"au": AU, "b": AU | {"weight": 1.0}, "c": AU | {"weight": 2.0, "variant": "facs"}},
        {"au": AU, "b": AU | {"weight": 1.0}, "c": AU | {"weight": 2.0, "plugin": "shuffled"}},
        {"au": AU, "b": AU, "c": AU | {"weight": 1.0}},  # the same twice
        {"none": {"plugin": "none"}, "au": AU},
    ],
    ids=str,
)
def test_other_differences_are_no_ablation(arms):
    assert ablations(arms, list(arms)) == []


def test_an_entry_without_a_plugin_is_its_own_plugin():
    arms = {name: {"weight": weight} for name, weight in (("a", 1.0), ("b", 2.0), ("c", 3.0))}
    assert ablations(arms, list(arms)) == []


def test_main_tables_keep_one_member(loaded):
    assert loaded.guidances == ["none", "au"]
    assert set(left_out(loaded.ablations, loaded.all_guidances)) == {*LAYERS, *WEIGHTS}
    notes = table_main.build(loaded).notes
    assert "3 further guidances stand in table table3." in notes
    assert "2 further guidances stand in table figure5." in notes


def test_table_3_has_a_row_per_layer_set(loaded):
    table3, _ = table_ablation.build(loaded)
    assert [row[1] for row in words(table3)] == ["without AU", "1", "5", "5+4", "5+4+3"]
    titles = [column.title for column in table3.columns]
    published = [row[titles.index("CL (%), published")] for row in words(table3)]
    assert published == ["88.20", "88.52", "88.95", "88.78", "88.78"]
    assert "ATT-COS, published" not in titles  # the paper prints none


def test_figure_5_table_sums_up(loaded):
    _, figure5 = table_ablation.build(loaded)
    rows = words(figure5)
    assert [row[2] for row in rows[:4]] == ["", "2", "4", "10"]
    titles = [column.title for column in figure5.columns]
    scores = {row[1]: row[titles.index("CL (%), score")] for row in rows}
    # Seed means: 87.2, 87.0, 88.0, each with deviation 1.5 over three seeds.
    assert scores["mean over λ"] == "87.40"
    assert scores["deviation over λ"] == "0.53"
    assert scores["deviation over seeds"] == "1.50"
    assert scores["best"] == "88.00"
    # 87.4 + 1.5 / sqrt(3) * 0.846284 = 88.1329
    assert scores["expected maximum of 3 equal runs"] == "88.13"


def test_the_published_best_weight_is_what_chance_would_give():
    """22 single runs: mean 88.44, deviation 0.25; the best of as many equal runs is expected at 88.93, it is 88.95."""
    runs = [c.printed.low for c in claims() if (c.source, c.metric, c.guided) == ("Figure 5", "accuracy", True)]
    found = summarise_numbers(runs)
    assert len(runs) == 22
    assert found["mean over λ"] == pytest.approx(88.44, abs=0.005)
    assert found["deviation over λ"] == pytest.approx(0.25, abs=0.005)
    assert found["best"] == pytest.approx(88.95, abs=0.005)
    assert found["expected maximum of {count} equal runs"] == pytest.approx(88.93, abs=0.005)


def test_single_runs_have_no_deviation_over_seeds():
    found = summarise([Value({0: 1.0}, 1), Value({0: 3.0}, 1), "n/a"])
    assert found["mean over λ"] == 2
    assert "deviation over seeds" not in found
    assert summarise([Value({0: 1.0}, 1)]) == {}


def test_a_grid_without_ablations_has_no_such_table(tmp_path):
    plan = recorded.plan()
    recorded.write(tmp_path, plan, cached=False)
    assert table_ablation.build(results.load(plan, tmp_path)) == []


def test_figure_5_has_two_axes_and_a_plain_form(loaded):
    made = dict(figures_lambda.build(loaded))
    assert list(made) == ["figure5-rafdb-cam", "lambda-rafdb-cam"]
    left, right = made["figure5-rafdb-cam"].axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("cosine similarity", "CL (%)")
    assert [label.get_text() for label in left.get_xticklabels()] == ["2", "4", "10"]
    assert list(right.lines[0].get_ydata()) == pytest.approx([87.2, 87.0, 88.0])
    assert right.lines[1].get_ydata()[0] == pytest.approx(86)  # dashed: without AU
    assert [axes.get_ylabel() for axes in made["lambda-rafdb-cam"].axes] == ["CL (%)", "ATT-COS", "CAM-COS"]
