"""The command line as a whole: help with examples that parse, exit statuses, nearest names, completion, quick start."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from fer_bench import cli, grids
from fer_bench.commands import _complete
from fer_bench.commands._command import about
from fer_bench.errors import MOST, unknown

ROOT = Path(__file__).parent.parent
ABOUT = {about(function).name: about(function) for function in cli.COMMANDS}
EXAMPLES = [(known.name, example) for known in ABOUT.values() for example in known.examples]
HEAVY = ("torch", "pandas", "timm", "dvc", "matplotlib", "mlflow")


@pytest.fixture
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def run(*arguments: str, **options):
    return CliRunner().invoke(cli.app, list(arguments), **options)


def shell(code: str = "", *, arguments: tuple[str, ...] = (), **variables: str) -> str:
    """What a fresh process prints, of code, or of the command line."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "fer_bench.cli", *arguments])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ABOUT)
def test_every_command_shows_its_examples_and_exit_statuses(name):
    result = run(name, "--help", env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert result.exit_code == 0
    assert ABOUT[name].examples
    for example in ABOUT[name].examples:
        assert example.startswith(f"fer-bench {name}") and example in result.stdout
    assert "Exit status: 0 " in result.stdout and {0, 1, 2} <= set(ABOUT[name].statuses)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_parse(name, example):
    program, command, *arguments = shlex.split(example)
    assert (program, command) == ("fer-bench", name)
    get_command(cli.app).commands[name].make_context(name, arguments)  # raises where an option is none


def test_an_example_with_a_wrong_option_would_not_parse():
    with pytest.raises(Exception, match="No such option"):
        get_command(cli.app).commands["repro"].make_context("repro", ["--jbos", "2"])


def test_commands_promised_are_there():
    promised = "list check status repro explain compare report verify new export estimate show use"
    assert set(promised.split()) <= set(ABOUT)
    for name in ["list", "check", "status", "compare", "estimate", "verify", "explain"]:
        assert "--json" in run(name, "--help").stdout, name


def test_an_unknown_command_names_the_nearest():
    result = run("comprae")
    assert result.exit_code == 2
    assert "Did you mean 'compare'?" in result.output


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "explainer"), "unknown kind 'explainer'; did you mean 'explainers'?"),
        (("use", "smok"), "unknown grid 'smok'; did you mean 'smoke'?"),
        (("status", "trust/control"), "did you mean 'trust/controls' or"),
        (("repro", "trian"), "unknown stage 'trian'; did you mean 'train'"),
        (("show", "defualt"), "unknown grid 'defualt'; did you mean 'default'"),
        (("report", "tunned"), "did you mean 'tuned'?"),
        (("new", "metrik", "x"), "unknown kind 'metrik'; did you mean 'metric'?"),
        (("repro", "--cell", "nothing-like-it"), "unknown cell 'nothing-like-it'"),
    ],
)
def test_unknown_names_name_the_nearest_in_one_line_and_end_with_1(arguments, words):
    before = (ROOT / "params.yaml").read_bytes()
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert words in result.stderr
    assert (ROOT / "params.yaml").read_bytes() == before


def test_several_near_names_are_suggested_and_long_lists_are_cut():
    text = str(unknown("cell", "a-none-s3", "here", ["a-none-s0", "a-none-s1", "b-au-s0"]))
    assert "did you mean 'a-none-s1' or 'a-none-s0'?" in text
    many = str(unknown("cell", "x", "here", [f"cell{number:03}" for number in range(MOST + 5)]))
    assert f"cell{MOST - 1:03} and 5 more" in many and f"cell{MOST:03}" not in many


def test_outside_of_the_repository_the_error_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("status")
    assert result.exit_code == 1
    assert result.stderr == "error: params.yaml: no such file\n"


def test_help_list_and_completion_import_nothing_large():
    code = (
        "import sys\nfrom fer_bench import cli\nfrom fer_bench.commands import _complete\n"
        "try:\n    cli.app(['list'], standalone_mode=False)\nfinally:\n"
        "    assert _complete.cells('') and _complete.grid_names('') and _complete.kinds('')\n"
        f"    print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    assert shell(code).strip().endswith("LOADED []")


def test_cells_of_the_active_grid_are_listed_one_a_line(here):
    cells = [cell.name for cell in grids.cells(grids.active(ROOT))]
    assert run("list", "cells").stdout.split("\n") == [*cells, ""]
    assert json.loads(run("list", "cells", "--json").stdout) == cells


def test_estimate_prints_json(here, monkeypatch):
    monkeypatch.setattr("fer_bench.cost.measured_rate", lambda *given: 1e9)
    data = json.loads(run("estimate", "--json").stdout)
    assert set(data) == {
        "grid", "trainings", "operations", "not_counted", "device", "operations_per_second", "hours"
    }  # fmt: skip
    assert data["trainings"] == len(grids.cells(grids.active(ROOT)))
    assert data["hours"] == pytest.approx(data["operations"] / 1e9 / 3600)


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_completion_script_is_made(name):
    script = shell(arguments=(), _FER_BENCH_COMPLETE=f"source_{name}")
    assert "fer-bench" in script and f"_FER_BENCH_COMPLETE=complete_{name}" in script


def completed(*words: str) -> list[str]:
    """What bash is offered after these words, of which the last is being typed."""
    given = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "_FER_BENCH_COMPLETE": "complete_bash"}
    return shell(**given).split()


def test_bash_completes_commands_cells_grids_and_kinds():
    assert completed("fer-bench", "ex") == ["explain", "export"]
    cells = sorted(cell.name for cell in grids.cells(grids.active(ROOT)))
    assert completed("fer-bench", "repro", "--cell", "synthetic-res") == [c for c in cells if "-res" in c]
    assert completed("fer-bench", "use", "sm") == ["smoke"]
    assert completed("fer-bench", "list", "gui") == ["guidance"]
    assert completed("fer-bench", "new", "m") == ["method", "metric"]


def test_the_script_works_in_a_real_bash(tmp_path):
    """What bash itself offers after TAB, by the script that is installed."""
    program = tmp_path / "fer-bench"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m fer_bench.cli "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = shell(arguments=(), _FER_BENCH_COMPLETE="source_bash")
    called = "$(complete -p fer-bench | sed 's/.*-F \\([^ ]*\\).*/\\1/') fer-bench"
    typed = f"COMP_WORDS=(fer-bench use tru); COMP_CWORD=2; {called}"
    done = subprocess.run(
        ["bash", "-c", f'{script}\n{typed}\necho "${{COMPREPLY[@]}}"'],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["trust/controls", "trust/shortcut", "trust/truth"], done.stderr


def test_completion_stays_silent_where_nothing_can_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [_complete.cells(""), _complete.trained_cells(""), _complete.scored_cells(""), _complete.grid_names("")] == [
        [], [], [], []
    ]  # fmt: skip
    (tmp_path / "params.yaml").write_text("grid: [", encoding="utf-8")
    assert _complete.cells("") == []


def test_cells_that_are_trained_or_scored_are_completed_from_their_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("results/runs/a-b-none-s0/weights/model.safetensors", "results/runs/a-b-au-s0/weights/skipped.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "results/metrics/a").mkdir(parents=True)
    (tmp_path / "results/metrics/a/a-b-au-s0.json").touch()
    assert _complete.trained_cells("a-b") == ["a-b-none-s0"]
    assert _complete.scored_cells("") == ["a-b-au-s0"]
