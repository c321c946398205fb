"""Time and memory of the stage `faces` on AffectNet's release of cropped faces, at its full size.

    python benchmarks/affectnet_index.py                  # 283,901 train and 3,500 test images, one process
    python benchmarks/affectnet_index.py --workers 2      # the helpers' memory is printed apart
    python benchmarks/affectnet_index.py --share 0.01     # a hundredth of each class

The tree has the release's layout and the published number of images of each class. Its images and labels are generated
and hard-linked from a few hundred files, so it takes hardly any space, and everything is read from the system's cache.

Target: the index in <= 180 s and <= 2 GB of resident memory.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fer_bench.datasets.affectnet import SOURCE, Dataset, Settings
from fer_bench.synthface import SynthSettings, generate

SECONDS, GIGABYTES = 180.0, 2.0
LINKS = 1000  # names of one file: file systems limit them
FOLDERS = {"train": "train_set", "test": "val_set"}


def main() -> None:
    """Lay out the release, index it, and print what that took."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "affectnet"
        images = lay_out(root, arguments.share)
        before = peak()
        settings = Settings(root=str(root), val_per_class=max(1, round(500 * arguments.share)))
        start, used = time.perf_counter(), time.process_time()
        frame = Dataset("affectnet", settings).prepare(Path(scratch) / "faces", arguments.workers, progress=False)
        seconds, used = time.perf_counter() - start, time.process_time() - used
    print(f"{images:,} images, {len(frame):,} in the index, {arguments.workers} process(es)")
    print(f"time   {seconds:6.1f} s, of them {used:.1f} s of this process's processor time (target {SECONDS:.0f} s)")
    print(f"memory {peak():6.2f} GB at most, {before:.2f} GB of them before (target {GIGABYTES:.0f} GB)")
    if arguments.workers > 1:
        print(f"memory {peak(resource.RUSAGE_CHILDREN):6.2f} GB at most in a helper")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="part of the published images of each class")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    return parser.parse_args()


def lay_out(root: Path, share: float) -> int:
    """Write the tree with `share` of the published images of the first seven classes; returns their number."""
    faces = pictures(root.parent / "generated")
    counts = Dataset("affectnet", Settings()).counts
    total = 0
    for split, folder in FOLDERS.items():
        for name in ("images", "annotations"):
            (root / folder / name).mkdir(parents=True)
        for number, word in enumerate(SOURCE[:7]):
            for _ in range(max(3, round(counts[split][word] * share))):
                link(root / folder, total, number, faces)
                total += 1
    return total


def pictures(folder: Path) -> list[Image.Image]:
    """Seven generated faces of 224 pixels."""
    index = generate(SynthSettings(train=7, val=0, test=7, size=224), folder, workers=1, progress=False)
    return [Image.open(folder / path) for path in index["path"][:7]]


def link(folder: Path, stem: int, number: int, faces: list[Image.Image]) -> None:
    """Name an image and its label; every thousandth of a class gets files of its own."""
    image, label = folder / f"images/{stem}.jpg", folder / f"annotations/{stem}_exp.npy"
    kept = folder.parent / f"kept_{folder.name}_{number}_{stem // LINKS}"
    if not kept.is_dir():
        kept.mkdir()
        faces[stem // LINKS % len(faces)].save(kept / "image.jpg", quality=75)
        np.save(kept / "label.npy", np.array(str(number)))  # text, as in the release
    os.link(kept / "image.jpg", image)
    os.link(kept / "label.npy", label)


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """Largest resident memory so far, in GB."""
    return resource.getrusage(who).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
