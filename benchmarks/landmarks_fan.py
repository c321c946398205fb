"""Speed of FAN as the landmark backend `face_alignment` runs it, against the package's `get_landmarks_from_batch`.

    python benchmarks/landmarks_fan.py [--images 2] [--rounds 5]

Both fit the points in the same boxes of the same images, so that the detector does not enter. The published weights are
not needed: FAN has random ones, which take as long; their heat maps are nearly flat, so that rounding may move a peak.
One thread, processor time.
Target: at least 1.2 times the package's rate on a CPU.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _timing import in_turns

TARGET = 1.2
SIDE = 256


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["TORCH_HOME"] = scratch
        contestants, apart = _contestants(Path(scratch), options.images)
        times = in_turns(contestants, options.rounds, time.process_time)
    print(
        f"{options.images} images of {SIDE} px, one thread; largest distance of the points from the package's: {apart}"
    )
    for name in ("float32", "bfloat16"):
        ratio = statistics.median(their / own for their, own in zip(times["package"], times[name], strict=True))
        each = 1000 * statistics.median(times[name]) / options.images
        print(f"{name}: {each:.0f} ms per face, {ratio:.2f} times the package's rate in float32")
        if name == "float32":
            print(f"  target of {TARGET}: {'met' if ratio >= TARGET else 'MISSED'}")


def _contestants(home: Path, images: int) -> tuple[dict[str, Callable[[], object]], float]:
    """What is timed, and the largest difference in pixels between our points in float32 and the package's."""
    import face_alignment
    from face_alignment.models import FAN

    from fer_bench.landmarks.face_alignment import FAN_FILE, Backend, Settings

    torch.manual_seed(0)
    folder = home / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(FAN(4).state_dict(), folder / FAN_FILE)
    pictures = np.random.default_rng(0).integers(0, 256, (images, SIDE, SIDE, 3), dtype=np.uint8)
    package = face_alignment.FaceAlignment(
        face_alignment.LandmarksType.TWO_D, device="cpu", flip_input=False, face_detector="folder", compile=False
    )
    inset = Settings().inset
    box = np.array([SIDE * inset, SIDE * inset, SIDE * (1 - inset), SIDE * (1 - inset)])
    batch, boxes = torch.from_numpy(pictures).permute(0, 3, 1, 2), [[box]] * images

    def theirs() -> list[np.ndarray]:
        return package.get_landmarks_from_batch(batch, detected_faces=boxes)

    def ours(dtype: str) -> Callable[[], list[np.ndarray]]:
        backend = Backend(Settings(device="cpu", whole_image="always", dtype=dtype))
        return lambda: [backend.detect(picture).points for picture in pictures]

    runs = {"package": theirs, "float32": ours("float32"), "bfloat16": ours("bfloat16")}
    apart = float(np.abs(np.stack(runs["float32"]()) - np.stack(theirs())).max())
    return runs, apart


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
