"""One run at a time in a repository, and nothing left by a killed one in its way."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_bench import alone
from fer_bench.errors import InputError
from fer_bench.runner import lock_file

FOLDER = Path(".dvc/tmp/fer-bench")  # ignored by git through DVC's own .gitignore
LOCK = Path("dvc.lock")
BACKUP = FOLDER / "dvc.lock.backup"
_RWLOCK = Path(".dvc/tmp/rwlock")
_PATIENCE = 15.0  # seconds that the processes of a killed run get to end


@contextmanager
def exclusive(root: Path = Path()) -> Iterator[int]:
    """Hold the lock of runs and repair what a kill may have left; yield the descriptor through which it is held.

    The kernel frees the lock when the last process that holds the descriptor has ended, so it is never deleted by hand.

    Raises:
        InputError: this is no DVC repository, another run holds the lock, or dvc.lock is beyond repair.
    """
    if not (root / ".dvc").is_dir():
        raise InputError(f"{root.resolve()}: no DVC repository; run this in the root of fer-bench")
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / FOLDER / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor)
        _await_stages(root)
        for line in _repair(root):
            print(line)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise InputError(
                    f"another `fer-bench repro` works in this repository (process {_holder(descriptor)}); "
                    "wait for it, or stop it with Ctrl-C"
                ) from None
            time.sleep(0.1)
        else:
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return


def _await_stages(root: Path) -> None:
    """Wait for stages that a killed run has left behind; a bare `dvc repro` has some too."""
    working = alone.left_working(root, _PATIENCE)
    if working:
        raise InputError(
            f"another run, such as `dvc repro`, works in this repository: {', '.join(working)}; wait for it, or stop "
            "it with Ctrl-C"
        )


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode() or "unknown"


def _repair(root: Path) -> list[str]:
    """Repair dvc.lock and DVC's list of files in use, which DVC does not write in one step; say what was done."""
    lines = [lock_file.restore(root / LOCK, root / BACKUP), _without_broken_list(root / _RWLOCK)]
    return [line for line in lines if line]


def _without_broken_list(path: Path) -> str:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except json.JSONDecodeError:
        path.unlink()
        return f"{path}: half-written by a killed run; removed"
    return ""
