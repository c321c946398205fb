"""What a training method is: a head over the last feature map, its loss, and what it does to a batch."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import torch
from torch import nn

from fer_bench import processes
from fer_bench.classifier_output import Output

LAST = 5


class BackboneFacts(Protocol):
    """What a method may ask of a backbone, to accept it and to be attached to it.

    net: the network itself. channels, map_sizes: layer -> C and (h, w) at the given input size.
    pretrained: whether its initial weights were learnt elsewhere.
    """

    name: str
    net: nn.Module
    channels: dict[int, int]
    map_sizes: dict[int, tuple[int, int]]
    pretrained: bool

    def attention_problem(self) -> str | None:
        """Say why there is no class-token attention over the patches, or None."""

    def stages(self) -> tuple[tuple[Any, ...], ...]:
        """Blocks of every stage, keys of `changes`; InputError says why there are none that can be found."""


class MethodBase(nn.Module):
    """A head from the last feature map (B, C, h, w) to K classes; subclasses are named `Method`, one a file."""

    label: ClassVar[str]
    citation: ClassVar[str]
    needs_attention: ClassVar[bool] = False  # whether forward is given the class token's attention
    weighs_tokens: ClassVar[bool] = False  # whether forward returns a weight per position as extra["token_weights"]
    mixes_images: ClassVar[bool] = False  # whether `prepare_batch` puts images of a batch together
    map_size: tuple[int, int] | None = None  # (h, w) of the only last map that the head takes; None: any

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__()
        self.channels = channels
        self.num_classes = num_classes
        self.settings = settings

    @classmethod
    def for_backbone(cls, backbone: BackboneFacts, num_classes: int, settings: Any) -> "MethodBase":
        """Make the head for a backbone; a head that depends on more than the number of channels overrides this."""
        return cls(backbone.channels[LAST], num_classes, settings)

    @classmethod
    def unsuitable(cls, backbone: BackboneFacts, settings: Any) -> str | None:
        """Say why the method with these settings cannot be trained on that backbone, or None when it can."""
        return None

    @classmethod
    def initial_weights(cls, settings: Any) -> dict[str, str]:
        """Option -> where values of the head's own come from that were learnt elsewhere, as in a model's `weights`."""
        return {}

    def start(self, where: str) -> None:
        """Load those values; once, before a training, never into a network that is read or filled as a whole.

        where: the method's options in params.yaml, for errors. InputError: they cannot be had or do not fit.
        """

    def attach(self, backbone: BackboneFacts) -> None:
        """Look at the backbone, once, when the classifier is put together and its initial weights are loaded."""

    @property
    def changes(self) -> Mapping[Any, Callable[[torch.Tensor], torch.Tensor]]:
        """Block of the backbone (from its `stages`) -> what a forward pass makes of its output (B, C, ...)."""
        return {}

    @property
    def head_weight(self) -> torch.Tensor | None:
        """(K, C) weights when the head is average pooling and one linear layer (closed forms exist), else None."""
        return None

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Last feature map (B, C, h, w) -> logits (B, K) and class maps (B, K, h, w), None when there are none."""
        raise NotImplementedError

    def forward(self, features: dict[int, torch.Tensor], attention: torch.Tensor | None = None) -> Output:
        """Features by layer and, where `needs_attention`, attention (B, h, w) -> what the classifier returns."""
        logits, class_maps = self.score(features[LAST])
        return Output(logits=logits, features=features, class_maps=class_maps, attention=attention)

    def prepare_batch(
        self, batch: dict[str, torch.Tensor], generator: torch.Generator | None = None
    ) -> dict[str, torch.Tensor]:
        """Return what is trained on in place of a batch: images, labels, maps, valid, and entries of the method's own.

        A method that puts several images together says so by `mixes_images`, and is given whole batches even where
        several processes share them.

        generator: source of every random draw, on the CPU; seeded by the cell's seed, the epoch and the step.
        """
        return batch

    def loss(
        self, output: Output, batch: Mapping[str, torch.Tensor], class_weights: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Return `loss` to minimise (without guidance), the `logits` to count as predictions, and named parts.

        Cross-entropy, mean over the batch, no label smoothing (arXiv 2402.00281, training loss without alignment); in
        single precision at least.
        """
        value = cross_entropy(output.logits, batch["labels"], class_weights)
        return {"loss": value, "logits": output.logits, "cross_entropy": value}

    def hits(self, logits: torch.Tensor, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return how far each prediction of a training batch is right, (B,) in [0, 1]: the accuracy of the log."""
        return (logits.argmax(dim=1) == batch["labels"]).float()


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
    """Mean cross-entropy of logits (B, K), never in half precision; of several processes, over the batch of all."""
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    total = nn.functional.cross_entropy(precise, labels, weight=class_weights, reduction="sum")
    weights = torch.ones_like(labels, dtype=precise.dtype) if class_weights is None else class_weights[labels]
    return total / processes.mean(weights.sum())


def xavier(layer: nn.Conv2d | nn.Linear) -> None:
    """Start a layer with Xavier-uniform weights and no bias, as all heads on CNNs do in arXiv 2402.00281's code."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
