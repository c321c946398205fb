"""What reading a training image costs from its JPEG file and from packed images.

    python benchmarks/packed_images.py [--images 256] [--rounds 5]

Files of 256 px, as in AffectNet's release; decoded by the reader of all datasets, and read from the packed file that
holds the same pixels. One thread, processor time, everything in the system's cache.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from _timing import in_turns, ratio

from fer_bench.data import Faces
from fer_bench.datasets import read_image

SIDE = 256


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        faces = _faces(Path(scratch), options.images)
        packed = faces.packed_at(SIDE)
        assert packed is not None
        packed.build(faces.decode, progress=False)
        rows = np.random.default_rng(0).permutation(options.images)

        def decoded() -> np.ndarray:
            return np.stack([faces.decode(int(row), SIDE) for row in rows])

        assert (decoded() == packed[rows]).all()
        times = in_turns({"decoded": decoded, "packed": lambda: packed[rows]}, options.rounds, time.process_time)
    for name, took in times.items():
        print(f"{name}: {options.images / statistics.median(took):.0f} images/s")
    print(f"packed over decoded, rate: {ratio(times, 'decoded', 'packed')}")


def _faces(folder: Path, count: int) -> Faces:
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        noisy = (picture + random.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])
    names = [f"{number}.jpg" for number in range(count)]
    frame = pd.DataFrame({"path": names, "sha256": names})
    return Faces(frame, np.zeros(count, np.int64), folder, read_image, packed=folder / "packed", reader="benchmark")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
