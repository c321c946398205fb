"""`dvc repro` as a child process, which ends in order when this one is asked to end, and with it when it is killed."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from fer_bench.alone import left_working
from fer_bench.engines._supervisor import die_with_parent
from fer_bench.orphan import SHELLS
from fer_bench.runner.exclusive import exclusive
from fer_bench.runner.stop import Stop

GRACE = 20.0  # seconds that a stage gets to end, such as a training to save where it stands
_TICK = 0.2  # seconds between two looks at signals


def run(arguments: Sequence[str], root: Path = Path()) -> int:
    """Run `dvc repro` with these arguments; return its exit status, or 128 + the signal that ended it."""
    with exclusive(root) as lock, Stop() as stop:
        # DVC gives its lock back while a stage runs; whoever holds it for some seconds when the stage has ended must
        # not cost the work of the stage.
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", *arguments]
        child = subprocess.Popen(command, cwd=root, pass_fds=[lock], preexec_fn=die_with_parent)  # noqa: PLW1509
        while not stop.number and not _ended(child, _TICK):
            pass
        if not stop.number:
            return child.returncode if child.returncode >= 0 else 128 - child.returncode
        _end(child)
        left_working(root, GRACE)  # where DVC died before its stage
    print("stopped; the next `fer-bench repro` goes on from here")
    return 128 + stop.number


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the stage that runs to end, and wait for it and for DVC, which then ends by itself.

    DVC is asked only if it goes on with other stages (`--keep-going`): it dies at once, while it writes perhaps.
    """
    _end_stages(_below(child))
    if not _ended(child, 5 * _TICK):
        running = _below(child)
        child.terminate()
        child.wait()
        _end_stages(running)


def _end_stages(running: Sequence[psutil.Process]) -> None:
    for process in _stages(running):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(running, timeout=GRACE)


def _below(child: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes that a process has started, directly or not."""
    try:
        return list(psutil.Process(child.pid).children(recursive=True))
    except psutil.NoSuchProcess:  # the same signal has ended it
        return []


def _stages(running: Sequence[psutil.Process]) -> list[psutil.Process]:
    """The processes right below the shells that DVC starts: loader workers and the like are ended by theirs."""
    below = {process.pid for process in running if _name(process) not in SHELLS}
    return [process for process in running if process.pid in below and _parent(process) not in below]


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def _ended(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a process to end, for so long at most."""
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
