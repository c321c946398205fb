"""Files as the last commit has them."""

import io
import subprocess
from pathlib import Path

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.verify.compare import read


def committed_text(path: Path, root: Path = Path()) -> str:
    """Read a file of the last commit.

    Raises:
        InputError: the commit has no such file, or `root` is no git repository.
    """
    result = subprocess.run(
        ["git", "show", f"HEAD:./{path.as_posix()}"], cwd=root, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise InputError(f"{path}: not in the last commit, so there is nothing to compare with")
    return result.stdout


def committed_frame(path: Path, root: Path = Path()) -> pd.DataFrame:
    """Read a tidy table of the last commit."""
    return read(io.StringIO(committed_text(path, root)))


def head(root: Path = Path()) -> str:
    """Return the hash of the last commit."""
    result = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"{root.resolve()}: not a git repository with a commit; `fer-bench verify` compares with one")
    return result.stdout.strip()
