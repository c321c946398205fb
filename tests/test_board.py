"""The board of a grid: states of stages in a made-up repository, whose dvc.lock is written as DVC writes it."""

import json
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from toy_pipeline import Toy
from typer.testing import CliRunner

from fer_bench import cli, failures, grids, params, plan
from fer_bench.board import State, overview
from fer_bench.board.files import differs, md5
from fer_bench.cell_stages import planned
from fer_bench.grid_locks import LOCK, waiting

ROOT = Path(__file__).parent.parent
NONE, AU = "synthetic_smoke-resnet10t-none-s0", "synthetic_smoke-resnet10t-au-s0"
TRAIN = "train@synthetic_smoke-resnet10t-au-0"
TEST = "synthetic_smoke"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A repository in which grid `smoke` has been run: files of any content, and the dvc.lock that fits them."""
    root = tmp_path_factory.mktemp("finished")
    for name in ("fer_bench", "stages", "grids"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", root)
    (root / ".dvc").mkdir()
    grids.use("smoke", root)
    plan.write(params.load(root / "params.yaml"), root)
    stages = {name: entry(root, deps, outs) for name, (deps, outs) in pipeline().items()}
    with (root / LOCK).open("w", encoding="utf-8") as file:
        YAML().dump({"schema": "2.0", "stages": stages}, file)
    return root


@pytest.fixture
def root(finished, tmp_path):
    """A copy to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "repository"))


def pipeline():
    """Stage -> what it reads, what it makes; as dvc.yaml has it, shortened."""
    index, points, maps = f"data/faces/{TEST}/index.csv", f"data/landmarks/{TEST}.parquet", f"data/heatmaps/{TEST}"
    found = {
        f"faces@{TEST}": ([f"data/plan/faces/{TEST}.json"], [f"data/faces/{TEST}/"]),
        f"landmarks@{TEST}": ([f"data/plan/landmarks/{TEST}.json", index], [points]),
        f"hygiene@{TEST}": ([f"data/plan/hygiene/{TEST}.json", points], [f"results/hygiene/{TEST}.json"]),
        f"heatmaps@{TEST}": ([f"data/plan/heatmaps/{TEST}.json", points], [f"{maps}/"]),
    }
    for cell in (NONE, AU):
        weights, scores = f"results/runs/{cell}/weights", f"results/metrics/{TEST}/{cell}.json"
        found[planned(f"train/{cell}")] = ([f"data/plan/train/{cell}.json", index, f"{maps}/"], [f"{weights}/"])
        found[planned(f"evaluate/{TEST}/{cell}")] = (
            [f"data/plan/evaluate/{TEST}/{cell}.json", f"{weights}/"],
            [f"results/runs/{cell}/evaluate/{TEST}/", scores],
        )
    found["tables"] = (["data/plan/grid.json", "results/metrics/"], ["results/smoke/metrics.csv"])
    return found


def entry(root, deps, outs):
    """Make the outputs; a name that ends in a slash is a folder."""
    for name in outs:
        path = root / name / "index.csv" if name.endswith("/") else root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"made for {name}\n", encoding="utf-8")
    return {"cmd": "x", "deps": [record(root, name) for name in deps], "outs": [record(root, name) for name in outs]}


def record(root, name):
    path = root / name
    if path.is_dir():
        sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
        return {"path": name.rstrip("/"), "md5": f"{name}.dir", "size": sum(sizes), "nfiles": len(sizes)}
    return {"path": name, "md5": md5(path.read_bytes()), "size": path.stat().st_size}


def state_of(root, stage):
    return dict(overview(root=root).stages())[stage]


def test_a_grid_that_was_run_is_done(root):
    found = overview(root=root)
    assert {state for _, state in found.stages()} == {State("done")}
    assert found.counts == {"done": 2, "skipped": 0, "missing": 0, "stale": 0, "failed": 0}
    assert [row.cell for row in found.cells] == [NONE, AU]


def test_settings_that_changed_make_their_cells_stale_and_say_which(root):
    text = (root / "grids/smoke.yaml").read_text(encoding="utf-8")
    (root / "grids/smoke.yaml").write_text(text.replace("epochs: 2", "epochs: 3"), encoding="utf-8")
    grids.use("smoke", root)
    found = dict(overview(root=root).stages())
    assert found[TRAIN] == State("stale", "settings changed: train.epochs")
    assert found[f"faces@{TEST}"].state == "done"


def test_code_that_changed_is_named(root):
    path = root / "fer_bench/guidance/au.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# another line\n", encoding="utf-8")
    found = dict(overview(root=root).stages())
    assert found[TRAIN] == State("stale", "code changed: fer_bench.guidance.au")
    assert found[TRAIN.replace("-au-", "-none-")] == State("done")


def test_without_the_plan_that_was_run_a_change_is_seen_but_not_named(root):
    shutil.rmtree(root / "data/plan")
    text = (root / "grids/smoke.yaml").read_text(encoding="utf-8")
    (root / "grids/smoke.yaml").write_text(text.replace("epochs: 2", "epochs: 3"), encoding="utf-8")
    grids.use("smoke", root)
    assert state_of(root, TRAIN) == State("stale", "settings or code changed")


def test_what_reads_a_stale_stage_waits_for_it(root):
    (root / f"data/landmarks/{TEST}.parquet").write_text("others\n", encoding="utf-8")
    found = dict(overview(root=root).stages())
    assert found[f"landmarks@{TEST}"] == State("stale", f"data/landmarks/{TEST}.parquet is not what the stage made")
    assert found[f"heatmaps@{TEST}"] == State("stale", f"waits for landmarks@{TEST}, which is stale")
    assert found[TRAIN] == State("stale", f"waits for heatmaps@{TEST}, which is stale")
    assert found[f"faces@{TEST}"] == State("done")


def test_scores_edited_by_hand_are_stale(root):
    path = root / f"results/metrics/{TEST}/{AU}.json"
    path.write_text(path.read_text(encoding="utf-8").replace("made", "fake"), encoding="utf-8")  # of the same length
    found = {row.cell: row for row in overview(root=root).cells}
    assert found[AU].scored[TEST] == State("stale", f"results/metrics/{TEST}/{AU}.json is not what the stage made")
    assert (found[AU].state.state, found[NONE].state.state) == ("stale", "done")


def test_files_that_are_elsewhere_are_missing_but_scores_that_are_here_are_done(root):
    """A fresh clone has scores and dvc.lock."""
    shutil.rmtree(root / "results/runs")
    (row, _) = overview(root=root).cells
    assert row.trained.state == "missing" and "`dvc checkout` or `dvc pull`" in row.trained.reason
    assert row.scored[TEST].state == "done" and "is not on this machine" in row.scored[TEST].reason


def test_a_grid_that_was_never_run_is_missing(root):
    (root / LOCK).unlink()
    assert {state for _, state in overview(root=root).stages()} == {State("missing", "not run yet")}


def test_a_failure_shows_its_reason_until_the_stage_is_done(root):
    failures.note(TRAIN, "out of memory", root)
    assert state_of(root, TRAIN) == State("done")
    (root / LOCK).unlink()
    found = {row.cell: row for row in overview(root=root).cells}
    assert found[AU].trained == State("failed", "out of memory")
    assert found[AU].state.state == "failed" and found[NONE].state.state == "missing"


def test_a_grid_that_is_not_active_is_read_from_its_own_lock(root):
    grids.use("default", root)
    assert (root / waiting("smoke")).is_file()
    found = overview("smoke", root)
    assert not found.active and found.counts["done"] == 2


def test_tables_of_the_grid_before_are_not_those_of_this_one(root):
    """dvc.lock knows one stage `tables`; it stays there when another grid becomes active."""
    grids.use("default", root)
    found = overview(root=root)
    assert found.grid == "default" and found.tables == State("missing", "not run yet")


def test_a_cell_that_makes_no_sense_is_skipped_with_its_reason(root):
    text = (root / "grids/smoke.yaml").read_text(encoding="utf-8")
    (root / "grids/smoke.yaml").write_text(text.replace("[resnet10t]", "[resnet10t, apvit]"), encoding="utf-8")
    grids.use("smoke", root)
    states = {row.cell: row.state for row in overview(root=root).cells}
    assert states["synthetic_smoke-apvit-au-s0"].state == "skipped"
    assert "there is no file weights/" in states["synthetic_smoke-apvit-au-s0"].reason


def test_the_command_prints_the_board_and_json(root, monkeypatch):
    monkeypatch.chdir(root)
    failures.note(TRAIN, "out of memory", root)
    lock = (root / LOCK).read_text(encoding="utf-8").replace(TRAIN, TRAIN.replace("-0", "-7"))
    (root / LOCK).write_text(lock, encoding="utf-8")
    shown = CliRunner().invoke(cli.app, ["status"])
    assert shown.exit_code == 0
    assert AU in shown.stdout and f"failed {TRAIN}: out of memory" in shown.stdout
    assert "next: fer-bench repro" in shown.stdout
    data = json.loads(CliRunner().invoke(cli.app, ["status", "--json"]).stdout)
    assert set(data) == {"grid", "active", "prepared", "cells", "tables", "counts"}
    assert data["counts"]["failed"] == 1
    (row,) = [row for row in data["cells"] if row["cell"] == AU]
    assert set(row) == {"cell", "trained", "scored", "state", "reason"}
    assert row["trained"] == {"state": "failed", "reason": "out of memory"} and row["state"] == "failed"


def test_a_damaged_lock_is_one_line(root, monkeypatch):
    monkeypatch.chdir(root)
    (root / LOCK).write_text("stages:\n  tables:\n    cmd: [\n", encoding="utf-8")
    shown = CliRunner().invoke(cli.app, ["status"])
    assert shown.exit_code == 1 and shown.stderr.count("\n") == 1
    assert "git restore dvc.lock" in shown.stderr


def test_dvc_records_what_the_board_compares(tmp_path, monkeypatch):
    """Hash and size of a file, number of files and bytes of a folder, as DVC itself writes them."""
    toy = Toy(tmp_path / "toy")
    monkeypatch.chdir(toy.folder)
    toy.serial()
    recorded = {out["path"]: out for stage in toy.lock["stages"].values() for out in stage["outs"]}
    assert {"plan", "out/a", "sum"} <= recorded.keys()
    assert not any(differs(toy.folder / path, out) for path, out in recorded.items())
    (toy.folder / "plan/more").write_text("x")
    (toy.folder / "sum").write_text("b" + (toy.folder / "sum").read_text()[1:])
    assert differs(toy.folder / "plan", recorded["plan"]) and differs(toy.folder / "sum", recorded["sum"])
