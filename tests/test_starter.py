"""`fer-bench new`: the file that is written keeps its contract as it is; names that cannot work are refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer_bench import registry
from fer_bench.errors import InputError
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
