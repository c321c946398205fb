"""A copy of the repository, in which tests run commands as a user would type them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from conftest import ROOT


class RepositoryCopy:
    """A copy of the repository, with its own git and DVC, in which commands run as a user would type them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(folder)}
        listed = self.git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
            self.git(folder, "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments)

    def git(self, where: Path, *arguments: str) -> str:
        """Run git in a folder and return what it printed."""
        return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout

    def run(self, *command: str, check: bool = True) -> str:
        """Run `python -m COMMAND...` and return what it printed."""
        result = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = result.stdout + result.stderr
        assert not check or result.returncode == 0, output
        return output

    def changed(self) -> set[str]:
        """Rerun the plan and return the stages that DVC would run after it."""
        self.run("dvc", "repro", "-q", "plan")
        return set(json.loads(self.run("dvc", "status", "--json")))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the copy."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def commit(self) -> None:
        """Commit everything that git does not ignore."""
        self.git(self.folder, "add", "-A")
        self.git(self.folder, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-qm", "results")

    def restore(self) -> None:
        """Take back every edit of sources and params, never results."""
        self.git(self.folder, "checkout", "--", "fer_bench", "stages", "params.yaml")

    def metrics(self, grid: str) -> pd.DataFrame:
        """Read the tidy table of a grid."""
        return pd.read_csv(self.folder / "results" / grid / "metrics.csv", keep_default_na=False)
