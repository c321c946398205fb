"""Hashes of stage outputs in two states of dvc.lock."""

import io
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from fer_bench import grid_locks
from fer_bench.errors import InputError
from fer_bench.grid_locks import LOCK
from fer_bench.verify import git

# The plan holds hashes of all sources and settings; the tables stage is the sum of the scores compared one by one.
_LEFT_OUT = ("plan", "tables")


@dataclass(frozen=True)
class Stages:
    """Stages whose outputs were compared by their hashes, and those whose outputs differ, sorted."""

    compared: int
    different: list[str]


def committed(grid: str, root: Path = Path()) -> str:
    """Read the lock of a grid in the last commit: its own file where another grid was active there."""
    try:
        return git.committed_text(grid_locks.waiting(grid), root)
    except InputError:
        return git.committed_text(LOCK, root)


def compared(before: str, here: str, only: Iterable[str] | None = None) -> Stages:
    """Compare the outputs of the stages that both texts of dvc.lock have.

    Args:
        before: dvc.lock of the commit.
        here: the regenerated one.
        only: names of the stages that were run again; default: all.
    """
    old, new = _outputs(before), _outputs(here)
    names = sorted((set(old) & set(new) if only is None else set(only) & set(old) & set(new)) - set(_LEFT_OUT))
    return Stages(len(names), [name for name in names if old[name] != new[name]])


def outdated(root: Path) -> list[str]:
    """Names of the stages that `dvc repro` would run again: files on disk are not what params.yaml and code make.

    Raises:
        InputError: DVC cannot tell.
    """
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"dvc status failed: {result.stderr.strip().splitlines()[-1:] or result.returncode}")
    return sorted(json.loads(result.stdout or "{}"))


def _outputs(text: str) -> dict[str, dict[str, str]]:
    stages = (YAML(typ="safe").load(io.StringIO(text)) or {}).get("stages") or {}
    return {
        name: {out["path"]: str(out.get("md5", "")) for out in stage.get("outs", [])} for name, stage in stages.items()
    }
