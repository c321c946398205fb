"""Cached result files: found, and unchanged since the scores were written."""

import hashlib
from pathlib import Path

from fer_bench.errors import InputError


def check(root: Path, entry: dict[str, str], source: str) -> Path:
    """Return the path of a file named in a cell's scores.

    Args:
        root: repository root.
        entry: `path` below the root and `sha256` of its content.
        source: the file that names it.

    Raises:
        InputError: the file is missing or has another content; says which command brings it back.
    """
    path = root / entry["path"]
    if not path.is_file():
        raise InputError(f"{source}: {entry['path']} is missing; run `dvc pull`, or `dvc repro evaluate`")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != entry["sha256"]:
        expected = f"{entry['sha256'][:12]}…"
        raise InputError(
            f"{source}: {entry['path']} has sha256 {found[:12]}…, expected {expected}; "
            "run `dvc checkout`, or `dvc repro evaluate`"
        )
    return path
