"""The whole pipeline on generated faces, through real `dvc repro` in a copy of the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.timeout(600)]


class Workspace:
    """A copy of the repository, with its own git and DVC, in which commands run as a user would type them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(folder)}
        listed = self._git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
            self._git(folder, "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments)

    def _git(self, where: Path, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout

    def run(self, *command: str, check: bool = True) -> str:
        """Run `python -m COMMAND...` and return what it printed."""
        result = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = result.stdout + result.stderr
        assert not check or result.returncode == 0, output
        return output

    def changed(self) -> set[str]:
        """Rerun the plan and return the stages that DVC would run after it."""
        self.run("dvc", "repro", "-q", "plan")
        return set(json.loads(self.run("dvc", "status", "--json")))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the copy."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def restore(self) -> None:
        """Take back every edit of sources and params, never results."""
        self._git(self.folder, "checkout", "--", "fer_bench", "stages", "params.yaml")

    @property
    def metrics(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "results/smoke/metrics.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("pipeline"))
    assert "active grid: smoke" in made.run("fer_bench.cli", "use", "smoke")
    made._git(made.folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qam", "smoke")
    made.output = made.run("fer_bench.cli", "repro")
    return made


NONE, AU = "synthetic_smoke-resnet10t-none-s0", "synthetic_smoke-resnet10t-au-s0"


def test_repro_makes_numbers_tables_and_figures(workspace):
    metrics = workspace.metrics
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


def test_removed_value_leaves_no_ghost(workspace):
    workspace.edit("params.yaml", "  guidance: [none, au]", "  guidance: [none]")
    workspace.run("dvc", "repro", "-q")
    assert set(workspace.metrics["guidance"]) == {"none"}
    left = workspace.run("fer_bench.cli", "prune", "--yes")
    assert AU not in left  # grids/smoke.yaml still names it
    workspace.restore()
    workspace.run("dvc", "repro", "-q")
    assert set(workspace.metrics["guidance"]) == {"none", "au"}


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
