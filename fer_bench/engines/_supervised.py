"""Jobs run by a supervisor process, which ends them when this process is gone."""

import json
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fer_bench.engines import _supervisor
from fer_bench.engines.base import Job, Result
from fer_bench.errors import InputError

_SENT = ("name", "commands", "folder", "log", "variables")


class Supervised:
    """A supervisor process and the socket to it."""

    def __init__(self, kept: Sequence[int] = ()) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, "-P", _supervisor.__file__, str(theirs.fileno())]
        # A session of its own: Ctrl-C in the terminal reaches the driver alone, which then ends the jobs in order.
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno(), *kept], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        self._unread = b""
        self._running: set[str] = set()

    def submit(self, job: Job) -> None:
        """Start a job."""
        self._running.add(job.name)
        self._send({name: value for name, value in asdict(job).items() if name in _SENT})

    def wait(self, timeout: float | None) -> list[Result]:
        """Return the jobs that have ended; wait for at most `timeout` seconds, None: until one ends.

        Raises:
            InputError: the supervisor was killed, and with it every job.
        """
        if not select.select([self._channel], [], [], timeout)[0]:
            return []
        read = self._channel.recv(1 << 16)
        if not read:
            count = len(self._running)
            self._running.clear()
            raise InputError(f"the process that ran {count} stages was killed (status {self._process.wait()})")
        *lines, self._unread = (self._unread + read).split(b"\n")
        results = [Result(**json.loads(line)) for line in lines]
        self._running -= {result.name for result in results}
        return results

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return bool(self._running)

    def cancel(self) -> None:
        """Ask every job to end, kill those that do not, return when none is left."""
        if not self._running:
            return
        self._send({"stop": True})
        while self._running:
            self.wait(None)

    def close(self) -> None:
        """End the supervisor and whatever still runs."""
        self._channel.close()
        self._process.wait()

    def _send(self, message: dict[str, object]) -> None:
        self._channel.sendall(json.dumps(message).encode() + b"\n")


def execute(job: Job) -> Result:
    """Run one job here and now, from a clean start: what an earlier, broken run of it left behind is removed."""
    for path in map(Path, job.outputs):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    supervised = Supervised()
    try:
        supervised.submit(job)
        return supervised.wait(None)[0]
    finally:
        supervised.close()
