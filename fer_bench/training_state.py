"""Where a training stood, on disk: written whole or not at all, checked when read, the one before it kept.

A file is a line of JSON with the length and SHA-256 of what follows, then what `torch.save` makes of the state. It is
written under another name, brought to the disk and renamed; a damaged one is told and the one before it is used.
"""

import hashlib
import io
import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

KEPT = 2  # files of a training: the last one, and one more in case it cannot be read
SUFFIX = ".state"


class TrainingState:
    """The states of one training in a folder of its own; the folder's name holds what must not differ to go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, state: dict[str, Any], number: int) -> None:
        """Write a state; `number` grows along a training, for instance the steps done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        torch.save(state, content)
        body = content.getvalue()
        head = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        partial = self.folder / f"{number:012d}.partial"
        with partial.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path(number))
        _sync(self.folder)
        for old in self._paths()[KEPT:]:
            old.unlink(missing_ok=True)

    def load(self) -> dict[str, Any] | None:
        """Read the last state that is whole; None where there is none. Each that is not is named on stderr."""
        for path in self._paths():
            try:
                return _read(path)
            except (OSError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
                reason = str(error).splitlines()[0]
                print(f"warning: {path}: damaged ({reason}); the state before it is used", file=sys.stderr)
        return None

    def clear(self) -> None:
        """Remove all of them: the training is done."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}{SUFFIX}"

    def _paths(self) -> list[Path]:
        """The last one first."""
        return sorted(self.folder.glob(f"*{SUFFIX}"), reverse=True)


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        head = json.loads(file.readline())
        body = file.read()
    if len(body) != head["bytes"]:
        raise ValueError(f"{len(body)} of {head['bytes']} bytes")
    if hashlib.sha256(body).hexdigest() != head["sha256"]:
        raise ValueError("its checksum is another one")
    state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    return state


def _sync(folder: Path) -> None:
    """Bring the names of a folder to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
