"""`fer-bench new`: the file that is written keeps its contract as it is; names that cannot work are refused."""

import importlib.util
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_bench import registry
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.starter import KINDS, new, next_steps, render

ROOT = Path(__file__).parent.parent


@pytest.fixture
def copy(tmp_path):
    """A copy of the package and its tests, to which files may be added."""
    for folder in ("fer_bench", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "params.yaml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def run(folder, *arguments):
    """Run a module of Python there, with that folder's package."""
    command = [sys.executable, "-m", *arguments]
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_name_makes_no_line_that_the_linter_refuses(kind):
    assert max(map(len, render(kind, "score_of_pointing_games").splitlines())) <= 120


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_file_passes_its_contract_and_the_linters(kind, copy):
    new(kind, "made_up", copy / "fer_bench")
    path = f"fer_bench/{KINDS[kind].folder}/made_up.py"
    for arguments in (("ruff", "check", path), ("ruff", "format", "--check", path)):
        done = run(copy, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    tests = run(copy, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", KINDS[kind].test, "-k", "made_up")
    assert tests.returncode == 0, tests.stdout  # 5 would mean that no test found it


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_found_by_its_name_and_defines_its_kind(kind, tmp_path):
    folder = KINDS[kind].folder
    (tmp_path / "fer_bench" / folder).mkdir(parents=True)
    path = new(kind, "made_up", tmp_path / "fer_bench")
    assert path == tmp_path / "fer_bench" / folder / "made_up.py"
    space = {"__name__": "made_up"}
    exec(compile(path.read_text(), str(path), "exec"), space)  # noqa: S102  as an import does
    assert isinstance(space[registry.KINDS[folder]], type)
    assert "$" not in path.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_steps_name_a_test_that_is_there(kind):
    steps = next_steps(kind, "made_up")
    assert (ROOT / KINDS[kind].test).is_file() and KINDS[kind].test in steps[0]
    assert all("made_up" in step for step in steps[:2])


def test_the_next_steps_name_all_that_is_scored_because_a_list_replaces_the_default(tmp_path):
    assert ", decision_share, made_up]}" in next_steps("metric", "made_up", tmp_path / "params.yaml")[1]
    (tmp_path / "params.yaml").write_text("evaluate: {explainers: [cam, layercam]}")
    assert "[cam, layercam, made_up]" in next_steps("explainer", "made_up", tmp_path / "params.yaml")[1]
    assert "[accuracy, " in next_steps("metric", "made_up", tmp_path / "params.yaml")[1]


@pytest.fixture
def made_up_dataset(tmp_path):
    """The dataset that is written, as it is, over six images of each expression."""
    (tmp_path / "package/datasets").mkdir(parents=True)
    path = new("dataset", "made_up", tmp_path / "package")
    spec = importlib.util.spec_from_file_location("made_up", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for number, (name, copy) in enumerate(product(EXPRESSIONS, range(6))):
        (tmp_path / "faces" / name).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "faces" / name / f"{copy}.png")

    def make(**settings):
        return module.Dataset("made_up", module.Settings(root=str(tmp_path / "faces"), **settings))

    return make


def test_the_dataset_that_is_written_gives_later_stages_what_they_read(made_up_dataset, tmp_path):
    dataset = made_up_dataset(test_fraction=0.3)
    frame = dataset.prepare(tmp_path / "out", progress=False)
    assert len(frame) == 42 and set(frame["split"]) == {"train", "val", "test"}
    # landmarks are kept by the hash of an image: equal ones would share their points
    contents = [(tmp_path / "faces" / path).read_bytes() for path in frame["path"]]
    assert frame["sha256"].tolist() == [sha256(content).hexdigest() for content in contents]
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["fingerprint"] == dataset.check(progress=False)
    assert sum(manifest["counts"]["test"].values()) == (frame["split"] == "test").sum()


def test_the_dataset_that_is_written_refuses_what_nothing_can_run_on(made_up_dataset, tmp_path):
    known = made_up_dataset().check(progress=False)
    (tmp_path / "faces/fear/0.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1 images cannot be used: fear/0\.png"):
        made_up_dataset().prepare(tmp_path / "out", progress=False)
    (tmp_path / "faces/fear/0.png").unlink()
    with pytest.raises(InputError, match=r"the folder .* changed: the number of images \(42 -> 41\)"):
        made_up_dataset(fingerprint=known).prepare(tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["My_metric", "my-metric", "1st", "", "a b", "../x"])
def test_names_that_params_yaml_could_not_hold_are_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"is no name for params\.yaml"):
        new("metric", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten():
    before = (ROOT / "fer_bench/metrics/energy.py").read_text()
    with pytest.raises(InputError, match=r"fer_bench/metrics/energy\.py is there already"):
        new("metric", "energy")
    assert (ROOT / "fer_bench/metrics/energy.py").read_text() == before


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(InputError, match="unknown kind 'metrik'; did you mean 'metric'"):
        new("metrik", "made_up")
