"""Runs that are ended, killed, or started twice: nothing is left behind, the next one goes on to the same bits."""

import signal
import subprocess
import sys
import time

import pytest
from small_pipeline import EVALUATE, TRAIN, WAYS, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LATER = 2_000_000  # the number of a state in the second epoch; there are twelve


def goes_on(pipeline, undisturbed, way="dvc repro"):
    """Run again, and see that it did not begin anew and ends with the undisturbed bits."""
    before = pipeline.states()
    started = pipeline.start(*WAYS[way], "train")
    seen: set[int] = set()
    while started.poll() is None:
        seen |= set(pipeline.states())
        time.sleep(0.02)
    assert started.returncode == 0, started.communicate()[0]
    assert min(seen | {LATER * 10}) >= min(before or [0])
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)
    assert not pipeline.states() and not pipeline.processes()


def begun(pipeline, way):
    started = pipeline.start(*WAYS[way], "train")
    until(lambda: max(pipeline.states(), default=0) > LATER)
    return started


@pytest.mark.parametrize("whole", [False, True], ids=["one process", "every process"])
@pytest.mark.parametrize("way", WAYS)
def test_sigterm_saves_leaves_nothing_and_the_next_run_goes_on(pipeline, undisturbed, way, whole):
    started = begun(pipeline, way)
    before = max(pipeline.states())
    code, output = (started.session if whole else started.ended)(signal.SIGTERM)
    assert code == (-signal.SIGTERM if way == "dvc repro" else 143)
    until(lambda: not pipeline.processes(), 15)
    assert pipeline.states() and max(pipeline.states()) >= before
    assert "goes on from here" in output and "Traceback" not in output
    goes_on(pipeline, undisturbed, way)


def test_a_training_alone_takes_sigterm(pipeline, undisturbed):
    started = begun(pipeline, "dvc repro")
    (training,) = pipeline.trainings()
    training.terminate()
    output = started.communicate(timeout=120)[0]
    assert started.returncode != 0 and "stopped by SIGTERM; the next run goes on from here" in output
    goes_on(pipeline, undisturbed)


@pytest.mark.parametrize("way", ["fer-bench repro", "dvc repro"])
def test_ctrl_c_saves_as_sigterm_does(pipeline, undisturbed, way):
    started = begun(pipeline, way)
    code, output = started.session(signal.SIGINT)  # a terminal signals every process
    assert code == (130 if way == "fer-bench repro" else 255)
    until(lambda: not pipeline.processes(), 15)
    assert "stopped by SIGTERM; the next run goes on from here" in output and "Traceback" not in output
    goes_on(pipeline, undisturbed, way)


@pytest.mark.parametrize("way", WAYS)
def test_kill_leaves_no_process_and_the_next_run_need_not_wait(pipeline, undisturbed, way):
    """The next run starts at once, while the training of the killed one still ends."""
    started = begun(pipeline, way)
    started.kill()
    started.wait()
    goes_on(pipeline, undisturbed, way)


@pytest.mark.parametrize("way", ["dvc repro", "fer-bench repro -j 2"])
def test_a_killed_loader_worker_is_one_line(pipeline, undisturbed, way):
    started = begun(pipeline, way)
    (training,) = pipeline.trainings()
    training.children()[0].kill()
    output = started.communicate(timeout=120)[0]
    assert started.returncode != 0
    assert "a worker process was killed" in output and "run the same command again" in output
    assert "Traceback" not in output
    goes_on(pipeline, undisturbed, way)


MESSAGES = {
    ("dvc repro", "dvc repro"): "is busy, it is being blocked by",
    (
        "dvc repro",
        "fer-bench repro",
    ): "another run, such as `dvc repro`, works in this repository: train-",
    ("dvc repro", "fer-bench repro -j 2"): "another run, such as `dvc repro`, works in this repository: train-",
    ("fer-bench repro", "dvc repro"): "is busy, it is being blocked by",
    ("fer-bench repro", "fer-bench repro -j 2"): "another `fer-bench repro` works in this repository (process ",
    ("fer-bench repro -j 2", "dvc repro"): "is busy, it is being blocked by",
    ("fer-bench repro -j 2", "fer-bench repro -j 2"): "another `fer-bench repro` works in this repository (process ",
}


@pytest.mark.parametrize(("first", "second"), MESSAGES)
def test_of_two_at_once_the_second_is_refused_and_the_first_loses_nothing(pipeline, undisturbed, first, second):
    started = begun(pipeline, first)
    (training,) = pipeline.trainings()
    training.suspend()  # the second waits fifteen seconds for the first
    code, output = pipeline.result(*WAYS[second], "train")
    training.resume()
    assert code != 0 and MESSAGES[first, second] in output
    assert "Traceback" not in output
    assert started.communicate(timeout=300)[0] and started.returncode == 0
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)
    assert "Running stage" not in pipeline.run("dvc", "repro", "train")


KILLED_WRITING = """
import os, signal, sys
import dvc.utils.serialize._yaml as words
dump = words._dump
def killed(data, stream):
    if "train@" in str(data):  # dvc.lock has been opened, and so emptied, and nothing is written yet
        os.kill(os.getpid(), signal.SIGKILL)
    return dump(data, stream)
words._dump = killed
from dvc.cli import main
sys.exit(main(["repro", "train"]))
"""


def killed_writing_the_lock(pipeline):
    pipeline.run("fer_bench.cli", "repro", "heatmaps")  # which keeps a copy of dvc.lock
    code = subprocess.run(
        [sys.executable, "-c", KILLED_WRITING],
        cwd=pipeline.folder,
        env=pipeline.environment,
        capture_output=True,
        check=False,
    ).returncode
    assert code == -signal.SIGKILL
    assert (pipeline.folder / "dvc.lock").stat().st_size == 0


def test_dvc_killed_while_it_writes_its_lock_is_cured_by_the_next_run(pipeline, undisturbed):
    killed_writing_the_lock(pipeline)
    output = pipeline.run("fer_bench.cli", "repro", "train")
    assert "dvc.lock: cannot be read; restored from the copy of its last good state" in output
    assert "Running stage 'landmarks" not in output
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)


def test_bare_dvc_is_cured_by_one_line(pipeline, undisturbed):
    """The line of docs/reliability.md."""
    killed_writing_the_lock(pipeline)
    (pipeline.folder / "dvc.lock").unlink()
    output = pipeline.run("dvc", "repro", "train")
    assert "Running stage 'landmarks" not in output  # its outputs come from the run-cache
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)


def test_a_lock_held_for_long_costs_no_work(pipeline):
    """DVC needs its lock when a stage has ended; a bare `dvc repro` gives up after three seconds, ours waits."""
    hold = "from dvc.repo import Repo; import sys\nwith Repo('.').lock: print(flush=True); sys.stdin.read()"
    started = pipeline.start("fer_bench.cli", "repro", "train")
    until(pipeline.states)
    holder = subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=pipeline.folder,
        env=pipeline.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    until(lambda: not pipeline.trainings())
    time.sleep(6)
    holder.communicate()
    assert started.communicate(timeout=120)[0] and started.returncode == 0
    assert TRAIN in pipeline.locked and EVALUATE not in pipeline.locked
