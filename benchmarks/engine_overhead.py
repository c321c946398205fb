"""What a stage costs beside its command: `fer-bench repro -j` against `dvc repro`, trivial stages, interleaved.

    python benchmarks/engine_overhead.py [--stages 129] [--jobs 2] [--repetitions 3]

Every repetition makes fresh repositories with one stage that all others depend on, and runs one with the local
engine, several stages at once and one at once, and one with `dvc repro`; all pay for starting Python and DVC. A stage
does nothing but `echo` into its output, so with one at once the time per stage is the overhead. Wall time tells on a
machine that does nothing else; processor time, of all processes together, hardly depends on what else runs. Promises:
at most 50 ms per stage, 1,025 stages within 40 s (`--stages 1025 --repetitions 1`). `dvc repro` rewrites dvc.lock
after every stage, so its time grows with the square of their number.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROMISE = 50.0  # ms per stage
OURS = """
import sys
from rich.console import Console
from fer_bench.engines.local import Settings
from fer_bench.runner import command
sys.exit(command.run("local", Settings(), int(sys.argv[1]), {}, (), Console(quiet=True)))
"""


def main() -> None:
    """Measure and print."""
    options = _options()
    commands = {
        f"fer-bench, {options.jobs} at once": [sys.executable, "-c", OURS, str(options.jobs)],
        "fer-bench, 1 at once": [sys.executable, "-c", OURS, "1"],
        "dvc repro": [sys.executable, "-m", "dvc", "repro", "-q"],
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.repetitions):
            order = list(commands) if number % 2 == 0 else list(reversed(commands))
            for place, name in enumerate(order):
                folder = _repository(Path(scratch) / f"{number}-{place}", options.stages)
                seconds[name].append(_seconds(commands[name], folder))
    _print(seconds, options.stages)


def _print(seconds: dict[str, list[tuple[float, float]]], stages: int) -> None:
    print(f"{stages} stages, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of the repetitions")
    for column, clock in enumerate(("wall time", "processor time")):
        medians = {name: statistics.median(pair[column] for pair in pairs) for name, pairs in seconds.items()}
        for name, median in medians.items():
            print(f"{clock:>15}, {name:>22}: {median:6.1f} s, {1000 * median / stages:6.1f} ms per stage")
        ours, dvc = medians["fer-bench, 1 at once"], medians["dvc repro"]
        kept = "kept" if 1000 * ours / stages <= PROMISE else "BROKEN"
        print(f"{clock:>15}, dvc repro / fer-bench: {dvc / ours:.1f}; at most {PROMISE:.0f} ms per stage: {kept}")


def _repository(folder: Path, stages: int) -> Path:
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    numbers = ", ".join(str(number) for number in range(stages - 1))
    (folder / "params.yaml").write_text(f"numbers: [{numbers}]\n", encoding="utf-8")
    (folder / "dvc.yaml").write_text(
        "stages:\n"
        "  plan: {cmd: echo plan > plan, outs: [plan]}\n"
        "  cell:\n"
        "    matrix: {number: '${numbers}'}\n"
        "    cmd: mkdir -p out && echo ${item.number} > out/${item.number}\n"
        "    deps: [plan]\n"
        "    outs: ['out/${item.number}']\n",
        encoding="utf-8",
    )
    return folder


def _seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and processor time of a command with all its processes."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True)
    wall, after = time.perf_counter() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", type=int, default=129)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
