"""Engines and the parts of the runner that need no repository: order of stages, progress, GPUs, supervised commands."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from dvc.stage.run import _make_cmd, get_executable
from pydantic import ValidationError

from fer_bench.engines import _gpus, local, slurm
from fer_bench.engines._supervised import Supervised, execute
from fer_bench.engines._supervisor import shell
from fer_bench.engines.base import Job, Resources, Result, await_files
from fer_bench.errors import InputError
from fer_bench.params import parse
from fer_bench.runner import progress
from fer_bench.runner.board import duration
from fer_bench.runner.graph import Graph

DIAMOND = {"plan": [], "a": ["plan"], "b": ["plan", "elsewhere"], "sum": ["a", "b"], "other": ["plan"]}


def job(folder: Path, *commands: str, name: str = "one", **more: object) -> Job:
    return Job(name, list(commands), str(folder), str(folder / "log" / f"{name}.log"), **more)  # type: ignore[arg-type]


def test_stages_come_in_the_order_of_the_plan_as_soon_as_their_needs_are_done():
    graph = Graph(DIAMOND)
    assert [graph.take(), graph.take()] == ["plan", None]
    graph.done("plan")
    assert [graph.take(), graph.take()] == ["a", "b"]
    graph.done("b")
    assert [graph.take(), graph.take()] == ["other", None]
    graph.done("a")
    assert [graph.take(), graph.take()] == ["sum", None]


def test_failure_blocks_what_depends_on_it_and_nothing_else():
    graph = Graph(DIAMOND)
    graph.take()
    graph.done("plan")
    assert graph.failed(graph.take() or "") == ["sum"]
    assert [graph.take(), graph.take(), graph.take()] == ["b", "other", None]
    graph.done("b")
    assert graph.take() is None
    assert graph.blocked == {"sum": "a"}
    assert Graph(DIAMOND).failed("plan") == ["a", "b", "sum", "other"]


def test_time_left_by_hand(monkeypatch):
    """Two kinds, two slots: 3 of 4 `train` left at 10 s on average, one of them 4 s old; `sum` as the average."""
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    seen = progress.Progress(["train@a", "train@b", "train@c", "train@d", "sum"], slots=2)
    assert seen.seconds_left() is None
    seen.begin("train@a")
    seen.end("train@a", True, 10.0)
    seen.begin("train@b")
    clock[0] += 4.0
    assert seen.seconds_left() == (6 + 10 + 10 + 10) / 2
    seen.end("train@b", False, 4.0)
    seen.kinds["sum"].blocked += 1
    assert [seen.total(what) for what in ("done", "failed", "blocked", "left")] == [1, 1, 1, 2]
    assert seen.seconds_left() == 10


@pytest.mark.parametrize(
    ("seconds", "shown"), [(4.25, "4.2 s"), (59.96, "60.0 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown


def test_gpus_are_whole_or_shared():
    gpus = _gpus.Gpus(["0", "1"])
    assert gpus.take("half", 0.5) == ["0"]
    assert gpus.take("other half", 0.5) == ["0"]
    assert gpus.take("whole", 1) == ["1"]
    assert gpus.take("waits", 0.5) is None
    assert gpus.take("none", 0) == []
    gpus.give_back("half")
    assert gpus.take("both", 2) is None
    assert gpus.take("waits", 0.5) == ["0"]
    for name in ("other half", "whole", "waits"):
        gpus.give_back(name)
    assert gpus.take("more than there are", 8) == ["0", "1"]


def test_without_gpus_nothing_is_handed_out(monkeypatch):
    assert _gpus.Gpus([]).take("train", 1) == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert _gpus.visible() == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1, GPU-2")
    assert _gpus.visible() == ["GPU-1", "GPU-2"]


def test_gpus_are_found_by_the_driver_tool(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho GPU-aa\necho GPU-bb\n")
    tool.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert _gpus.visible() == ["GPU-aa", "GPU-bb"]
    tool.write_text("#!/bin/sh\necho no driver >&2\nexit 9\n")
    assert _gpus.visible() == []


@pytest.mark.parametrize("name", ["/bin/sh", "/bin/bash", "/usr/bin/zsh", "/opt/bin/dash", ""])
def test_shell_is_called_as_dvc_calls_it(monkeypatch, name):
    monkeypatch.setenv("SHELL", name)
    assert shell("a && b") == _make_cmd(get_executable(), "a && b")


def test_commands_run_one_after_the_other_in_their_folder_with_their_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("GONE", "x")
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "over").write_text("of a broken run")
    variables = {"GIVEN": "y", "GONE": None}
    lines = ['echo "$GIVEN${GONE-none}" > made', "test ! -e left", "exit 4", "touch never"]
    result = execute(job(tmp_path, *lines, variables=variables, outputs=[str(tmp_path / "left")]))
    assert (result.name, result.status) == ("one", 4)
    assert (tmp_path / "made").read_text() == "ynone\n"
    assert not (tmp_path / "never").exists()
    assert (tmp_path / "log/one.log").read_text().splitlines() == [f"> {line}" for line in lines[:3]]


def test_folder_that_is_not_there_is_a_failure_of_that_job(tmp_path):
    result = execute(Job("one", ["true"], str(tmp_path / "no"), str(tmp_path / "one.log")))
    assert result.status == 127
    assert "No such file" in result.reason


def test_processes_that_ignore_the_request_to_end_are_killed(tmp_path):
    supervised = Supervised()
    supervised.submit(job(tmp_path, "trap '' TERM; touch ready; while true; do sleep 0.1; done"))
    while not (tmp_path / "ready").exists():
        time.sleep(0.02)
    started = time.monotonic()
    supervised.cancel()
    supervised.close()
    assert time.monotonic() - started > 4  # the time that it was given


def test_a_killed_supervisor_is_an_error_and_its_commands_end(tmp_path):
    supervised = Supervised()
    supervised.submit(job(tmp_path, "exec sh -c 'echo $$ > pid; exec sleep 300'"))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        time.sleep(0.02)
    supervised._process.kill()
    with pytest.raises(InputError, match="was killed"):
        supervised.wait(30)
    supervised.cancel()
    pid = (tmp_path / "pid").read_text().strip()
    for _ in range(100):
        if subprocess.run(["kill", "-0", pid], stderr=subprocess.DEVNULL, check=False).returncode:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the command outlived its supervisor")


def test_files_that_come_late_are_waited_for(tmp_path):
    late = tmp_path / "late"
    threading.Timer(0.3, late.touch).start()
    assert await_files([str(late)], 10) == []
    assert await_files([str(late), str(tmp_path / "never")], 0.2) == [str(tmp_path / "never")]


def test_what_a_stage_asks_for_in_the_words_of_slurm():
    asked = Job("train@a", ["x"], "/", "/l", resources=Resources(cpus=4, gpus=0.5, memory_gb=16, hours=1.51))
    settings = slurm.Settings(partition="gpu", options={"qos": "long"})
    assert slurm.parameters(asked, settings) == {
        "name": "train@a", "cpus_per_task": 4, "timeout_min": 91, "gpus_per_node": 1, "mem_gb": 16,
        "slurm_partition": "gpu", "slurm_additional_parameters": {"qos": "long"},
    }  # fmt: skip
    plain = slurm.parameters(Job("sum", ["x"], "/", "/l"), slurm.Settings())
    assert plain == {"name": "sum", "cpus_per_task": 1, "timeout_min": 1440}


def test_jobs_of_a_killed_run_are_cancelled_before_the_next(tmp_path, monkeypatch):
    for name, text in {"scancel": 'echo "$@" > cancelled', "squeue": "test -e asked || echo 11; touch asked"}.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\ncd {tmp_path}\n{text}\n")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(slurm, "_LOOK", 0.01)
    ledger = tmp_path / "submitted.json"
    slurm._end_left_over(ledger)
    assert not (tmp_path / "cancelled").exists()
    ledger.write_text('["11", "12"]')
    slurm._end_left_over(ledger)
    assert (tmp_path / "cancelled").read_text() == "11 12\n"


def test_slurm_jobs_report_how_they_ended(tmp_path):
    """Submitit's stand-in for Slurm: the same submission, pickling and polling, processes of this machine."""
    pytest.importorskip("submitit", reason="the extra `cluster` is not installed")
    with slurm.Engine(slurm.Settings(cluster="local"), 2, tmp_path) as engine:
        engine.submit(job(tmp_path, "echo done > made", name="good", outputs=[str(tmp_path / "made")]))
        engine.submit(job(tmp_path, "exit 5", name="bad"))
        ended: list[Result] = []
        while len(ended) < 2:
            ended += engine.wait(5)
    assert {result.name: result.status for result in ended} == {"good": 0, "bad": 5}
    assert (tmp_path / "made").read_text() == "done\n"
    assert (tmp_path / "slurm" / "submitted.json").read_text() == "[]"


def test_slurm_without_its_commands_says_where_to_run(tmp_path):
    pytest.importorskip("submitit", reason="the extra `cluster` is not installed")
    if shutil.which("sbatch"):
        pytest.skip("Slurm is installed here")
    with pytest.raises(InputError, match=r"engine slurm: .*sbatch"):
        slurm.Engine(slurm.Settings(), 2, tmp_path)


@pytest.mark.parametrize(("extra", "engine"), [("ray", "ray"), ("submitit", "slurm")])
def test_missing_extra_is_named(tmp_path, monkeypatch, extra, engine):
    from fer_bench import registry

    monkeypatch.setitem(sys.modules, extra, None)
    plugin = registry.plugin("engines", engine)
    with pytest.raises(InputError, match=f"engine {engine}: .*cluster"):
        plugin(registry.settings("engines", engine)(), 2, tmp_path)


def test_resources_come_from_the_params(raw_params):
    assert parse(raw_params).resources["train"] == Resources(gpus=1)
    on_cpu = {**raw_params, "runtime": {**raw_params["runtime"], "device": "cpu"}}
    assert parse(on_cpu).resources["train"] == Resources(gpus=0)
    with pytest.raises(InputError, match=r"resources\.train.*gpu"):
        parse({**raw_params, "resources": {"train": {"gpu": 1}}})
    with pytest.raises(InputError, match=r"engines\.ray.*retries"):
        parse({**raw_params, "engines": {"ray": {"retries": -1}}})
    with pytest.raises(ValidationError):
        local.Settings(address="x")
