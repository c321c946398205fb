"""A short training, run by tests in one process and in two: `python joint_training.py OUT.json`.

The network has LayerNorm alone. Faces without a map, classes of unequal size with weights, and a last batch that cannot
be halved leave the processes with unequal shares of everything that is divided by a count.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fer_bench import optimisation, processes, registry
from fer_bench.classifier import build
from fer_bench.data import Faces, evaluation_batches
from fer_bench.launched import joined
from fer_bench.protocols import PROTOCOLS
from fer_bench.train import Trainer
from fer_bench.train_data import TrainBatches, train_loader
from fer_bench.train_settings import Augmentation, TrainSettings

COUNT, SIDE = 29, 32
SECTION = {
    "backbone": "convnext_atto",
    "kwargs": {"dims": [8, 8, 16, 16], "depths": [1, 1, 1, 1], "output_stride": 8},
    "input_size": SIDE,
}
SETTINGS = TrainSettings(
    epochs=2, batch_size=8, optimizer="sgd", learning_rate=0.05, class_weights="balanced", max_gradient_norm=5.0
)


def faces() -> Faces:
    """29 images whose class is a bright row; low numbers are more frequent."""
    frame = pd.DataFrame({"id": range(COUNT), "path": [f"{i}.png" for i in range(COUNT)]})
    labels = np.array([i % 7 if i < 14 else i % 3 for i in range(COUNT)])

    def read(path: Path) -> np.ndarray:
        number = int(path.stem)
        image = np.random.default_rng(number).integers(0, 60, (SIDE, SIDE, 3)).astype(np.uint8)
        image[4 * labels[number] : 4 * labels[number] + 6] += 180
        return image

    return Faces(frame, labels, Path("images"), read)


def maps(rows: np.ndarray, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A bright corner; most of the first images have none."""
    values = torch.zeros(len(rows), side, side)
    values[:, side // 2 :, side // 3 :] = 1.0
    return values, torch.from_numpy((rows % 4 == 3) | (rows > 20))


CASES = [("cam", "avg"), ("cutmix", "random_avg"), ("acol", "avg"), ("adl", "avg")]


def main(out: Path) -> None:
    """Train every case, and let the first process write their histories."""
    with joined("cpu") as place:
        torch.set_num_threads(1)
        cases = {f"{method} {attention}": history(method, attention, out.parent) for method, attention in CASES}
        if place.index == 0:
            out.write_text(json.dumps(cases), encoding="utf-8")


def history(method: str, attention: str, folder: Path) -> list[dict[str, float]]:
    """Train a network and return its history."""
    torch.manual_seed(0)
    place, split, classifier = processes.place(), faces(), build({**SECTION, "method": method}, 7)
    chosen = registry.settings("guidance", "au")(attention=attention, p=0.5 if attention == "random_avg" else None)
    share = None if classifier.method.mixes_images else place
    batches = TrainBatches(split, maps, SIDE, SIDE, Augmentation(), seed=3, place=share)
    loader, order = train_loader(batches, SETTINGS.batch_size, workers=0)
    held_out = list(evaluation_batches(split, maps, SIDE, 6))
    trainer = Trainer(
        classifier=classifier,
        guidance=registry.plugin("guidance", "au")(chosen, seed=5),
        settings=SETTINGS,
        protocol=PROTOCOLS["paper"],
        train=loader,
        order=order,
        validation=lambda: (batch for _, batch in held_out),
        class_weights=optimisation.class_weights(torch.from_numpy(split.labels), 7, SETTINGS),
        weights=folder / f"{method}{place.index}of{place.count}",
        device="cpu",
        progress=False,
    )
    return trainer.run(lambda row: None).rows


if __name__ == "__main__":
    main(Path(sys.argv[1]))
