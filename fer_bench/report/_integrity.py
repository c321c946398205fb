"""Cached result files: found, and unchanged since the scores were written."""

import hashlib
import logging
from pathlib import Path

from fer_bench.errors import InputError

logger = logging.getLogger(__name__)


def check(root: Path, entry: dict[str, str], source: str, stage: str = "evaluate") -> Path:
    """Return the path of a file named in a cell's scores.

    Args:
        root: repository root.
        entry: `path` below the root and `sha256` of its content.
        source: the file that names it.
        stage: what makes it anew.

    Raises:
        InputError: the file is missing or has another content; says which command brings it back.
    """
    path = root / entry["path"]
    if not path.is_file():
        raise InputError(f"{source}: {entry['path']} is missing; run `dvc pull`, or `dvc repro {stage}`")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry["sha256"]:
        expected = f"{entry['sha256'][:12]}…"
        raise InputError(
            f"{source}: {entry['path']} has sha256 {found[:12]}…, expected {expected}; "
            f"run `dvc checkout`, or `dvc repro {stage}`"
        )
    return path


def if_here(root: Path, entry: dict[str, str], source: str) -> list[Path]:
    """Return the path of a private file, which only the machine that made it has; elsewhere nothing, and a warning."""
    path = root / entry["path"]
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]:
        return [path]
    logger.warning(
        "%s: %s is not here: no figures of its faces; `dvc repro -f evaluate` makes it", source, entry["path"]
    )
    return []
