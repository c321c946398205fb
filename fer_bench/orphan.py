"""A stage ends with the process that runs the pipeline: a killed `dvc repro` leaves no training behind.

Between the two stand shells, which outlive their parent; so the first ancestor that is no shell is watched. Where the
launcher of stages has told which that is, it may have ended before this process could look.
"""

import os
import select
import signal
import sys
import threading
from pathlib import Path

SHELLS = {"sh", "dash", "bash", "zsh", "busybox", "ash"}
TOLD = "FER_BENCH_PIPELINE"  # set by stages/run.sh: the number of that ancestor
GRACE = 10.0  # seconds to end by itself before it is killed
_PROC = Path("/proc")


def end_with_pipeline() -> None:
    """Watch whoever runs the pipeline from a thread; where the system cannot tell (no /proc), do nothing.

    Ends this process at once when the pipeline has ended already.
    """
    watched = pipeline()
    if watched is None:
        return
    try:
        handle = os.pidfd_open(watched)
    except ProcessLookupError:
        _end(watched)
    except (AttributeError, OSError):  # another system, or an old kernel
        return
    else:
        threading.Thread(target=_wait, args=(handle, watched), name="pipeline", daemon=True).start()


def pipeline() -> int | None:
    """Process number of the first ancestor that is no shell; None where it cannot be told, or is that of init."""
    told = os.environ.get(TOLD, "")
    if told.isdecimal():
        return int(told) if int(told) > 1 else None
    number = os.getppid()
    while number > 1 and _name(number) in SHELLS:
        number = _parent(number)
    return number if number > 1 and _name(number) else None


def _wait(handle: int, watched: int) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll()
    _end(watched)


def _end(watched: int) -> None:
    print(f"error: process {watched}, which ran the pipeline, has ended; this stage ends too", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


def _name(number: int) -> str:
    try:
        return (_PROC / str(number) / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _parent(number: int) -> int:
    try:
        fields = (_PROC / str(number) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[1])
