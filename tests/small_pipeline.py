"""One cell of the grid `smoke` in a copy of the repository, run as users run it, disturbed, and run again."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from repository_copy import RepositoryCopy

from fer_bench.yaml_file import read_yaml

CELL = "synthetic_smoke-resnet10t-none-s0"
TRAIN, EVALUATE = "train@synthetic_smoke-resnet10t-none-0", "evaluate@synthetic_smoke-resnet10t-none-0-synthetic_smoke"
WAYS = {
    "dvc repro": ("dvc", "repro"),
    "fer-bench repro": ("fer_bench.cli", "repro"),
    "fer-bench repro -j 2": ("fer_bench.cli", "repro", "-j", "2"),
}
# Many short epochs, a state after each, a worker that loads: something to be disturbed.
EDITS = {
    "  guidance: [none, au]": "  guidance: [none]",
    "    epochs: 2": "    epochs: 12",
    "  epochs: 2": "  epochs: 12",
    "  state_seconds: 60": "  state_seconds: 0",
    "  progress: true": "  progress: false",
    "  mlflow: true": "  mlflow: false",
    "  device: auto": "  device: cpu",
}


class SmallPipeline(RepositoryCopy):
    """A copy of the repository that has got as far as the maps of its faces."""

    @classmethod
    def prepared(cls, folder: Path) -> "SmallPipeline":
        """Make one and run the stages before the training."""
        made = cls(folder)
        made.run("fer_bench.cli", "use", "smoke")
        text = (folder / "params.yaml").read_text(encoding="utf-8")
        for old, new in EDITS.items():
            text = text.replace(f"{old}\n", f"{new}\n").replace(f"{old} #", f"{new} #")
        (folder / "params.yaml").write_text(text, encoding="utf-8")
        made.commit()
        made.run("dvc", "repro", "-q", "heatmaps")
        return made

    def copy(self, folder: Path) -> "SmallPipeline":
        """Copy it as it is."""
        shutil.copytree(self.folder, folder, symlinks=True)
        made = object.__new__(SmallPipeline)
        made.folder, made.environment = folder, {**self.environment, "PYTHONPATH": str(folder)}
        return made

    def start(self, *command: str, largest: int | None = None) -> "Started":
        """Start `python -m COMMAND...`; largest: bytes that a file of it may have."""

        def limited() -> None:
            if largest is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

        return Started(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=limited,
        )

    def result(self, *command: str, largest: int | None = None) -> tuple[int, str]:
        """Run `python -m COMMAND...` to its end; return exit status and what it printed."""
        started = self.start(*command, largest=largest)
        output = started.communicate(timeout=300)[0]
        return started.returncode, output

    @property
    def locked(self) -> dict[str, Any]:
        """Stages of dvc.lock."""
        path = self.folder / "dvc.lock"
        return dict(read_yaml(path)["stages"]) if path.is_file() else {}

    def hashes(self, stage: str) -> dict[str, str]:
        """What dvc.lock says of the outputs of a stage: path -> hash."""
        return {out["path"]: out["md5"] for out in self.locked[stage]["outs"]}

    def states(self) -> list[int]:
        """Numbers of the states of the training."""
        return sorted(int(path.stem) for path in (self.folder / "results/states").glob("*/*/*.state"))

    def processes(self) -> list[psutil.Process]:
        """Processes that work in this folder."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def named(self, *words: str) -> list[psutil.Process]:
        """Processes that work in this folder and have all the words in their command."""
        found = []
        for process in self.processes():
            line = " ".join(process.cmdline())
            if all(word in line for word in words):
                found.append(process)
        return found

    def trainings(self) -> list[psutil.Process]:
        """The process that trains, without its workers."""
        found = self.named("stages/train.py")
        numbers = {process.pid for process in found}
        return [process for process in found if process.ppid() not in numbers]


class Started(subprocess.Popen[str]):
    """A command that runs."""

    def ended(self, number: int) -> tuple[int, str]:
        """Send a signal, wait for the end, return exit status and what was printed."""
        self.send_signal(number)
        output = self.communicate(timeout=120)[0]
        return self.returncode, output

    def session(self, number: int) -> tuple[int, str]:
        """The same with every process of the session, as schedulers do."""
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.pid:
                    process.send_signal(number)
            except (psutil.Error, ProcessLookupError):
                continue
        output = self.communicate(timeout=120)[0]
        return self.returncode, output


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> SmallPipeline:
    """Shared; tests work in copies of it."""
    return SmallPipeline.prepared(tmp_path_factory.mktemp("small") / "pipeline")


@pytest.fixture
def pipeline(prepared: SmallPipeline, tmp_path: Path) -> SmallPipeline:
    """A copy of its own for every test; whatever still runs in it at the end is killed."""
    made = prepared.copy(tmp_path / "pipeline")
    yield made
    for process in made.processes():
        process.send_signal(signal.SIGKILL)


@pytest.fixture(scope="session")
def undisturbed(prepared: SmallPipeline, tmp_path_factory: pytest.TempPathFactory) -> SmallPipeline:
    """A copy in which everything has run in peace."""
    made = prepared.copy(tmp_path_factory.mktemp("undisturbed") / "pipeline")
    made.run("dvc", "repro", "-q")
    return made
