"""Whether files are still those that dvc.lock records."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LARGEST_READ = 4 * 2**20  # bytes; of larger files, and of folders, only the size is compared


def differs(path: Path, recorded: Mapping[str, Any]) -> bool:
    """Whether a file or folder that is there is not what was recorded.

    Small files are read. Of large ones, and of folders, the number of files and of bytes decides, so that a board of
    hundreds of trained networks comes at once; `dvc status` reads them all.
    """
    if path.is_dir():
        sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
        return (len(sizes), sum(sizes)) != (recorded.get("nfiles"), recorded.get("size"))
    if path.stat().st_size != recorded.get("size"):
        return True
    return path.stat().st_size <= LARGEST_READ and md5(path.read_bytes()) != recorded.get("md5")


def md5(content: bytes) -> str:
    """The hash by which DVC names a file."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
