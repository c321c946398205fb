"""MLflow's own servers on this machine: started, waited for, ended with everything that they started."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 240  # until a server answers; a busy machine needs one minute
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "DO_NOT_TRACK": "true"}
ROOT = Path(__file__).parent.parent


@contextmanager
def serving(folder: Path, arguments: list[str], ping: str) -> Iterator[str]:
    """Run `mlflow ARGUMENTS` in a folder, give its address once the page `ping` answers, and end it."""
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT)}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(process, f"{address}{ping}", folder / "server.log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  our own address
                return
        except OSError as error:
            ended = process.poll() is not None
            if ended or time.monotonic() > end:
                raise AssertionError(f"{address}: {error}; {log.read_text(errors='replace')[-2000:]}") from error
        time.sleep(0.5)
