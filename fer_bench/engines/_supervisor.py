"""A process that runs commands for another one, its client, and ends them all when the client is gone.

Run as `python -P _supervisor.py DESCRIPTOR`; the descriptor is one end of a socket. Lines of JSON go over it: jobs and
`{"stop": true}` one way, `{"name", "status", "reason", "seconds"}` of ended jobs the other way. The end of the socket
means that the client has ended, however it did: every process group is killed, then the supervisor ends too. Should the
supervisor itself be killed, the kernel kills its children. It imports nothing but the standard library, so it is there
at once and small to fork.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

GRACE = 20.0  # seconds between asking a process to end, such as a training to save where it stands, and killing it
_OPTIONS = {"bash": ["--noprofile", "--norc"], "zsh": ["--no-rcs"], "fish": ["--no-config"]}
_PR_SET_PDEATHSIG = 1


def shell(command: str) -> list[str]:
    """Return the arguments that run a line in the user's shell without its start-up files, as DVC does."""
    executable = os.environ.get("SHELL") or "/bin/sh"
    return [executable, *_OPTIONS.get(Path(executable).name, []), "-c", command]


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Run:
    """The commands of one job, one after the other, each in a process group of its own."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.name: str = request["name"]
        self._left = list(request["commands"])
        self._folder: str = request["folder"]
        self._environment = changed(os.environ, request["variables"])
        self._started = time.monotonic()
        Path(request["log"]).parent.mkdir(parents=True, exist_ok=True)
        self._log: BinaryIO = Path(request["log"]).open("wb")  # noqa: SIM115  closed when the job ends
        self._next()

    def _next(self) -> None:
        command = self._left.pop(0)
        self._log.write(f"> {command}\n".encode())
        self._log.flush()
        self._process = subprocess.Popen(
            shell(command),
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with_parent,  # noqa: PLW1509  this process has one thread
        )

    def result(self) -> dict[str, Any] | None:
        """Return how the job ended, None while it runs."""
        status = self._process.poll()
        if status == 0 and self._left:
            self._next()
            return None
        if status is None:
            return None
        self._log.close()
        return {"name": self.name, "status": status, "reason": "", "seconds": time.monotonic() - self._started}

    def signal(self, number: int) -> None:
        """Send a signal to the running command and all processes of its group; no further command starts."""
        self._left.clear()
        with contextlib.suppress(ProcessLookupError):  # it may have ended in this moment
            os.killpg(self._process.pid, number)


def changed(environment: Any, variables: dict[str, str | None]) -> dict[str, str]:
    """Return an environment with some variables set and those that are None taken away."""
    merged = {**environment, **variables}
    return {name: value for name, value in merged.items() if value is not None}


class Supervisor:
    """Serves one client until it is gone."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._runs: list[Run] = []
        self._unread = b""
        self._deadline: float | None = None  # when processes that were asked to end are killed

    def serve(self) -> None:
        """Take jobs, report their ends."""
        woken, waker = socket.socketpair()
        for end in (woken, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while self._once(selector, woken):
                pass
        self._kill()

    def _once(self, selector: selectors.BaseSelector, woken: socket.socket) -> bool:
        """Wait for something to do and do it; False when the client is gone."""
        timeout = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        for key, _ in selector.select(timeout):
            if key.fileobj is woken:
                woken.recv(4096)
            elif not self._receive():
                return False
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            self._signal(signal.SIGKILL)
        return self._report()

    def _receive(self) -> bool:
        try:
            read = self._channel.recv(1 << 16)
        except ConnectionResetError:
            return False
        *lines, self._unread = (self._unread + read).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        return bool(read)

    def _obey(self, request: dict[str, Any]) -> None:
        if "stop" in request:
            self._signal(signal.SIGTERM)
            self._deadline = time.monotonic() + GRACE
            return
        try:
            self._runs.append(Run(request))
        except OSError as error:  # no such folder, no such shell
            self._send({"name": request["name"], "status": 127, "reason": str(error), "seconds": 0.0})

    def _report(self) -> bool:
        for run in list(self._runs):
            result = run.result()
            if result is not None:
                self._runs.remove(run)
                if not self._send(result):
                    return False
        return True

    def _send(self, reply: dict[str, Any]) -> bool:
        try:
            self._channel.sendall(json.dumps(reply).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _signal(self, number: int) -> None:
        for run in self._runs:
            run.signal(number)

    def _kill(self) -> None:
        """Kill what runs and wait until it is gone, so that a lock held by this process is held until then."""
        self._signal(signal.SIGKILL)
        while any(run.result() is None for run in self._runs):
            time.sleep(0.01)


if __name__ == "__main__":
    Supervisor(socket.socket(fileno=int(sys.argv[1]))).serve()
