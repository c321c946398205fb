"""A DVC repository of trivial stages, and the parallel runner on it."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from rich.console import Console
from ruamel.yaml import YAML

from fer_bench.engines.base import Resources
from fer_bench.engines.local import Settings
from fer_bench.runner import command

# A plan that all others depend on, a matrix, a sum over it; `ran` lies outside of DVC and counts what was executed.
STAGES = """
stages:
  plan:
    cmd: echo plan >> ran && mkdir -p plan && for i in a b c d; do echo $i > plan/$i; done
    params: [items]
    outs: [plan]
  train:
    matrix: {i: "${items}"}
    cmd: COMMAND
    deps: ["plan/${item.i}"]
    outs: ["out/${item.i}"]
  sum:
    cmd: echo sum >> ran && cat out/a out/b out/c out/d > sum
    deps: [out]
    outs: [sum: {cache: false}]
"""
COMMAND = "echo train-${item.i} >> ran && mkdir -p out && cat plan/${item.i} plan/${item.i} > out/${item.i}"


class Toy:
    """A repository in a folder; its commands run as users run them, in this process where that is the same."""

    def __init__(self, folder: Path, train: str = COMMAND, stages: str = STAGES) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        Repo.init(str(folder)).close()
        (folder / ".gitignore").write_text("/out\n/plan\n/ran\n/marks\n")
        (folder / "params.yaml").write_text("items: [a, b, c, d]\n")
        (folder / "dvc.yaml").write_text(stages.replace("COMMAND", train))

    def run(self, jobs: int = 2, targets: tuple[str, ...] = (), **resources: Resources) -> tuple[int, str]:
        """Run with engine local; return the exit status and what was shown."""
        shown = io.StringIO()
        console = Console(file=shown, width=200)
        code = command.run("local", Settings(), jobs, resources, targets, console, self.folder)
        return code, shown.getvalue()

    def serial(self) -> list[str]:
        """Run `dvc repro`; return the stages that it ran."""
        with Repo(str(self.folder)) as repo:
            return [stage.addressing for stage in repo.reproduce()]

    def status(self) -> dict[str, Any]:
        """What `dvc status` reports; nothing when all is up to date."""
        with Repo(str(self.folder)) as repo:
            return dict(repo.status())

    @property
    def lock(self) -> dict[str, Any]:
        """dvc.lock as parsed YAML."""
        return dict(YAML(typ="safe").load(self.folder / "dvc.lock"))

    @property
    def ran(self) -> list[str]:
        """What was executed so far, in order."""
        path = self.folder / "ran"
        return path.read_text().split() if path.is_file() else []

    def start(self, jobs: int = 2) -> subprocess.Popen[str]:
        """Start a run in a process of its own."""
        code = (
            "import sys; from rich.console import Console; from fer_bench.runner import command;"
            "from fer_bench.engines.local import Settings;"
            f"sys.exit(command.run('local', Settings(), {jobs}, {{}}, (), Console()))"
        )
        root = str(Path(__file__).parent.parent)
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": root},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
