"""Kill the pipeline at random and look whether the numbers are still those of an undisturbed run: `make torture`.

A grid is run once in peace. Then it is run again in another clone while any one of its processes (fer-bench, dvc, a
stage, a loader worker, all at once) is killed with SIGKILL at random moments; every kill is followed by the same
command again, by nothing else. Whenever the grid is through, its numbers must be those of the undisturbed run, to the
byte; then everything is removed and it starts over, until there were enough kills.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
ORPHANS_END = 30.0  # seconds that the processes of a killed run get to end by themselves
MADE = ("data", "results", "paper_tables", ".dvc/cache", ".dvc/tmp", "mlruns", "mlflow.db")


class Torture:
    """One clone of the repository, its kills and what came of them."""

    def __init__(self, folder: Path, grid: str, seed: int) -> None:
        self.folder, self.grid = folder, grid
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.orphans: list[str] = []
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)

    def begin(self) -> None:
        """Leave nothing of earlier runs, their cache included, and make the grid the active one."""
        for name in MADE:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        subprocess.run(["git", "checkout", "--quiet", "."], cwd=self.folder, check=True)
        shutil.rmtree(self.folder / "results" / "metrics", ignore_errors=True)
        self._call("use", self.grid).check_returncode()

    def undisturbed(self) -> bytes:
        """Run the grid in peace."""
        self.begin()
        self._call("repro").check_returncode()
        return self.numbers()

    def numbers(self) -> bytes:
        """The file of all scores."""
        return (self.folder / "results" / self.grid / "metrics.csv").read_bytes()

    def until_done_or_killed(self, longest: float) -> bool:
        """Run the grid for a random time at most; return whether it came to its end before the kill."""
        run = psutil.Popen(self._command("repro"), cwd=self.folder, env=self._environment(), stdout=subprocess.DEVNULL)
        try:
            code = run.wait(self.random.uniform(0.2, longest))
        except psutil.TimeoutExpired:
            self._kill(run)
            return False
        if code:
            raise SystemExit(f"after {self.kills.total()} kills: `fer-bench repro` ended with status {code} by itself")
        return True

    def _kill(self, run: psutil.Process) -> None:
        """Kill one process of the run, or all of them, and wait for the end of the others."""
        family = [run, *run.children(recursive=True)]
        chosen = family if self.random.random() < 0.2 else [self.random.choice(family)]
        word = "all at once" if len(chosen) > 1 else _kind(chosen[0])
        for process in chosen:
            _quietly(process.kill)
        self.kills[word] += 1
        if chosen[0] != run and len(chosen) == 1:  # fer-bench itself lives and may end the run in order
            try:
                run.wait(ORPHANS_END)
            except psutil.TimeoutExpired:
                family += run.children(recursive=True)
                _quietly(run.kill)
        _, left = psutil.wait_procs(family, timeout=ORPHANS_END)
        for process in left:
            self.orphans.append(f"{_kind(process)} after {word}")
            _quietly(process.kill)

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), cwd=self.folder, env=self._environment(), text=True, check=False
        )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "fer_bench.cli", *arguments]

    def _environment(self) -> dict[str, str]:
        own = {"FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}
        return {**os.environ, **own}


def _kind(process: psutil.Process) -> str:
    """Which part of the pipeline a process is."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return "already ended"
    line = " ".join(words)
    for mark, word in (("fer_bench.cli", "fer-bench"), ("dvc", "dvc"), ("stages/run.sh", "shell")):
        if mark in line:
            return word
    stage = next((Path(word).stem for word in words if word.startswith("stages/")), "")
    workers = "multiprocessing" in line or "pt_data_worker" in process.name()
    return f"{stage or 'stage'}, worker" if workers else stage or (Path(words[0]).name if words else "ended")


def _quietly(action: Callable[[], None]) -> None:
    with suppress(psutil.Error):
        action()


def main() -> None:
    """Torture until there were enough kills, and say what happened."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="an empty folder for two clones")
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--grid", default="smoke")
    asked.add_argument("--longest", type=float, default=25.0, help="seconds between the start of a run and its kill")
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    started = time.monotonic()
    expected = Torture(given.folder / "peace", given.grid, given.seed).undisturbed()
    print(f"undisturbed: {time.monotonic() - started:.0f} s", flush=True)
    torture, through = Torture(given.folder / "torture", given.grid, given.seed), 0
    torture.begin()
    while torture.kills.total() < given.kills or not through:
        while not torture.until_done_or_killed(given.longest):
            print(f"kill {torture.kills.total()}: {dict(torture.kills)}", flush=True)
        if torture.numbers() != expected:
            raise SystemExit(f"after {torture.kills.total()} kills: other numbers than the undisturbed run")
        through += 1
        torture.begin()
    print(f"{torture.kills.total()} kills in {through} runs of the grid, all with the numbers of the undisturbed run")
    for word, count in torture.kills.most_common():
        print(f"  {count:4d}  {word}")
    print(f"processes left behind for more than {ORPHANS_END:g} s: {torture.orphans or 'none'}")
    if torture.orphans:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
