"""Grids whose blocks give networks different guidances: what was not asked for is no gap, what is missing is one."""

import pytest
import recorded_results as recorded

from fer_bench.report import results, table_scores
from fer_bench.report.controls import families
from fer_bench.report.table import text

MODELS = {"cnn": ("CNN", "resnet10t", "cam"), "other": ("Other", "resnet18", "cam")}
GUIDANCE = {"au": recorded.AU, "center": {"plugin": "center", "weight": 4.0, "label": "centre"}}


@pytest.fixture
def plan():
    """Guidance `center` is asked for with the first network alone."""
    made = recorded.plan(models=MODELS, guidance=GUIDANCE)
    made["cells"] = [one for one in made["cells"] if (one["model"], one["guidance"]) != ("other", "center")]
    return made


def lines(root, plan):
    """(network, training) of every line that is no reference, and whether it holds a number."""
    table = table_scores.build_scores(results.load(plan, root))
    rows = [[text(item) for item in row.contents] for row in table.rows if not row.quiet]
    return {tuple(row[: table.texts]): any(item not in ("", "—") for item in row[table.texts :]) for row in rows}


def test_what_was_not_asked_for_has_no_line(tmp_path, plan):
    recorded.write(tmp_path, plan)
    found = lines(tmp_path, plan)
    assert ("CNN", "centre") in found and ("Other", "with AU") in found
    assert not any(words[0] == "Other" and "centre" in words[1] for words in found)
    assert all(found.values())


def test_what_is_missing_keeps_its_line(tmp_path, plan):
    gone = [one["cell"] for one in plan["cells"] if (one["model"], one["guidance"]) == ("cnn", "center")]
    recorded.write(tmp_path, plan, omit=gone)
    assert lines(tmp_path, plan)["CNN", "centre"] is False


def test_controls_of_a_network_are_those_asked_for(tmp_path, plan):
    plan["guidance"] = {
        name: facts | {"knows": "something"} for name, facts in plan["guidance"].items() if name != "none"
    }
    plan["guidance"]["none"] = {"plugin": "none"}
    recorded.write(tmp_path, plan)
    loaded = results.load(plan, tmp_path)
    found = {model: [one.plugin for one in families(loaded, loaded.pairs[0], model)] for model in MODELS}
    assert found == {"cnn": ["au", "center"], "other": ["au"]}


def test_of_very_many_pairs_figures_show_those_tested_where_they_were_trained(tmp_path):
    names = [recorded.DATASET, "rafdb", "affectnet"]
    plan = recorded.plan(models={"cnn": MODELS["cnn"]}, datasets=names, seeds=(0,))
    loaded = results.load(plan, tmp_path)
    assert len(loaded.pairs) == 9
    assert [(pair.dataset, pair.test_dataset) for pair in loaded.drawn_pairs] == [(name, name) for name in names]
    two = results.load(recorded.plan(models={"cnn": MODELS["cnn"]}, datasets=names[:2], seeds=(0,)), tmp_path)
    assert two.drawn_pairs == two.pairs
