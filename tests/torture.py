"""Kill the pipeline at random and look whether its results are still those of an undisturbed run: `make torture`.

A grid is run once in peace. Then it is run again in another clone while any one of its processes (fer-bench, dvc, a
stage, a loader worker, all at once) is killed with SIGKILL at random moments; every kill is followed by the same
command again, by nothing else. Whenever the grid is through, its numbers and the outputs of its stages must be those of
the undisturbed run, to the byte; then everything is removed and it starts over, until there were enough kills.
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
from typing import Any

import psutil

from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parent.parent
ORPHANS_END = 30.0  # seconds that the processes of a killed run get to end by themselves
MADE = ("data", "results", "paper_tables", ".dvc/cache", ".dvc/tmp", "mlruns", "mlflow.db", "dvc.lock")
# Trainings long enough to be hit, which save where they stand after every epoch.
EDITS = {"    epochs: 2\n": "    epochs: 12\n", "  state_seconds: 60 ": "  state_seconds: 0 "}
Made = tuple[bytes, dict[str, Any]]


class Torture:
    """One clone of the repository, its kills and what came of them."""

    def __init__(self, folder: Path, grid: str, seed: int, parallel: float = 0.0) -> None:
        self.folder, self.grid, self.parallel = folder, grid, parallel
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
        self._call("use", self.grid).check_returncode()
        for name in ("results/metrics", f"results/{self.grid}", f"paper_tables/{self.grid}"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "dvc.lock").unlink(missing_ok=True)
        self._edit()

    def _edit(self) -> None:
        path = self.folder / "params.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in EDITS.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def undisturbed(self) -> Made:
        """Run the grid in peace."""
        self.begin()
        self._call("repro").check_returncode()
        return self.made()

    def made(self) -> Made:
        """The file of all scores, and the hashes of the outputs of all stages."""
        stages = read_yaml(self.folder / "dvc.lock")["stages"]
        hashes = {name: sorted((out["path"], out["md5"]) for out in stage["outs"]) for name, stage in stages.items()}
        return (self.folder / "results" / self.grid / "metrics.csv").read_bytes(), hashes

    def until_done_or_killed(self, longest: float) -> bool:
        """Run the grid for a random time at most; return whether it came to its end before the kill."""
        how = ["-j", "2"] if self.random.random() < self.parallel else []
        command = self._command("repro", *how)
        run = psutil.Popen(command, cwd=self.folder, env=self._environment(), stdout=subprocess.DEVNULL)
        try:
            code = run.wait(self.random.uniform(0.2, longest))
        except psutil.TimeoutExpired:
            self._kill(run, " of -j 2" if how else "")
            return False
        if code:
            raise SystemExit(f"after {self.kills.total()} kills: `fer-bench repro` ended with status {code} by itself")
        return True

    def _kill(self, run: psutil.Process, how: str) -> None:
        """Kill one process of the run, or all of them, and wait for the end of the others."""
        family = [run, *run.children(recursive=True)]
        chosen = family if self.random.random() < 0.2 else [self.random.choice(family)]
        word = ("all at once" if len(chosen) > 1 else _kind(chosen[0])) + how
        for process in chosen:
            _quietly(process.kill)
        self.kills[word] += 1
        if chosen[0] != run:  # fer-bench itself lives and may end the run in order
            with suppress(psutil.TimeoutExpired):
                run.wait(ORPHANS_END)
            _quietly(run.kill)
        with suppress(psutil.TimeoutExpired):
            run.wait(ORPHANS_END)
        _, left = psutil.wait_procs(self._working(), timeout=ORPHANS_END)
        for process in left:
            self.orphans.append(f"{_kind(process)} after {word}")
            _quietly(process.kill)

    def _working(self) -> list[psutil.Process]:
        """Every process that works in the clone, whoever its parent is now."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cwd() == str(self.folder):
                    found.append(process)
        return found

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
        words, name = process.cmdline(), process.name()
    except psutil.Error:
        return "already ended"
    line = " ".join(words)
    marks = {
        "fer_bench.cli": "fer-bench",
        "_supervisor.py": "supervisor",
        "-m dvc": "dvc",
        "stages/run.sh": "shell",
        "resource_tracker": "resource tracker",
    }
    for mark, word in marks.items():
        if mark in line:
            return word
    stage = next((Path(word).stem for word in words if word.startswith("stages/")), "")
    workers = "multiprocessing" in line or "pt_data_worker" in name
    return f"{stage or 'stage'}, worker" if workers else stage or (Path(words[0]).name if words else "already ended")


def _quietly(action: Callable[[], None]) -> None:
    with suppress(psutil.Error):
        action()


def _report(torture: Torture, through: int, seconds: float) -> None:
    """Print what happened as a table of Markdown."""
    print(
        f"\n{torture.kills.total()} kills in {through} runs of the grid `{torture.grid}`, {seconds / 60:.0f} minutes:"
    )
    print("all numbers and all outputs are those of the undisturbed run.\n")
    print("| killed | times |\n|---|---:|")
    for word, count in torture.kills.most_common():
        print(f"| {word} | {count} |")
    print(f"\nProcesses left behind for more than {ORPHANS_END:g} s: {', '.join(torture.orphans) or 'none'}.")


def _torture(given: argparse.Namespace) -> Torture:
    started = time.monotonic()
    expected = Torture(given.folder / "peace", given.grid, given.seed).undisturbed()
    longest = given.longest or time.monotonic() - started
    print(f"undisturbed: {time.monotonic() - started:.0f} s", flush=True)
    torture, through = Torture(given.folder / "torture", given.grid, given.seed, given.parallel), 0
    torture.begin()
    while torture.kills.total() < given.kills or not through:
        while not torture.until_done_or_killed(longest):
            print(f"kill {torture.kills.total()}: {dict(torture.kills)}", flush=True)
        if torture.made() != expected:
            raise SystemExit(f"after {torture.kills.total()} kills: other results than the undisturbed run")
        through += 1
        torture.begin()
    _report(torture, through, time.monotonic() - started)
    return torture


def main() -> None:
    """Torture until there were enough kills, and say what happened."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="an empty folder for two clones")
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--grid", default="smoke")
    asked.add_argument("--longest", type=float, help="seconds to a kill at most; default: as long as in peace")
    asked.add_argument("--parallel", type=float, default=0.25, help="share of the runs that are started with -j 2")
    asked.add_argument("--seed", type=int, default=0)
    if _torture(asked.parse_args()).orphans:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
