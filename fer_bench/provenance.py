"""What produced a result, kept beside the results and never inside a declared output."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from fer_bench.cells import PROVENANCE

PACKAGES = ("torch", "torchvision", "timm", "numpy", "opencv-python-headless", "dvc", "mlflow", "fer_bench")


@contextmanager
def recorded(stage: str, name: str) -> Iterator[None]:
    """Write results/provenance/STAGE/NAME.json when the work inside has ended, well or not."""
    start = time.time()
    state = "failed"
    try:
        yield
        state = "done"
    finally:
        record = {"stage": stage, "name": name, "state": state, "started": start, "seconds": time.time() - start}
        if os.environ.get("RANK", "0") == "0":  # of processes that train together the first one writes
            _note(PROVENANCE / stage / f"{name}.json", {**record, **surroundings()})


def _note(path: Path, record: dict[str, object]) -> None:
    """Write a record; that it cannot be written must neither cost the results nor hide why the work has failed."""
    try:
        write(path, record)
    except OSError as error:
        print(f"warning: {path}: {error.strerror or error}; the results do not need it", file=sys.stderr)


def write(path: Path, record: dict[str, object]) -> None:
    """Write a record as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def surroundings() -> dict[str, object]:
    """Commit, hash of dvc.lock, versions of packages, machine, device and the threads that torch uses (0: no torch)."""
    return {
        "commit": git_commit(),
        "dvc_lock": _sha256(Path("dvc.lock")),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "device": _device(),
        "threads": _threads(),
    }


def git_commit() -> str:
    """Return the commit of the working tree, with `-dirty` when it differs, or an empty string outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _device() -> str:
    """Name of the accelerator, if torch is loaded and sees one; never loads torch for it."""
    torch = sys.modules.get("torch")
    return str(torch.cuda.get_device_name()) if torch and torch.cuda.is_available() else "cpu"


def _threads() -> int:
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else 0
