"""Time of `dvc repro` when nothing has changed, by the number of cells.

    python benchmarks/dvc_nothing_to_do.py [--cells 128] [--rounds 3]

A copy of this repository's pipeline in a folder of its own, with a grid of that many cells on generated faces. Every
output is a small file that stands for the real one and is committed to DVC, so that the graph, the lock file and the
checks are the real ones and nothing is trained. Target: at most 6 s for 128 cells.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent
TARGET = 6.0  # seconds
COPIED = ("fer_bench", "stages", "weights", "dvc.yaml", ".dvc", "grids", ".gitignore")


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "copy"
        stages = _lay_out(folder, options.cells)
        seconds = []
        for _ in range(options.rounds):
            started = time.perf_counter()
            said = _dvc(folder, "repro")
            seconds.append(time.perf_counter() - started)
            if "up to date" not in said:
                raise SystemExit(f"something ran:\n{said}")
    median = statistics.median(seconds)
    print(f"{options.cells} cells, {stages} stages: {median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    if options.cells == 128:
        print(f"target of {TARGET} s: {'met' if median <= TARGET else 'MISSED'}")


def _lay_out(folder: Path, cells: int) -> int:
    """Copy the pipeline, run its stage `plan`, make and commit stand-ins of all other outputs; return the stages."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name, **({"ignore": _unneeded} if source.is_dir() else {}))
    raw = read_yaml(ROOT / "params.yaml")
    grid = {"datasets": ["synthetic_smoke"], "test_datasets": ["synthetic_smoke"], "models": ["resnet10t", "xcit"]}
    raw["grid"] = {**raw["grid"], **grid, "guidance": ["none", "au"], "seeds": list(range(cells // 4))}
    (folder / "params.yaml").write_text(json.dumps(raw), encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    _dvc(folder, "repro", "plan")
    _stand_in(folder)
    _dvc(folder, "commit", "--force")
    return len(_dvc(folder, "stage", "list", "--name-only").split())


def _unneeded(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in {"cache", "tmp", "__pycache__"}}


def _stand_in(folder: Path) -> None:
    """Make a small file for everything that a stage reads or writes and that is not there."""
    code = (
        "from dvc.repo import Repo\n"
        "stages = Repo().index.stages\n"
        "print(*[dep.fs_path for stage in stages for dep in stage.deps if dep.fs_path], sep='\\n')\n"
        "print(*[out.fs_path for stage in stages for out in stage.outs], sep='\\n')\n"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    # Files first: some stand in folders that are named as a whole.
    for path in sorted({Path(name) for name in found}, key=lambda path: not path.suffix):
        if not path.exists():
            file = path if path.suffix else path / "stand_in.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{path.name}\n", encoding="utf-8")


def _dvc(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "FER_BENCH_PYTHON": sys.executable, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "dvc", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if result.returncode:
        raise SystemExit(f"dvc {' '.join(arguments)}: {result.stderr[-2000:]}")
    return result.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=128, help="a multiple of 4")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
