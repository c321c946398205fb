"""What a stage costs beside its command: `fer-bench repro -j` against `dvc repro`, trivial stages, interleaved.

    python benchmarks/engine_overhead.py [--stages 129] [--many 1025] [--jobs 2] [--repetitions 3]

Every repetition makes fresh repositories with one stage that all others depend on, and runs one with the local
engine, several stages at once and one at once, and one with `dvc repro`; all pay for starting Python and DVC, which is
also measured alone (a repository of one stage). A stage does nothing but `echo` into its output, so with one at once
the time per stage is the overhead. Wall time tells on a machine that does nothing else; processor time, of all
processes together, hardly depends on what else runs. Promises: at most 50 ms per stage, 1,025 stages within 40 s.
`dvc repro` rewrites dvc.lock after every stage, so its time grows with the square of their number: it is not run on
`--many` stages, which would take it most of an hour.
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
MANY_PROMISE = 40.0  # seconds for `--many` stages
CLOCKS = ("wall time", "processor time")
Seconds = tuple[float, float]  # by both clocks
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
    ours = [sys.executable, "-c", OURS]
    commands = {
        f"fer-bench, {options.jobs} at once": [*ours, str(options.jobs)],
        "fer-bench, 1 at once": [*ours, "1"],
        "dvc repro": [sys.executable, "-m", "dvc", "repro", "-q"],
    }
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {options.repetitions} repetitions")
    with tempfile.TemporaryDirectory() as scratch:
        start = _medians(commands, 1, options.repetitions, Path(scratch, "one"))
        _print(_medians(commands, options.stages, options.repetitions, Path(scratch, "some")), start, options.stages)
        if options.many:
            del commands["dvc repro"]
            _print_many(_medians(commands, options.many, 1, Path(scratch, "many")), start, options.many)


def _medians(commands: dict[str, list[str]], stages: int, repetitions: int, scratch: Path) -> dict[str, Seconds]:
    """Run every command on fresh repositories, in alternating order; median wall and processor time of each."""
    seconds: dict[str, list[Seconds]] = {name: [] for name in commands}
    for number in range(repetitions):
        order = list(commands) if number % 2 == 0 else list(reversed(commands))
        for place, name in enumerate(order):
            folder = _repository(scratch / f"{number}-{place}", stages)
            seconds[name].append(_seconds(commands[name], folder))
    return {
        name: (statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs))
        for name, pairs in seconds.items()
    }


def _print(found: dict[str, Seconds], start: dict[str, Seconds], stages: int) -> None:
    for column, clock in enumerate(CLOCKS):
        _print_rows(found, start, stages, column)
        ours, dvc = found["fer-bench, 1 at once"][column], found["dvc repro"][column]
        each = 1000 * (ours - start["fer-bench, 1 at once"][column]) / (stages - 1)
        kept = "kept" if each <= PROMISE else "BROKEN"
        print(f"{clock:>15}, dvc repro / fer-bench: {dvc / ours:.1f}; at most {PROMISE:.0f} ms per stage: {kept}")


def _print_many(found: dict[str, Seconds], start: dict[str, Seconds], stages: int) -> None:
    for column, clock in enumerate(CLOCKS):
        _print_rows(found, start, stages, column)
        best = min(pair[column] for pair in found.values())
        kept = "kept" if best <= MANY_PROMISE else "BROKEN"
        print(f"{clock:>15}, {stages:,} stages within {MANY_PROMISE:.0f} s: {kept}")


def _print_rows(found: dict[str, Seconds], start: dict[str, Seconds], stages: int, column: int) -> None:
    for name, pair in found.items():
        whole, without = pair[column], pair[column] - start[name][column]
        each, alone = 1000 * whole / stages, 1000 * without / (stages - 1)
        print(
            f"{CLOCKS[column]:>15}, {stages:,} stages, {name:>22}: {whole:6.1f} s, {each:6.1f} ms per stage, "
            f"{alone:6.1f} ms without the start of Python and DVC"
        )


def _repository(folder: Path, stages: int) -> Path:
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    numbers = ", ".join(str(number) for number in range(stages - 1))
    (folder / "params.yaml").write_text(f"numbers: [{numbers}]\n", encoding="utf-8")
    plan = "stages:\n  plan: {cmd: echo plan > plan, outs: [plan]}\n"
    if stages == 1:
        (folder / "dvc.yaml").write_text(plan, encoding="utf-8")
        return folder
    (folder / "dvc.yaml").write_text(
        f"{plan}"
        "  cell:\n"
        "    matrix: {number: '${numbers}'}\n"
        "    cmd: mkdir -p out && echo ${item.number} > out/${item.number}\n"
        "    deps: [plan]\n"
        "    outs: ['out/${item.number}']\n",
        encoding="utf-8",
    )
    return folder


def _seconds(command: list[str], folder: Path) -> Seconds:
    """Wall and processor time of a command with all its processes."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True)
    wall, after = time.perf_counter() - started, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stages", type=int, default=129)
    parser.add_argument("--many", type=int, default=1025, help="0: leave it out")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
