"""What the maps of every guidance cost beside a training step: a batch of faces at 224 px against a step of ResNet50.

    python benchmarks/guidance_maps.py [--dataset synthetic] [--batch 8] [--repeats 5]

Needs the maps of a dataset (`dvc repro heatmaps`). A step is forward, loss, backward and SGD update on one thread; the
clock counts processor time, so that other programs on the machine do not enter. Promise: at most 3 % of the step.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from fer_bench import classifier, registry
from fer_bench.cells import PLAN
from fer_bench.dataset_files import DatasetFiles
from fer_bench.split_maps import SplitMaps

PROMISE = 0.03
SIDE = 224


def main() -> None:
    """Measure and print a line per plug-in."""
    options = _options()
    torch.set_num_threads(1)
    step = _seconds(_step(options.batch), options.repeats)
    print(f"step of ResNet50, {SIDE} px, batch {options.batch}, one thread: {1000 * step:.0f} ms")
    entry = json.loads((PLAN / "heatmaps" / f"{options.dataset}.json").read_text(encoding="utf-8"))
    files = DatasetFiles(entry["dataset"])
    split = SplitMaps(files, files.faces("train"))
    rows = np.linspace(0, len(split.labels) - 1, options.batch).astype(int)
    for name in registry.names("guidance"):
        guidance = registry.plugin("guidance", name)(registry.settings("guidance", name)())
        if guidance.needs_maps:
            source = guidance.maps(split)
            cost = _seconds(lambda source=source: source(rows, SIDE), options.repeats) / step
            print(f"{name:16} {100 * cost:5.2f} % of a step{'' if cost <= PROMISE else '  PROMISE BROKEN'}")


def _step(batch: int) -> Callable[[], object]:
    network = classifier.build({"backbone": "resnet50", "input_size": SIDE}).train()
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9, nesterov=True)
    images, labels = torch.rand(batch, 3, SIDE, SIDE), torch.randint(0, 7, (batch,))

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(images).logits, labels).backward()
        optimiser.step()

    return step


def _seconds(run: Callable[[], object], repeats: int) -> float:
    """Median processor time, the first run left out."""
    found = []
    for _ in range(repeats + 1):
        started = time.process_time()
        run()
        found.append(time.process_time() - started)
    return statistics.median(found[1:])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="synthetic")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
