"""Speed of FAN as the landmark backend `face_alignment` runs it, against the package's `get_landmarks_from_batch`.

    python benchmarks/landmarks_fan.py [--images 8] [--rounds 5] [--device cpu]

Both fit the points in the same boxes of the same images, so that the detector does not enter; ours in one pass. The
published weights are not needed: FAN has random ones, which take as long; their heat maps are nearly flat, so that
rounding may move a peak. One thread and processor time; on a GPU (`--device cuda --images 64`) time.
Target: at least 1.2 times the package's rate on a CPU, 5 times on a GPU.
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

TARGETS = {"cpu": 1.2, "cuda": 5.0}
SIDE = 256


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["TORCH_HOME"] = scratch
        contestants, apart = _contestants(Path(scratch), options.images, options.device)
        clock = time.process_time if options.device == "cpu" else time.perf_counter
        times = in_turns(contestants, options.rounds, clock)
    print(f"{options.images} images of {SIDE} px, {options.device}; points at most {apart:.2f} px from the package's")
    for name in ("float32", "bfloat16"):
        ratio = statistics.median(their / own for their, own in zip(times["package"], times[name], strict=True))
        each = 1000 * statistics.median(times[name]) / options.images
        print(f"{name}: {each:.0f} ms per face, {ratio:.2f} times the package's rate in float32")
        if name == "float32":
            target = TARGETS[options.device]
            print(f"  target of {target}: {'met' if ratio >= target else 'MISSED'}")


def _contestants(home: Path, images: int, device: str) -> tuple[dict[str, Callable[[], object]], float]:
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
        face_alignment.LandmarksType.TWO_D, device=device, flip_input=False, face_detector="folder", compile=False
    )
    inset = Settings().inset
    box = np.array([SIDE * inset, SIDE * inset, SIDE * (1 - inset), SIDE * (1 - inset)])
    batch, boxes = torch.from_numpy(pictures).permute(0, 3, 1, 2), [[box]] * images

    def theirs() -> list[np.ndarray]:
        return package.get_landmarks_from_batch(batch, detected_faces=boxes)

    def ours(dtype: str) -> Callable[[], list[np.ndarray]]:
        backend = Backend(Settings(device=device, whole_image="always", dtype=dtype, batch_size=images))
        return lambda: [found.points for found, _ in backend.detect_batch(pictures)]

    runs = {"package": theirs, "float32": ours("float32"), "bfloat16": ours("bfloat16")}
    apart = float(np.abs(np.stack(runs["float32"]()) - np.stack(theirs())).max())
    return runs, apart


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--device", choices=tuple(TARGETS), default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
