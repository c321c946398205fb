"""`fer-bench check`: what works, what is missing, and the exact next command."""

import json
import shlex
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from fer_bench import cli, params
from fer_bench.landmarks import _weights
from fer_bench.readiness import check, data, machine, packages, weights
from fer_bench.readiness.finding import python
from fer_bench.train_settings import RuntimeSettings
from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def with_grid(**changes):
    """params.yaml with another grid."""
    raw = read_yaml(ROOT / "params.yaml")
    grid = {"name": "tried", "datasets": ["synthetic"], "models": ["resnet10t"], "guidance": ["none"], "seeds": [0]}
    grid = {**grid, "test_datasets": ["synthetic"], **changes}
    return params.parse({**raw, "grid": grid})


def by_name(findings):
    return {one.name: one for one in findings}


def test_the_default_grid_can_run(here):
    report = check()
    assert report.ready, [one for one in report.findings if one.state == "missing"]
    names = by_name(report.findings)
    assert {"python", "torch", "device", "threads", "memory", "disk", "extra cluster", "settings"} <= names.keys()
    assert (
        names["synthetic"].detail.endswith("generated, nothing to check")
        and "licence: MIT" in names["synthetic"].detail
    )


def test_the_command_says_so_and_ends_with_0(here):
    shown = CliRunner().invoke(cli.app, ["check"])
    assert shown.exit_code == 0
    assert "can run: fer-bench repro" in shown.stdout
    given = json.loads(CliRunner().invoke(cli.app, ["check", "--json"]).stdout)
    assert set(given) == {"grid", "ready", "findings"} and given["ready"] is True
    assert {tuple(one) for one in given["findings"]} == {("area", "name", "state", "detail", "next")}


def test_settings_that_are_not_valid_are_a_finding_and_status_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "params.yaml").write_text("trian: {}\n", encoding="utf-8")
    shown = CliRunner().invoke(cli.app, ["check"])
    assert shown.exit_code == 1
    assert "unknown section 'trian'; did you mean 'train'" in shown.stdout
    assert "cannot run yet; missing: settings" in shown.stdout


def test_outside_of_the_repository_it_says_where_to_go(tmp_path):
    found = by_name(machine.findings(RuntimeSettings(), tmp_path))["repository"]
    assert found.state == "missing" and found.next.startswith("cd ")


def test_a_device_that_is_not_there():
    found = by_name(machine.findings(RuntimeSettings(device="mps"), ROOT))["device"]
    if found.state == "ok":
        pytest.skip("this machine has it")
    assert found.state == "missing" and "runtime.device is mps" in found.detail
    assert found.next == "params.yaml: runtime.device: auto"


def test_a_dataset_that_was_not_given_names_the_variable_and_the_page(here, monkeypatch):
    monkeypatch.delenv("FER_BENCH_ROOT_RAFDB", raising=False)
    (found,) = data.datasets(with_grid(datasets=["rafdb"], test_datasets=["rafdb"]))
    assert found.state == "missing" and "10.1109/CVPR.2017.277" in found.detail
    assert found.next == "export FER_BENCH_ROOT_RAFDB=FOLDER  # what has to be in it: docs/datasets_rafdb.md"


def test_the_page_of_every_dataset_is_there(here):
    from fer_bench import registry

    for plugin in registry.names("datasets"):
        page = data._dataset_step("name", plugin, "no folder given").rpartition(" ")[2]
        assert (ROOT / page).is_file()


def test_weights_of_a_detector_that_are_not_there(here, monkeypatch, tmp_path):
    monkeypatch.setattr(_weights, "checkpoint_folder", lambda: tmp_path)
    loaded = with_grid(datasets=["affectnet"], test_datasets=["affectnet"])
    (found,) = data.landmarks(loaded)
    assert (found.name, found.state) == ("face_alignment", "missing")
    assert str(tmp_path) in found.detail
    code = shlex.split(found.next, comments=True)
    assert code[0] == python() and "download=True" in code[2]
    compile(code[2], "next", "exec")


def test_weights_that_may_be_fetched_are_not_missing_and_not_fetched(here, monkeypatch, tmp_path):
    monkeypatch.setattr(_weights, "checkpoint_folder", lambda: tmp_path)
    loaded = with_grid(datasets=["affectnet"], test_datasets=["affectnet"])
    settings = loaded.landmarks["face_alignment"].model_copy(update={"download": True})
    monkeypatch.setitem(loaded.landmarks, "face_alignment", settings)
    (found,) = data.landmarks(loaded)
    assert found.state == "ok" and "fetched when first used" in found.detail
    assert not list(tmp_path.iterdir())


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that cannot be reached and an empty cache; `reason`: say why it cannot, or empty it."""

    class Hub:
        reason = "no network here"
        asked = 0

        def unreachable(self):
            self.asked += 1
            return OSError(self.reason) if self.reason else None

    made = Hub()
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *given: None)
    monkeypatch.setattr("fer_bench.backbones.hub.unreachable", made.unreachable)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    return made


def test_a_file_of_weights_that_is_not_there_skips_cells_and_leaves_the_others(here, hub, tmp_path):
    loaded = with_grid(models=["resnet10t", "apvit"])
    found = by_name(weights.findings(loaded))
    backbone, blocks = found["apvit.weights"], found["apvit.method_kwargs.blocks"]
    assert backbone.state == "optional" and "face.evoLVe" in backbone.detail
    assert backbone.next == "put the file at weights/backbone_ir50_ms1m_epoch120.pth"
    assert blocks.state == "optional"  # no cell that needs it will run
    assert f"curl --create-dirs -Lo {tmp_path}/checkpoints/vit_small" in blocks.next
    assert (found["resnet10t.weights"].state, found["resnet10t.weights"].detail) == ("ok", "random, nothing is needed")
    cells = by_name(weights.skipped(loaded))
    assert cells["1 of 2 skipped"].state == "optional"
    assert cells["tried"].detail == "1 of 2 can run"


def test_a_grid_of_which_nothing_is_left_cannot_run(here):
    (found,) = weights.skipped(with_grid(models=["apvit"]))
    assert found.state == "missing" and found.name == "1 of 1 skipped"


def test_weights_of_the_hub_are_named_once_and_asked_for_once(here, hub, monkeypatch, tmp_path):
    loaded = with_grid(models=["resnet50_cam", "resnet50_prm", "deit_small_tscam"])
    first, second = weights.findings(loaded)
    assert first.name == "resnet50_cam.weights, resnet50_prm.weights" and second.name == "deit_small_tscam.weights"
    assert first.state == "missing" and "no network here" in first.detail
    assert first.next.startswith("where there is a network: ") and "create_model('resnet50.tv_in1k'" in first.next
    assert hub.asked == 1
    hub.reason = ""
    assert {(one.state, one.detail.rpartition("; ")[2]) for one in weights.findings(loaded)} == {
        ("ok", "fetched when first used")
    }
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *given: str(tmp_path))
    assert all(one.state == "ok" and "are in " in one.detail for one in weights.findings(loaded))
    assert hub.asked == 2


def test_packages_that_are_absent_or_too_old_have_a_command(monkeypatch):
    wanted = [Requirement(line) for line in ("numpy>=1", "no-such-package>=2,<3", "pillow>=9999")]
    assert [one.name for one in packages._absent(wanted)] == ["no-such-package", "pillow"]
    command = shlex.split(packages._install(packages._absent(wanted)))
    assert command[:4] == [python(), "-m", "pip", "install"]
    assert {str(Requirement(word)) for word in command[4:]} == {"no-such-package<3,>=2", "pillow>=9999"}


def test_extras_are_those_of_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "fer_bench"\ndependencies = ["numpy"]\n'
        '[project.optional-dependencies]\nexport = ["no-such-package>=2"]\n',
        encoding="utf-8",
    )
    needed, extra = packages.findings(tmp_path)
    assert (needed.state, needed.detail) == ("ok", "1 packages")
    assert extra.state == "optional" and "for fer-bench export --onnx" in extra.detail
    assert extra.next == f"{python()} -m pip install 'no-such-package>=2'"
    assert {one.name for one in packages.findings(ROOT)} == {"fer_bench", *(f"extra {name}" for name in packages.FOR)}
