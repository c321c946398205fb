"""How good a network is on the selection split, between the epochs of its training."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn

from fer_bench import processes, soundness
from fer_bench.data import Batch
from fer_bench.guidance import alignment_loss
from fer_bench.protocols import Protocol


@dataclass
class BatchScores:
    """What one batch gives, on the CPU: classes and losses (B,), the mean attention cosine and of how many images."""

    labels: Tensor
    predicted: Tensor
    losses: Tensor
    cosine: float
    with_map: int


@torch.no_grad()
def selection_scores(
    network: nn.Module, batches: Iterable[Batch], to_device: Callable[[Batch], Batch], protocol: Protocol, what: str
) -> dict[str, float]:
    """Loss, accuracy and macro-F1 (percent) and the attention cosine of the last layer over a split.

    Several processes share the batches, the first one the first, the second one the second, and so on in turn; every
    process returns the scores of all. `what` is trained, for messages.

    Raises:
        InputError: the features or the logits of an image are not finite.
    """
    network.eval()
    place = processes.place()
    own = [
        (number, _scores(network, to_device(batch), protocol, what))
        for number, batch in enumerate(batches)
        if number % place.count == place.index
    ]
    return _summary([scores for _, scores in sorted(processes.gathered(own), key=lambda item: item[0])])


def _scores(network: nn.Module, batch: Batch, protocol: Protocol, what: str) -> BatchScores:
    output = network(batch["images"])
    soundness.require_finite(output, what)
    losses = nn.functional.cross_entropy(output.logits.float(), batch["labels"], reduction="none")
    # At the resolution of the last layer, as the guidance term has it.
    term = alignment_loss(
        output.features,
        batch["maps"],
        batch["valid"],
        ["last"],
        resize=protocol.resize,
        shift=protocol.shift_in_score,
    )
    predicted = output.logits.argmax(dim=1)
    return BatchScores(
        batch["labels"].cpu(), predicted.cpu(), losses.cpu(), 1.0 - float(term), int(batch["valid"].sum())
    )


def _summary(parts: list[BatchScores]) -> dict[str, float]:
    truth = torch.cat([part.labels for part in parts]).numpy()
    guess = torch.cat([part.predicted for part in parts]).numpy()
    aligned = [part for part in parts if part.with_map]
    total = sum(part.with_map for part in aligned)
    return {
        "val_loss": float(torch.cat([part.losses for part in parts]).mean()),
        "val_accuracy": float((truth == guess).mean() * 100),
        "val_macro_f1": float(f1_score(truth, guess, average="macro") * 100),
        "val_att_cos": sum(part.cosine * part.with_map for part in aligned) / total if total else math.nan,
    }
