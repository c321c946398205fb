"""Loader workers leave the wish to end to the training that started them, which saves where it stands before.

Schedulers, and terminals on Ctrl-C, signal every process of a job. A worker of torch dies of that, and the training of
the worker's death, in the midst of a step.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKED = (signal.SIGTERM, signal.SIGINT)
_sparing: list[bool] = []  # one for every `workers_spared` that this process is in


@contextmanager
def workers_spared() -> Iterator[None]:
    """Let processes forked inside end when this one asks them to, and not when others do."""
    _sparing.append(True)
    try:
        yield
    finally:
        _sparing.pop()


def _listen() -> None:
    if _sparing:
        signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
        threading.Thread(target=_obey_parent, name="signals", daemon=True).start()


def _obey_parent() -> None:
    parent = os.getppid()
    while signal.sigwaitinfo(_ASKED).si_pid != parent:
        pass
    os._exit(0)


if hasattr(signal, "sigwaitinfo"):  # not on macOS, whose workers are not forked either
    os.register_at_fork(after_in_child=_listen)
