"""Copies of a trained network whose weights are drawn anew, from the head downwards."""

from copy import deepcopy

import torch
from torch import Tensor

from fer_bench.classifier import Classifier, build

HEAD, UPPER, ALL = "head", "upper_half", "all"
STEPS = (HEAD, UPPER, ALL)


def redrawn(classifier: Classifier, seed: int, step: str) -> Classifier:
    """Return a copy with random weights in the head, in head and upper half of the backbone, or everywhere.

    The new weights are those that an untrained network of the same settings starts with, statistics of normalisation
    layers included. The network itself is left as it is. The upper half are the later half of the modules that own
    weights, as the backbone defines them.
    """
    fresh = _untrained(classifier, seed).state_dict()
    copy = deepcopy(classifier).eval()
    copy.load_state_dict({**copy.state_dict(), **{key: fresh[key] for key in _keys(fresh, step)}}, strict=True)
    return copy


def _untrained(classifier: Classifier, seed: int) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(classifier.section.model_copy(update={"weights": "random"}), classifier.num_classes)


def _keys(state: dict[str, Tensor], step: str) -> list[str]:
    """Entries that a step draws anew; mean and deviation of the input's normalisation are no weights."""
    head = [key for key in state if key.startswith("method.")]
    backbone = [key for key in state if key.startswith("backbone.")]
    owners = list(dict.fromkeys(key.rpartition(".")[0] for key in backbone))
    drawn = {HEAD: [], UPPER: owners[len(owners) // 2 :], ALL: owners}[step]
    return [*head, *(key for key in backbone if key.rpartition(".")[0] in set(drawn))]
