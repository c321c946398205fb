"""The house rules: imports go down only, one importer of mlflow, no torch in the report, neutral modules exist."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from fer_bench import registry
from fer_bench.fingerprint import NEUTRAL, sources

ROOT = Path(__file__).parent.parent
KINDS = [
    "datasets", "synthface", "landmarks", "au", "backbones", "methods", "guidance", "explainers", "metrics", "report",
    "checkpoints", "cues", "probes",
]  # fmt: skip
BASE = {
    "errors", "settings", "expressions", "registry", "classifier_output", "validation", "yaml_file", "minmax",
    "gaussian", "processes",
}  # fmt: skip
# What a kind may import besides itself and BASE; the reason stands beside each.
ALLOWED = {
    "datasets": {"synthface", "cues"},  # a dataset of generated faces asks the generator, and for its cues
    "cues": {"au", "synthface"},  # regions to keep off; random streams
    # a probe asks a trained network further questions about its test images, as the evaluation does
    "probes": {"au", "cells", "classifier", "cues", "data", "dataset_files", "explainers", "resample", "score_rows"},
    "guidance": {"au"},  # the resize operators
    "metrics": {"au"},  # the resize operators
    "report": {"cells", "au", "score_file", "stats"},  # paths; the codebook sheet
    "methods": {"weight_files"},  # files that a head starts from
    "explainers": set(),
    "synthface": set(),
    "landmarks": set(),
    "au": set(),
    "engines": set(),
    "checkpoints": {"authors"},  # a release's own layout, names and files
    "backbones": {"_torchvision", "weight_files"},  # makes timm importable beside a CPU build of torch; initial weights
}


def modules() -> list[Path]:
    return sorted((ROOT / "fer_bench").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, everywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def ours(path: Path) -> set[str]:
    """First part below fer_bench of every import of the project."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("fer_bench.")}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_do_not_import_one_another(kind):
    for path in (ROOT / "fer_bench" / kind).rglob("*.py"):
        foreign = ours(path) - {kind} - BASE - ALLOWED[kind]
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def test_library_never_imports_stages():
    for path in modules():
        assert not any(name.split(".")[0] == "stages" for name in imported(path)), path


def test_mlflow_has_one_importer():
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if any(name.split(".")[0] == "mlflow" for name in imported(path))
    }
    assert importers
    assert all(name.removeprefix("fer_bench/").startswith(("tracking", "_mlflow")) for name in importers), importers


def test_dvc_has_one_importer():
    """DVC's insides change between versions: what relies on them stands in the runner, and there in two files."""
    importers = {
        path.relative_to(ROOT / "fer_bench").as_posix()
        for path in modules()
        if any(name.split(".")[0] == "dvc" for name in imported(path))
    }
    assert importers == {"runner/lock_file.py", "runner/repository.py"}


def test_runner_knows_nothing_of_what_stages_do():
    allowed = {"runner", "engines", "registry", "errors", "validation", "failures", "alone", "orphan"}
    for path in (ROOT / "fer_bench" / "runner").glob("*.py"):
        assert not ours(path) - allowed, f"{path.name} imports {sorted(ours(path) - allowed)}"


def test_supervisor_starts_with_the_standard_library_alone():
    names = imported(ROOT / "fer_bench" / "engines" / "_supervisor.py")
    assert not [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]


def test_report_runs_without_torch():
    code = "import sys, fer_bench.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_train_and_evaluate_do_not_import_each_other():
    def closure(stage: str) -> set[str]:
        return set(sources([f"stages.{stage}"], ROOT))

    assert "fer_bench.evaluate" not in closure("train")
    assert "fer_bench.train" not in closure("evaluate")


def test_what_uses_trained_networks_decides_no_result():
    """Explanations and exports may change without a cell running again."""
    users = {"trained", "explanation", "export"}
    for stage in sorted((ROOT / "stages").glob("*.py")):
        used = {name.split(".")[1] for name in sources([f"stages.{stage.stem}"], ROOT) if name.count(".")}
        assert not used & users, stage.name
    for kind, upper in {
        "trained": {"explanation", "export"},
        "explanation": {"export"},
        "export": {"explanation"},
    }.items():
        for path in (ROOT / "fer_bench" / kind).rglob("*.py"):
            assert not ours(path) & upper, path


def test_neutral_modules_exist():
    gone = [name for name in NEUTRAL if not (ROOT / (name.replace(".", "/") + ".py")).is_file()]
    assert not gone


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_every_plugin_keeps_the_promise_of_its_kind(kind):
    assert registry.names(kind)
    public = set(vars(__import__(f"fer_bench.{kind}", fromlist=["x"])).get("__all__", []))
    for name in registry.names(kind):
        module = registry.module(kind, name)
        assert module.__doc__, f"{kind}/{name}.py says nothing about itself"
        assert hasattr(module, registry.KINDS[kind])
        assert name not in public, f"{kind}/{name}.py would replace the function {kind}.{name}"
        if kind not in ("cues", "explainers", "metrics", "probes"):
            assert registry.settings(kind, name)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_stay_small_and_say_what_they_are_for(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{path} has no first sentence"
