"""Cost and yield of the offline landmark backend: ms per image, each step, one process against several.

    python benchmarks/landmarks_dlib.py                       # 560 generated faces of the default preset, 112 px
    python benchmarks/landmarks_dlib.py --folder PHOTOGRAPHS  # your own images: no error, there is no truth

Target: <= 60 ms per image on average on generated faces, one core.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets import read_image
from fer_bench.landmarks import error_against, read, run
from fer_bench.synthface import PRESETS, generate

TARGET = 60.0  # ms per image
ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


def main() -> None:
    """Run once with one process and once with several, on the same images, from an empty cache."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch) / "faces"
        index = index_of(folder) if arguments.folder else made(folder, arguments.images)
        for workers in (1, arguments.workers):
            measure(index, folder, workers, Path(scratch), with_truth=arguments.folder is None)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=560, help="how many faces to generate")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="of the second run")
    parser.add_argument("--folder", type=Path, help="measure these images instead")
    return parser.parse_args()


def made(folder: Path, images: int) -> pd.DataFrame:
    """Generate faces of the default preset."""
    settings = PRESETS["default"].model_copy(update={"train": 0, "val": 0, "test": images})
    return generate(settings, folder)


def index_of(folder: Path) -> pd.DataFrame:
    """List the images of a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    names = [path.relative_to(folder).as_posix() for path in paths]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return pd.DataFrame({"id": names, "path": names, "sha256": hashes})


def measure(index: pd.DataFrame, folder: Path, workers: int, scratch: Path, with_truth: bool) -> None:
    """Print the table of steps, the wall time per image and the error against the truth."""
    out, timings, cache = scratch / "found.parquet", scratch / "timings.csv", scratch / f"cache{workers}"
    start = time.perf_counter()
    frame = run(index, folder, "dlib", {}, out, workers, True, read_image, cache, timings=timings)
    wall = 1000 * (time.perf_counter() - start) / len(index)
    print(f"\n{workers} process(es): {wall:.1f} ms per image, start and loading of models included")
    print(pd.read_csv(timings).to_string(index=False))
    if workers == 1:
        work = pd.read_csv(timings).set_index("step")["ms_per_image"]["all"]
        print(f"one core, loading apart: {work:.1f} ms per image, target {TARGET:.0f}: {verdict(work <= TARGET)}")
    if with_truth:
        print_errors(frame, out, folder, scratch, index)


def verdict(met: bool) -> str:
    """Return the word for a target."""
    return "met" if met else "MISSED"


def print_errors(frame: pd.DataFrame, out: Path, folder: Path, scratch: Path, index: pd.DataFrame) -> None:
    """Print the error per step, as a share of the distance of the outer eye corners."""
    table, truth = scratch / "truth.parquet", folder / "ground_truth.parquet"
    run(index, folder, "given", {}, table, 1, False, read_image, scratch / "truth", truth=truth)
    errors = error_against(read(out)[1], read(table)[1])
    grouped = pd.Series(errors).groupby(frame["step"].replace("", "none").to_numpy())
    print(grouped.agg(images="size", mean="mean", median="median").round(4).to_string())
    print(f"mean error over {np.isfinite(errors).sum()} faces: {100 * np.nanmean(errors):.2f} % of the eye distance")


if __name__ == "__main__":
    main()
