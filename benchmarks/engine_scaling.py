"""How the time of a grid of real cells falls with the number of workers: measured on this machine, simulated beyond it.

    python benchmarks/engine_scaling.py [--seeds 16] [--jobs 1 2] [--workers 8 64]

For each number of jobs a clone of the last commit gets the grid `smoke` with 2 x SEEDS cells (32 by default): data are
prepared first, then `fer-bench repro -j JOBS evaluate` trains and scores every cell and is timed. The schedule for more
workers is simulated from the times of the stages with one job: the same order of stages, and one driver that begins and
finishes them one at a time, which costs what it cost in the measured run. A worker is a core of its own, so memory and
disk that workers share in reality are not in the simulation; the longest chain of stages is the bound that no number of
workers beats. About 25 minutes on two cores.
"""

import argparse
import contextlib
import heapq
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fer_bench.runner.graph import Graph
from fer_bench.runner.repository import Repository

ROOT = Path(__file__).resolve().parent.parent
TARGET = "evaluate"
ENDED = re.compile(r"\] (\S+), (?:(\d+) h ?)?(?:(\d+) min ?)?(?:([\d.]+) s)?;")
Plan = dict[str, list[str]]


@dataclass(frozen=True)
class Measured:
    """Wall time of a run, and of each of its stages."""

    seconds: float
    stages: dict[str, float]


def main() -> None:
    """Measure, simulate and print."""
    options = _options()
    measured: dict[int, Measured] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for jobs in options.jobs:
            folder = _grid(Path(scratch) / str(jobs), options.seeds)
            measured[jobs] = _run(folder, jobs)
            with contextlib.chdir(folder):  # DVC looks for the names of stages where it stands
                plan = Repository(folder).plan((TARGET,))
    first = measured[min(measured)]
    plan = {
        name: [need for need in needs if need in first.stages] for name, needs in plan.items() if name in first.stages
    }
    overhead = max(0.0, first.seconds - sum(first.stages.values()) / min(measured)) / len(first.stages)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {2 * options.seeds} cells, {len(plan)} stages")
    print(
        f"with {min(measured)} at once {1000 * overhead:.0f} ms per stage beside its command, the start of DVC included"
    )
    for jobs, run in measured.items():
        print(f"measured,  {jobs:>3} at once: {run.seconds:7.1f} s, {first.seconds / run.seconds:5.2f} times as fast")
    for workers in sorted({*options.jobs, *options.workers}):
        seconds = simulated(plan, first.stages, workers, overhead)
        print(f"simulated, {workers:>3} at once: {seconds:7.1f} s, {first.seconds / seconds:5.2f} times as fast")
    print(f"longest chain of stages: {longest_chain(plan, first.stages):.1f} s")


def simulated(plan: Plan, seconds: dict[str, float], workers: int, overhead: float) -> float:
    """Time of a run: stages in the order of `Graph` on `workers` workers, each `overhead` seconds of one driver."""
    graph, running, clock = Graph(plan), [], 0.0
    while True:
        while len(running) < workers and (name := graph.take()) is not None:
            clock += overhead
            heapq.heappush(running, (clock + seconds[name], name))
        if not running:
            return clock
        ended, name = heapq.heappop(running)
        clock = max(clock, ended)
        graph.done(name)


def longest_chain(plan: Plan, seconds: dict[str, float]) -> float:
    """Sum of the times along the longest way through the graph."""
    reached: dict[str, float] = {}
    for name, needs in plan.items():  # in an order in which needs come first
        reached[name] = seconds[name] + max((reached[need] for need in needs), default=0.0)
    return max(reached.values())


def _grid(folder: Path, seeds: int) -> Path:
    """Clone the last commit, make a larger `smoke` its grid, prepare the data."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    text = (folder / "grids/smoke.yaml").read_text(encoding="utf-8")
    numbers = ", ".join(str(seed) for seed in range(seeds))
    (folder / "grids/scaling.yaml").write_text(text.replace("seeds: [0]", f"seeds: [{numbers}]"), encoding="utf-8")
    for arguments in (["use", "scaling"], ["repro", "-j", "1", "heatmaps"]):
        _fer_bench(folder, *arguments)
    return folder


def _run(folder: Path, jobs: int) -> Measured:
    started = time.perf_counter()
    shown = _fer_bench(folder, "repro", "-j", str(jobs), TARGET)
    seconds = time.perf_counter() - started
    stages = {}
    for name, hours, minutes, rest in ENDED.findall(shown):
        stages[name] = 3600 * float(hours or 0) + 60 * float(minutes or 0) + float(rest or 0)
    return Measured(seconds, stages)


def _fer_bench(folder: Path, *arguments: str) -> str:
    """Run a command of the clone's own code, in a process group that has no terminal; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "FER_BENCH_PYTHON": sys.executable, "COLUMNS": "300"}
    command = [sys.executable, "-m", "fer_bench.cli", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 64])
    return parser.parse_args()


if __name__ == "__main__":
    main()
