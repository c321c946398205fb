"""The network of a cell as it is before its first training step."""

from typing import Any

import torch

from fer_bench.cells import seed_of
from fer_bench.classifier import Classifier, build


def initialised(entry: dict[str, Any], num_classes: int) -> Classifier:
    """Build the network of a plan entry with the cell's initial weights: the same with and without guidance."""
    torch.manual_seed(seed_of(entry["seed"], "weights"))
    model = {key: value for key, value in entry["model"].items() if key != "name"}
    classifier = build(model, num_classes)
    torch.manual_seed(seed_of(entry["seed"], "training"))  # dropout and its like
    return classifier
