"""The whole pipeline on generated faces, through real `dvc repro` in a copy of the repository."""

import json
import shutil
import subprocess
import sys

import pytest
from repository_copy import RepositoryCopy

from fer_bench.yaml_file import read_yaml

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> RepositoryCopy:
    made = RepositoryCopy(tmp_path_factory.mktemp("pipeline"))
    assert "active grid: smoke" in made.run("fer_bench.cli", "use", "smoke")
    made.git(made.folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qam", "smoke")
    made.output = made.run("fer_bench.cli", "repro")
    return made


NONE, AU = "synthetic_smoke-resnet10t-none-s0", "synthetic_smoke-resnet10t-au-s0"


def test_repro_makes_numbers_tables_and_figures(workspace):
    metrics = workspace.metrics("smoke")
    assert set(metrics["guidance"]) == {"none", "au"}
    accuracy = metrics[metrics["metric"] == "accuracy"]["value"].astype(float)
    assert len(accuracy) == 2 and accuracy.between(0, 100).all()
    folder = workspace.folder / "paper_tables/smoke"
    for name in ("table1", "table2"):
        for ending in ("tex", "md", "csv"):
            assert (folder / f"{name}.{ending}").stat().st_size > 100
    figures = {path.suffix for path in (folder / "figures").iterdir()}
    assert figures == {".pdf", ".png"}
    assert "paper_tables/smoke" in workspace.output and "demonstration" in workspace.output


def test_pair_shares_everything_but_guidance(workspace):
    plans = [
        json.loads((workspace.folder / f"data/plan/train/{cell}.json").read_text(encoding="utf-8"))
        for cell in (NONE, AU)
    ]
    assert plans[0]["seed"] == plans[1]["seed"]
    assert {key for key in plans[0] if plans[0][key] != plans[1][key]} == {"cell", "guidance", "sources"}


def test_second_repro_does_nothing(workspace):
    assert "up to date" in workspace.run("dvc", "repro")


def test_the_board_agrees_that_everything_is_done(workspace):
    shown = json.loads(workspace.run("fer_bench.cli", "status", "--json"))
    assert shown["counts"] == {"done": 2, "skipped": 0, "missing": 0, "stale": 0, "failed": 0}
    assert shown["tables"] == {"state": "done", "reason": ""}
    assert {one["state"] for one in shown["prepared"]["synthetic_smoke"].values()} == {"done"}


def test_report_makes_what_the_stage_made(workspace):
    folder = workspace.folder / "paper_tables/smoke"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(folder)
    assert "results/smoke/report.html" in workspace.run("fer_bench.cli", "report")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_parallel_runner_agrees_that_nothing_is_left(workspace):
    lock = (workspace.folder / "dvc.lock").read_bytes()
    output = workspace.run("fer_bench.cli", "repro", "-j", "2")
    assert " 0 run, 0 from the run-cache," in output and "paper_tables/smoke" in output
    assert (workspace.folder / "dvc.lock").read_bytes() == lock


def test_one_cell_by_its_name(workspace):
    assert workspace.run("fer_bench.cli", "list", "cells").split() == [NONE, AU]
    (workspace.folder / f"results/metrics/synthetic_smoke/{AU}.json").unlink()
    output = workspace.run("fer_bench.cli", "repro", "--cell", AU, "-j", "1")
    assert f"scores: results/metrics/synthetic_smoke/{AU}.json" in output
    assert " 0 run, 1 from the run-cache," in output
    assert f"unknown cell '{AU}1'" in workspace.run("fer_bench.cli", "repro", "--cell", f"{AU}1", check=False)


def test_no_output_holds_a_path_of_this_machine(workspace):
    own = str(workspace.folder)
    for name in ("data/plan", "results/metrics", "results/smoke", "results/runs", "paper_tables"):
        for path in (workspace.folder / name).rglob("*"):
            if path.is_file():
                assert own.encode() not in path.read_bytes(), path


def test_dvc_metrics_show_headline_numbers(workspace):
    shown = json.loads(workspace.run("dvc", "metrics", "show", "--json"))
    found = shown[""]["data"][f"results/metrics/synthetic_smoke/{AU}.json"]["data"]
    assert {"accuracy", "macro_f1", "att_cos", "cam_cos"} <= set(found)
    assert len(found) < 10


def test_editing_one_guidance_retrains_its_cells_only(workspace):
    workspace.edit("params.yaml", "    variant: paper\n    weight: 4.0", "    variant: paper\n    weight: 5.0")
    changed = workspace.changed()
    workspace.restore()
    assert "train@synthetic_smoke-resnet10t-au-0" in changed
    assert not any("none" in stage or stage.startswith(("faces", "landmarks", "heatmaps")) for stage in changed)


def test_editing_a_method_that_no_cell_uses_reruns_nothing(workspace):
    workspace.edit("fer_bench/methods/tscam.py", '"""', '"""Changed. ')
    changed = workspace.changed()
    workspace.restore()
    assert not changed


def test_editing_a_method_retrains_its_cells(workspace):
    workspace.edit("fer_bench/methods/cam.py", '"""', '"""Changed. ')
    changed = workspace.changed()
    workspace.restore()
    assert {stage.split("@")[0] for stage in changed} == {"train", "evaluate", "tables"}


def test_adding_a_plugin_file_reruns_nothing(workspace):
    path = workspace.folder / "fer_bench/methods/mine.py"
    path.write_text('"""Mine."""\nfrom fer_bench.methods.cam import Method, Settings  # noqa: F401\n', encoding="utf-8")
    changed = workspace.changed()
    path.unlink()
    assert not changed


def test_layout_of_tables_reruns_tables_alone(workspace):
    workspace.edit("params.yaml", "tables:\n  target: paper", "tables:\n  target: facs")
    changed = workspace.changed()
    workspace.restore()
    assert changed == {"tables"}


def test_sources_in_the_plan_cover_what_a_stage_imports(workspace):
    """Run two stages again and compare the modules they load with those their plan files name."""
    code = (
        "import json, runpy, sys; sys.argv = ['x', {name!r}]; runpy.run_path('stages/{stage}.py', run_name='__main__');"
        "print('MODULES', json.dumps(sorted(m for m in sys.modules if m.startswith('fer_bench'))))"
    )
    from fer_bench.fingerprint import NEUTRAL

    keep = {}
    for stage, name in (("train", AU), ("evaluate", f"synthetic_smoke/{AU}")):
        result = subprocess.run(
            [sys.executable, "-c", code.format(stage=stage, name=name)],
            cwd=workspace.folder,
            env=workspace.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        line = next(line for line in result.stdout.splitlines() if line.startswith("MODULES"))
        loaded = set(json.loads(line.removeprefix("MODULES ")))
        plan = json.loads((workspace.folder / f"data/plan/{stage}/{name}.json").read_text(encoding="utf-8"))
        # The mirror of a training draws its curves with the report, which no number of a training depends on.
        drawing = ("fer_bench.report", "fer_bench.stats")
        mirror = {name for name in loaded if name.startswith(drawing)} if stage == "train" else set()
        keep[stage] = loaded - set(plan["sources"]) - set(NEUTRAL) - mirror - {"fer_bench.score_file"}
    assert keep == {"train": set(), "evaluate": set()}


def test_stages_are_deterministic(workspace):
    """The stages that ran again above have left every byte as it was."""
    assert "Running stage" not in workspace.run("dvc", "repro")


def test_one_cell_rerun_from_nothing_is_identical_to_the_last_bit(workspace):
    workspace.commit()
    output = workspace.run("fer_bench.cli", "verify", "--rerun", "--cell", AU)
    made = json.loads((workspace.folder / "results/smoke/certificate.json").read_text(encoding="utf-8"))
    assert made["verdict"] in output and made["verdict"].startswith("REPRODUCED: smoke at ")
    assert made["mode"] == "rerun" and made["cells"] == [AU] and made["stages"] == {"compared": 2, "different": []}
    assert made["scores"]["identical"] > 100 and sum(made["scores"].values()) == made["scores"]["identical"]


def test_verify_tells_changed_numbers_and_stages_out_of_date(workspace):
    assert "REPRODUCED: smoke" in workspace.run("fer_bench.cli", "verify")
    workspace.edit(f"results/metrics/synthetic_smoke/{NONE}.json", '["accuracy",', '["accuracy_",')
    table = workspace.folder / "results/smoke/metrics.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(",accuracy,", ",accuracy,9", 1), encoding="utf-8")
    output = workspace.run("fer_bench.cli", "verify", check=False)
    workspace.git(workspace.folder, "checkout", "--", "results")
    assert "NOT REPRODUCED: smoke" in output and "1 further away" in output
    assert f"evaluate@{NONE.replace('-s0', '-0')}-synthetic_smoke" in output and "stages out of date" in output


def test_verify_needs_a_commit_that_has_the_grid_and_knows_its_cells(workspace):
    output = workspace.run(
        "fer_bench.cli", "verify", "--rerun", "--cell", "synthetic_smoke-resnet10-au-s0", check=False
    )
    assert "unknown cell" in output and AU in output and "Traceback" not in output
    assert "only with --rerun" in workspace.run("fer_bench.cli", "verify", "--cell", AU, check=False)


def test_removed_value_leaves_no_ghost(workspace):
    workspace.edit("params.yaml", "  guidance: [none, au]", "  guidance: [none]")
    workspace.run("dvc", "repro", "-q")
    assert set(workspace.metrics("smoke")["guidance"]) == {"none"}
    left = workspace.run("fer_bench.cli", "prune", "--yes")
    assert AU not in left  # grids/smoke.yaml still names it
    workspace.restore()
    workspace.run("dvc", "repro", "-q")
    assert set(workspace.metrics("smoke")["guidance"]) == {"none", "au"}


def test_bad_params_stop_before_anything_runs(workspace):
    workspace.edit("params.yaml", "\n  warmup_epochs: 1", "\n  warmup_epoch: 1")
    output = workspace.run("fer_bench.cli", "repro", check=False)
    workspace.restore()
    assert "train.warmup_epoch: unknown key; did you mean 'warmup_epochs'?" in output
    assert "Traceback" not in output


def test_switching_grids_keeps_what_is_done(workspace):
    before = (workspace.folder / "params.yaml").read_text(encoding="utf-8")
    workspace.run("fer_bench.cli", "use", "default")
    assert read_yaml(workspace.folder / "params.yaml")["grid"]["name"] == "default"
    workspace.run("fer_bench.cli", "use", "smoke")
    assert (workspace.folder / "params.yaml").read_text(encoding="utf-8") == before
    assert "Running stage" not in workspace.run("dvc", "repro")
