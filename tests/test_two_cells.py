"""Two cells side by side: differences and p values by hand, what is missing, and errors that name what would work."""

import io
import json
from dataclasses import replace

import pandas as pd
import pytest
import recorded_results as recorded
from rich.console import Console

from fer_bench import two_cells as command
from fer_bench.cells import Cell
from fer_bench.errors import InputError
from fer_bench.stats import discordant

FIRST, SECOND = "synthetic-resnet_small-none-s0", "synthetic-resnet_small-au-s0"


@pytest.fixture
def root(tmp_path):
    recorded.write(tmp_path, recorded.plan())
    return tmp_path


def line_of(lines, metric, place="", target=""):
    (found,) = [one for one in lines if (one.metric, one.explainer or one.layer, one.target) == (metric, place, target)]
    return found


def test_a_difference_is_the_second_minus_the_first(root):
    folder = root / "results/metrics/synthetic"
    accuracy = [json.loads((folder / f"{name}.json").read_text())["accuracy"] for name in (FIRST, SECOND)]
    line = line_of(command.compare(FIRST, SECOND, root=root), "accuracy")
    assert (line.first, line.second) == tuple(accuracy)
    assert line.difference == pytest.approx(accuracy[1] - accuracy[0])
    back = line_of(command.compare(SECOND, FIRST, root=root), "accuracy")
    assert (back.difference, back.p) == (pytest.approx(-line.difference), line.p)


def test_accuracy_has_the_p_of_mcnemar(root):
    right = []
    for name in (FIRST, SECOND):
        frame = pd.read_parquet(root / Cell.parse(name).evaluation("synthetic") / "predictions.parquet")
        right.append((frame["label"] == frame["predicted"]).to_numpy())
    line = line_of(command.compare(FIRST, SECOND, root=root), "accuracy")
    assert line.p == pytest.approx(discordant(*right).p)


def test_a_network_compared_with_itself_does_not_differ(root):
    lines = command.compare(FIRST, FIRST, root=root)
    assert {line.difference for line in lines} == {0.0}
    assert {line.p for line in lines} <= {1.0, None} and any(line.p == 1.0 for line in lines)


def test_headline_scores_alone_unless_every_one_is_asked_for(root):
    few, every = command.compare(FIRST, SECOND, root=root), command.compare(FIRST, SECOND, every=True, root=root)
    assert {line.metric for line in few} <= set(command.HEADLINE)
    assert len(every) > len(few)
    assert not any("chance" in line.metric or "ceiling" in line.metric for line in every)


def test_without_scores_of_single_images_there_is_no_p(root):
    for path in (root / "results/runs").rglob("*.parquet"):
        path.unlink()
    lines = command.compare(FIRST, SECOND, root=root)
    assert lines and {line.p for line in lines} == {None}


def printed(lines, width=80):
    shown = io.StringIO()
    command.show((FIRST, SECOND), lines, Console(file=shown, width=width), "default")
    return shown.getvalue()


def test_the_table_fits_a_terminal_of_80_columns(root):
    shown = printed(command.compare(FIRST, SECOND, every=True, root=root))
    assert f"A: {FIRST}\n" in shown and f"B: {SECOND}\n" in shown
    assert "…" not in shown


def test_two_averages_of_one_score_are_told_apart(root):
    line = next(one for one in command.compare(FIRST, SECOND, root=root) if one.metric == "att_cos")
    shown = printed([line, replace(line, average="micro")]).splitlines()
    assert sum("│ att_cos " in row for row in shown) == 2
    assert sum("│ att_cos micro " in row for row in shown) == 1


def test_a_table_without_p_says_why(root):
    for path in (root / "results/runs").rglob("*.parquet"):
        path.unlink()
    shown = printed(command.compare(FIRST, SECOND, root=root), 400)
    assert "scores of single images are not on this machine" in shown and "McNemar" not in shown


def test_the_table_and_the_json_hold_the_same(root):
    lines = command.compare(FIRST, SECOND, root=root)
    shown = io.StringIO()
    command.show((FIRST, SECOND), lines, Console(file=shown, width=200))
    assert FIRST in shown.getvalue() and "accuracy" in shown.getvalue()
    assert "not other trainings" in shown.getvalue()
    read = json.loads(command.as_json(lines))
    assert [one["difference"] for one in read] == [line.difference for line in lines]


def test_a_cell_that_is_not_there_names_the_nearest_one(root):
    with pytest.raises(InputError, match=f"unknown scored cell.*did you mean '{FIRST}'"):
        command.compare("synthetic-resnet_smal-none-s0", SECOND, root=root)
    with pytest.raises(InputError, match="unknown test dataset 'synthetik'; did you mean 'synthetic'"):
        command.compare(FIRST, SECOND, "synthetik", root=root)


def test_different_images_are_refused(root):
    path = root / Cell.parse(SECOND).evaluation("synthetic") / "predictions.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)
    with pytest.raises(InputError, match="scored on different images; run `dvc repro evaluate`"):
        command.compare(FIRST, SECOND, root=root)
