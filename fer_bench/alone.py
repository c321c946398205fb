"""One process at a time does the work of a stage: the stage of a killed run is waited for before its work starts again.

DVC's own lists know only its own processes. A training whose `dvc` was killed takes seconds to save where it stands,
and another one must not write to the same files meanwhile.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_bench.errors import InputError

FOLDER = Path(".dvc/tmp/fer-bench/stages")
PATIENCE = 30.0  # seconds that an earlier process gets to end


@contextmanager
def alone(stage: str, name: str, root: Path = Path()) -> Iterator[None]:
    """Hold the lock of a stage's work; the kernel frees it when this process and those forked by it have ended.

    Outside of a DVC repository there is nothing to hold, and of processes that train together the first one holds it.

    Raises:
        InputError: another process does this work and goes on with it.
    """
    if not (root / ".dvc").is_dir() or os.environ.get("RANK", "0") != "0":
        yield
        return
    path = root / FOLDER / f"{stage}-{name.replace('/', '_')}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _hold(descriptor, f"{stage} {name}")
        yield
    finally:
        os.close(descriptor)


def busy(root: Path) -> list[str]:
    """Return the work that goes on in a repository, as `train-CELL (process 123)`."""
    found = []
    for path in sorted((root / FOLDER).glob("*.lock")):
        descriptor = os.open(path, os.O_RDWR)
        if not _taken(descriptor):
            found.append(f"{path.stem} (process {_holder(descriptor)})")
        os.close(descriptor)
    return found


def left_working(root: Path, seconds: float) -> list[str]:
    """Wait until no stage works any more, for so long at most; return those that still do."""
    deadline = time.monotonic() + seconds
    while (working := busy(root)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return working


def _hold(descriptor: int, work: str) -> None:
    deadline, told = time.monotonic() + PATIENCE, False
    while not _taken(descriptor):
        who = f"process {_holder(descriptor)}"
        if time.monotonic() > deadline:
            raise InputError(f"{work}: {who} does this work already; wait for it, or end it, then run again")
        if not told:
            print(f"{work}: waiting for {who}, which does this work too", file=sys.stderr)
            told = True
        time.sleep(0.1)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _taken(descriptor: int) -> bool:
    """Take the lock if it is free; a file system without locks has none to wait for."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode() or "unknown"
