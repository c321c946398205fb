"""How much of the machine's rate a training keeps: an epoch with its loader against steps on a batch in memory.

    python benchmarks/training_epoch.py [--network small|resnet50|both] [--rounds 5] [--workers 1] [--device auto]

An epoch is what `fer_bench.train` does: images are read (the small network's from the copy in memory that a small
split is kept in, ResNet50's decoded from JPEG files of 256 px each time), augmented with all steps of the published
recipe, guided by action unit maps of a store, moved, and trained on. The bound is forward, cross-entropy, backward and
the same optimiser's update on one batch that is there already, as many times; `--unguided` leaves the maps away. Both
take turns within one training, epoch by epoch, each network on one thread; the loader's processes work beside it. Two
shares are printed: of time on the clock, which needs a core per process to itself, and of processor time of the
training process alone, which other programs on the machine disturb less and which leaves out waiting for the loader.
Target: at least 0.90 of the bound's rate on a CPU, 0.95 on a GPU.
"""

import argparse
import copy
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from fer_bench import classifier, data, optimisation, registry
from fer_bench.au import store
from fer_bench.au.preview import TEMPLATE
from fer_bench.datasets import read_image
from fer_bench.expressions import EXPRESSIONS
from fer_bench.protocols import PROTOCOLS
from fer_bench.train import Trainer
from fer_bench.train_data import TrainBatches, train_loader
from fer_bench.train_settings import Augmentation, TrainSettings

TARGETS = {"cpu": 0.90, "cuda": 0.95}
CHOICES: dict[str, dict[str, Any]] = {
    "small": {
        "section": {
            "backbone": "resnet10t",
            "kwargs": {"channels": [16, 32, 64, 96], "stem_width": 8, "large_maps": True},
            "input_size": 64,
        },
        "settings": {"optimizer": "adamw", "learning_rate": 0.003, "batch_size": 64},
        "steps": 32,
    },
    "resnet50": {
        "section": {"backbone": "resnet50", "kwargs": {"large_maps": True}, "input_size": 224},
        "settings": {"optimizer": "sgd", "learning_rate": 0.002, "weight_decay": 5e-4, "batch_size": 8},
        "steps": 6,
    },
}


@dataclass(frozen=True)
class Rates:
    """Images per second of every epoch and of the bound beside it, (rounds, 2): on the clock, of processor time."""

    epochs: np.ndarray
    bounds: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Of the bound's rate, (rounds, 2)."""
        return self.epochs / self.bounds


def main() -> None:
    """Measure and print."""
    options = parser().parse_args()
    for name in CHOICES if options.network == "both" else [options.network]:
        report(name, options)


def report(name: str, options: argparse.Namespace) -> Rates:
    """Measure one network, print both shares, return the rates."""
    torch.set_num_threads(1)
    choice = copy.deepcopy(CHOICES[name])
    choice["settings"]["batch_size"] = options.batch or choice["settings"]["batch_size"]
    choice["steps"] = options.steps or choice["steps"]
    with tempfile.TemporaryDirectory() as scratch:
        rates = _measure(choice, Path(scratch), options)
    device = _device(options)
    print(
        f"{name}, {options.precision}, {'unguided' if options.unguided else 'guided'}, batch "
        f"{choice['settings']['batch_size']}, {device}, {options.workers} loader process(es): "
        f"{np.median(rates.epochs[:, 0]):.3g} images/s of {np.median(rates.bounds[:, 0]):.3g}"
    )
    target = TARGETS[device]
    for clock, shares in zip(("on the clock", "of processor time"), rates.shares.T, strict=True):
        share = np.median(shares)
        verdict = "met" if share >= target else "MISSED"
        print(
            f"  share {clock}: {share:.3f} (median of {len(shares)}, {shares.min():.3f} to {shares.max():.3f}); "
            f"target of {target}: {verdict}"
        )
    return rates


def _measure(choice: dict[str, Any], folder: Path, options: argparse.Namespace) -> Rates:
    trainer = make_trainer(choice, folder, options)
    bound = _Bound(copy.deepcopy(trainer.classifier), trainer.settings, options)
    epochs: list[np.ndarray] = []
    bounds: list[np.ndarray] = []
    started = _now(bound.device)

    def after_epoch(row: dict[str, float]) -> None:
        nonlocal started
        between = _now(bound.device)
        bound.run(choice["steps"])
        epochs.append(between - started)
        started = _now(bound.device)
        bounds.append(started - between)

    trainer.run(after_epoch)
    images = choice["steps"] * trainer.settings.batch_size
    return Rates(images / np.array(epochs[1:]), images / np.array(bounds[1:]))  # the first epoch warms up


class _Bound:
    """Forward, loss, backward and update on one batch in memory."""

    def __init__(self, network: classifier.Classifier, settings: TrainSettings, options: argparse.Namespace) -> None:
        self.device = _device(options)
        self.network = network.to(self.device).to(memory_format=torch.channels_last).train()
        self.optimizer = optimisation.optimizer(self.network, self.network.method, settings)
        side = network.expected[0]
        images = torch.rand(settings.batch_size, 3, side, side, device=self.device)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(0, 7, (settings.batch_size,), device=self.device)
        self.autocast = torch.autocast(self.device, torch.bfloat16, enabled=options.precision == "bfloat16")

    def run(self, steps: int) -> None:
        """Train that many steps."""
        for _ in range(steps):
            with self.autocast:
                loss = torch.nn.functional.cross_entropy(self.network(self.images).logits.float(), self.labels)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()


def make_trainer(choice: dict[str, Any], folder: Path, options: argparse.Namespace) -> Trainer:
    """Make a training of one of the CHOICES, its images and maps written below a folder."""
    settings = TrainSettings(epochs=options.rounds + 1, precision=options.precision, **choice["settings"])
    size = choice["section"]["input_size"]
    resize = round(size * 256 / 224)
    count = choice["steps"] * settings.batch_size
    faces = _faces(folder, count, 256 if size == 224 else 112)
    guidance = registry.plugin("guidance", "none" if options.unguided else "au")
    chosen = registry.settings("guidance", "none" if options.unguided else "au")()
    maps = data.no_maps if options.unguided else _maps(folder, faces.labels)
    torch.manual_seed(0)
    network = classifier.build(choice["section"])
    kept, data.IN_MEMORY_BYTES = data.IN_MEMORY_BYTES, 0 if size == 224 else data.IN_MEMORY_BYTES
    on_device = _device(options) != "cpu"
    batches = TrainBatches(faces, maps, resize, size, Augmentation(), seed=0, on_device=on_device)
    data.IN_MEMORY_BYTES = kept
    loader, order = train_loader(batches, settings.batch_size, options.workers)
    one = data.Faces(faces.frame[:1], faces.labels[:1], faces.root, faces.read)
    held_out = [batch for _, batch in data.evaluation_batches(one, data.no_maps, size, 1)]
    return Trainer(
        classifier=network,
        guidance=guidance(chosen),
        settings=settings,
        protocol=PROTOCOLS["clean"],
        train=loader,
        order=order,
        validation=lambda: held_out,  # one image: what is timed is the training
        class_weights=None,
        weights=folder / "weights",
        device=options.device,
        progress=False,
        compile=options.compile,
    )


def _faces(folder: Path, count: int, side: int) -> data.Faces:
    """JPEG files of smooth random pictures, which take as long to decode as photographs of that size."""
    (folder / "images").mkdir()
    random = np.random.default_rng(0)
    for number in range(min(count, 64)):
        coarse = random.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        noisy = (picture + random.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])
    paths = [f"{number % 64}.jpg" for number in range(count)]
    frame = pd.DataFrame({"id": range(count), "path": paths, "width": side, "height": side})
    return data.Faces(frame, np.arange(count) % 7, folder / "images", read_image)


def _maps(folder: Path, labels: np.ndarray) -> data.MapSource:
    """Action unit maps of slightly different faces, composed from a store as in a training."""
    points = np.asarray(TEMPLATE)[None] + np.random.default_rng(0).normal(0, 4, (len(labels), 68, 2))
    sizes = np.full((len(labels), 2), 224)
    store.write([str(row) for row in range(len(labels))], points, sizes, folder / "maps", ["paper"], progress=False)
    opened = store.MapStore(folder / "maps", "paper")
    names = [EXPRESSIONS[label] for label in labels]
    return lambda rows, side: opened.maps(rows, [names[row] for row in rows], (side, side))


def _device(options: argparse.Namespace) -> str:
    return "cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu"


def _now(device: str) -> np.ndarray:
    """Seconds on the clock and of this process's processor time."""
    if device == "cuda":
        torch.cuda.synchronize()
    return np.array([time.perf_counter(), time.process_time()])


def parser() -> argparse.ArgumentParser:
    """Return what is understood on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=[*CHOICES, "both"], default="both")
    parser.add_argument("--rounds", type=int, default=5, help="epochs, each beside as many steps of the bound")
    parser.add_argument("--steps", type=int, help="steps of an epoch")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--workers", type=int, default=1, help="loader processes")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", choices=["auto", "cpu"], default="auto")
    parser.add_argument("--unguided", action="store_true", help="train without action unit maps")
    parser.add_argument("--compile", action="store_true", help="torch.compile for the training, not for the bound")
    return parser


if __name__ == "__main__":
    main()
