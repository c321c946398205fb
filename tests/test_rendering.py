"""`fer-bench report`: which plan is rendered, and what is added to scores; the rendering itself is tested elsewhere.

tests/test_pipeline.py compares what it makes with what the stage `tables` has made.
"""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fer_bench import cli, grids, plan, rendered_again, rendering
from fer_bench.errors import InputError

ROOT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository without a plan, as after a fresh clone."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "grids", tmp_path / "grids")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def built(monkeypatch):
    """What the report was asked for: the plan's content, and the action units."""
    asked = []

    def build(path, root, units):
        asked.append((json.loads(Path(path).read_text(encoding="utf-8")), units))

    monkeypatch.setattr(rendering.report, "build", build)
    monkeypatch.setattr(rendering, "codebook_figure", lambda path: [])
    return asked


def test_units_are_those_of_the_main_tables_map():
    units = rendering._units({"tables": {"target": "paper"}})
    assert units["happiness"][0].startswith("AU6 ") and units["neutral"] == []
    assert rendering._units({"tables": {"target": "true_units"}}) == {}


def test_without_a_plan_the_grid_is_planned_and_nothing_is_left_behind(root, built):
    assert rendered_again.again("smoke", root) == "smoke"
    ((planned, units),) = built
    assert planned == json.loads(json.dumps(plan.entries(grids.params_with("smoke"))["grid.json"]))
    assert units["fear"]
    assert not (root / "data").exists()


def test_the_plan_that_was_run_comes_first_if_it_is_this_grid_s(root, built):
    entry = plan.entries(grids.params_with("smoke"))["grid.json"]
    (root / "data/plan").mkdir(parents=True)
    (root / "data/plan/grid.json").write_text(json.dumps(entry | {"fingerprint": "as it was run"}), encoding="utf-8")
    rendered_again.again("smoke", root)
    rendered_again.again("default", root)
    first, second = (planned for planned, _ in built)
    assert first["fingerprint"] == "as it was run"
    assert second["name"] == "default" and second["fingerprint"] != "as it was run"


def test_the_command_says_where_the_page_is(root, built):
    shown = CliRunner().invoke(cli.app, ["report", "smoke"])
    assert shown.exit_code == 0, shown.output
    assert f"page:               {(root / 'results/smoke/report.html').resolve()}" in shown.stdout


def test_a_plan_that_cannot_be_read_is_one_line(root):
    (root / "data/plan").mkdir(parents=True)
    (root / "data/plan/grid.json").write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="dvc repro plan"):
        rendered_again.again("smoke", root)
