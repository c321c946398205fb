"""What DVC's tables and plots show, against numbers by hand; and dvc.yaml, which names templates, files and columns."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import recorded_results as recorded

from fer_bench.expressions import EXPRESSIONS
from fer_bench.report import plots, results
from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent
PLOTS = {next(iter(one)): next(iter(one.values())) for one in read_yaml(ROOT / "dvc.yaml")["plots"]}
CURVES = ROOT / "results" / "default" / "curves.csv"  # as committed
AU = recorded.AU


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("plots")
    recorded.write(made, recorded.plan(seeds=(0, 1)))
    for path in (made / "results" / "metrics").rglob("*.json"):
        seed = int(path.stem[-1])
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"att_cos": 0.5 + 0.2 * seed}))
    return made


@pytest.fixture(scope="module")
def loaded(root):
    return results.load(recorded.plan(seeds=(0, 1)), root)


def test_the_summary_is_the_mean_over_seeds(loaded, root):
    found = plots.summary(loaded)
    networks = {"resnet_small", "deit_small"}
    assert found["att_cos"] == {network: {"none": 0.6, "au": 0.6} for network in networks}  # of 0.5 and 0.7
    paths = [root / f"results/metrics/synthetic/synthetic-resnet_small-au-s{seed}.json" for seed in (0, 1)]
    values = [json.loads(path.read_text(encoding="utf-8"))["accuracy"] for path in paths]
    assert found["accuracy"]["resnet_small"]["au"] == pytest.approx(sum(values) / 2, abs=1e-4)


def test_confusion_counts_every_image_once(loaded):
    found = plots.confusion(loaded)
    assert tuple(found) == plots.CONFUSION
    groups = found.groupby(["model", "guidance", "expression"])
    assert (groups["images"].sum() - recorded.IMAGES).abs().max() < 1e-6
    assert (groups["percent"].sum() - 100).abs().max() < 1e-3
    assert list(found["answer"][: len(EXPRESSIONS)]) == list(EXPRESSIONS)


def test_weights_are_those_of_guidances_that_differ_in_nothing_else(tmp_path):
    arms = {
        "au": AU,
        "au_9": AU | {"weight": 9.0, "label": "λ = 9"},
        "au_facs": AU | {"variant": "facs"},
        "center": {"plugin": "center", "weight": 4.0, "layers": ["last"]},
    }
    plan = recorded.plan(seeds=(0,), models={"cam": recorded.PAPER_MODELS["cam"]}, guidance=arms)
    recorded.write(tmp_path, plan, cached=False)
    found = plots.weights(results.load(plan, tmp_path))
    assert tuple(found) == plots.WEIGHTS
    assert dict(zip(found["guidance"], found["weight"], strict=True)) == {"none": 0.0, "au": 4.0, "au_9": 9.0}
    assert list(found["metric"]) == 3 * ["accuracy"]  # all that these recorded scores begin with


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_of_dvc_yaml_names_a_template_and_columns_that_are_written(name):
    given = PLOTS[name]
    template = (ROOT / ".dvc" / "plots" / f"{given['template']}.json").read_text(encoding="utf-8")
    json.loads(template.replace('"<DVC_METRIC_DATA>"', "[]"))
    for anchor in ("DATA", "TITLE", "X", "Y", "X_LABEL", "Y_LABEL"):
        assert f"<DVC_METRIC_{anchor}>" in template
    ((path, column),) = given["y"].items()
    columns = {
        "curves.csv": set(pd.read_csv(CURVES, nrows=1)),
        "confusion.csv": set(plots.CONFUSION),
        "lambda.csv": set(plots.WEIGHTS),
    }[Path(path).name]
    assert {given["x"], column} <= columns


@pytest.mark.slow
def test_dvc_fills_the_templates_and_compares_revisions(loaded, tmp_path):
    written = tmp_path / "paper_tables" / "recorded" / "plots"
    plots.write(loaded, written)
    shutil.copy(CURVES, _made(tmp_path / "results" / "recorded" / "curves.csv"))
    kept = {key: read_yaml(ROOT / "dvc.yaml")[key] for key in ("metrics", "plots")}
    (tmp_path / "dvc.yaml").write_text(json.dumps(kept), encoding="utf-8")  # JSON is YAML
    (tmp_path / "params.yaml").write_text("grid:\n  name: recorded\n", encoding="utf-8")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        _run(command, tmp_path)
    shutil.copytree(ROOT / ".dvc" / "plots", tmp_path / ".dvc" / "plots", dirs_exist_ok=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    _run([*git, "add", "-A"], tmp_path)
    _run([*git, "commit", "-qm", "first"], tmp_path)
    table = pd.read_csv(written / "lambda.csv")
    table.assign(value=table["value"] + 1).to_csv(written / "lambda.csv", index=False)
    shown = json.loads(_run([sys.executable, "-m", "dvc", "plots", "diff", "HEAD", "--json"], tmp_path).stdout)
    assert set(shown["data"]) == set(PLOTS) and not shown.get("errors")
    for drawn in shown["data"].values():
        content = json.dumps(drawn[0]["content"])
        assert "DVC_METRIC" not in content
        assert {row["rev"] for row in drawn[0]["content"]["data"]["values"]} == {"HEAD", "workspace"}
    means = _run([sys.executable, "-m", "dvc", "metrics", "show", "--json"], tmp_path).stdout
    assert plots.summary(loaded) == json.loads(means)[""]["data"]["paper_tables/recorded/plots/summary.json"]["data"]


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended
