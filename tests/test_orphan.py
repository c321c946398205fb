"""A stage ends with the process that runs the pipeline, shells between them or not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_bench import orphan

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells when another process ends")

STAGE = """
import os, sys, time
from pathlib import Path
from fer_bench.orphan import end_with_pipeline
end_with_pipeline()
Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""
PIPELINE = """
import subprocess, sys
subprocess.run(sys.argv[1], shell=True)
"""


def alive(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("command", ["exec {run}", "sh -c '{run}; true'; true", "{run}"])
def test_it_ends_when_the_pipeline_is_killed(command, tmp_path):
    script, told = tmp_path / "stage.py", tmp_path / "number"
    script.write_text(STAGE)
    run = command.format(run=f"{sys.executable} {script} {told}")
    pipeline = subprocess.Popen([sys.executable, "-c", PIPELINE, run], stderr=subprocess.DEVNULL)
    assert wait_for(lambda: told.is_file() and told.read_text())
    stage = int(told.read_text())
    try:
        assert alive(stage)
        pipeline.send_signal(signal.SIGKILL)
        pipeline.wait()
        assert wait_for(lambda: not alive(stage))
    finally:
        if alive(stage):
            os.kill(stage, signal.SIGKILL)


def test_it_does_not_begin_when_the_pipeline_has_ended_before_it_looked(tmp_path, monkeypatch):
    """As in the seconds that a stage spends on imports."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    script, told = tmp_path / "stage.py", tmp_path / "number"
    script.write_text(STAGE)
    environment = {**os.environ, orphan.TOLD: str(ended.pid)}
    done = subprocess.run(
        [sys.executable, script, told], env=environment, check=False, capture_output=True, text=True, timeout=50
    )
    assert done.returncode == -signal.SIGTERM
    assert f"process {ended.pid}, which ran the pipeline, has ended" in done.stderr
    assert not told.exists()


@pytest.mark.parametrize("command", ["{run}", "sh -c '{run}; true'; true"])
def test_the_launcher_tells_who_runs_the_pipeline(command, tmp_path):
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "told.py").write_text(f"import os; print(os.environ['{orphan.TOLD}'])")
    run = f"sh {ROOT / 'stages' / 'run.sh'} told"
    environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable}
    done = subprocess.run(  # noqa: S602
        command.format(run=run), shell=True, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout.strip() == str(os.getpid()), done.stderr


def test_shells_are_passed_over(tmp_path):
    asked = f"import os; from fer_bench.orphan import pipeline; print(pipeline() == {os.getpid()})"
    done = subprocess.run(  # noqa: S602
        f"sh -c '{sys.executable} -c \"{asked}\"; true'; true", shell=True, check=False, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr


def test_where_the_system_does_not_tell_nothing_is_watched(monkeypatch, tmp_path):
    monkeypatch.setattr(orphan, "_PROC", tmp_path)
    assert orphan.pipeline() is None
    orphan.end_with_pipeline()
