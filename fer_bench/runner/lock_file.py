"""dvc.lock, written as a whole and in one step, with a copy of its last good state."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.utils.serialize import YAMLFileCorruptedError, dumps_yaml, parse_yaml
from voluptuous import Invalid

from fer_bench.errors import InputError

_PAUSE = 2.0  # seconds between two writes, at least
_SHARE = 0.1  # of the time of a run that may go into writing


class LockFile:
    """The states of stages in dvc.lock; new ones are collected and written in batches.

    A kill at any moment leaves the old file or the new one. What a batch had not yet written is in DVC's run-cache: the
    next run takes it from there.
    """

    def __init__(self, path: Path, backup: Path) -> None:
        """Read the file; `backup` is on the same file system."""
        self._path, self._backup = path, backup
        self._content = _read(path) if path.is_file() else {}
        self._texts: dict[str, str] = {}  # stage -> its lines; putting them into words takes longer than all the rest
        self._dirty = False
        self._next = 0.0  # time from which on the next batch may be written

    def record(self, name: str, entry: Mapping[str, Any]) -> None:
        """Take the new state of a stage, as DVC would write it."""
        stages = self._content.setdefault("stages", {})
        if stages.get(name) != entry:
            stages[name] = entry
            self._texts.pop(name, None)
            self._dirty = True

    def write(self, now: bool = False) -> None:
        """Write what is new; unless `now`, not before enough time has gone by since the last write."""
        started = time.monotonic()
        if self._dirty and (now or started >= self._next):
            text = self._text()
            _replace(self._path, text, self._backup.with_suffix(".new"))
            _replace(self._backup, text, self._backup.with_suffix(".new"))
            self._dirty = False
            ended = time.monotonic()
            self._next = ended + max(_PAUSE, (ended - started) / _SHARE)

    def _text(self) -> str:
        """Return what `dumps_yaml` makes of the whole; lines of stages that have not changed are not made again."""
        stages = self._content["stages"]
        for name in stages.keys() - self._texts.keys():
            self._texts[name] = dumps_yaml({"stages": {name: stages[name]}}).partition("\n")[2]
        above = {name: value for name, value in self._content.items() if name != "stages"}
        return dumps_yaml({"schema": "2.0", **above}) + "stages:\n" + "".join(self._texts[name] for name in stages)


def restore(path: Path, backup: Path) -> str:
    """Put the last good state in the place of a damaged dvc.lock and keep a copy of a good one.

    Returns:
        One line about what was done; empty when dvc.lock is good or absent.

    Raises:
        InputError: it is damaged and there is no good copy, or it holds the marks of a merge.
    """
    if not path.is_file():
        return ""
    damage = _damage(path)
    backup.parent.mkdir(parents=True, exist_ok=True)
    if not damage:
        _replace(backup, path.read_text(encoding="utf-8"), backup.with_suffix(".new"))
        return ""
    if b"<<<<<<<" in path.read_bytes():
        raise InputError(f"{path}: holds the marks of an unfinished merge; finish it, or `git restore {path.name}`")
    if not backup.is_file() or _damage(backup):
        raise InputError(f"{path}: {damage}, and there is no copy of it; `git restore {path.name}` brings one back")
    shutil.copyfile(path, backup.with_suffix(".damaged"))
    _replace(path, backup.read_text(encoding="utf-8"), backup.with_suffix(".new"))
    return f"{path.name}: {damage}; restored from the copy of its last good state"


def _read(path: Path) -> dict[str, Any]:
    content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    COMPILED_LOCKFILE_SCHEMA(content)
    return dict(content)


def _damage(path: Path) -> str:
    """Say what is wrong with a lock file; empty when nothing is."""
    try:
        return "" if _read(path) else "empty"
    except (YAMLFileCorruptedError, UnicodeDecodeError, Invalid):
        return "cannot be read"


def _replace(path: Path, text: str, scratch: Path) -> None:
    """Write a file through a scratch file, so that it is never seen half-written, not even after a power cut."""
    with scratch.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(scratch, path)  # noqa: PTH105  the atomic call itself
