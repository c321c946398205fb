"""What an explainer promises, and what it is given: the evidence of one forward pass about one class per image."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import torch

from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.explainers._forward import forward


@dataclass
class Evidence:
    """One class per image, asked of one forward pass; everything is detached.

    classes: (B,) long. output: the forward pass. head_weight: (K, C) where the head is average pooling and a linear
    layer, else None. classifier, images: for explainers that need passes of their own; eval mode, no gradients.
    memory: what `once` has computed, the same for all classes asked of one forward pass.
    """

    classes: torch.Tensor
    output: Output
    head_weight: torch.Tensor | None
    classifier: Any
    images: torch.Tensor
    memory: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def features(self) -> torch.Tensor:
        """The last layer's features, (B, C, h, w), those that feed the head."""
        return self.output.features[max(self.output.features)]

    @property
    def cells(self) -> int:
        """Number of positions of the map, h * w."""
        return self.features.shape[-2] * self.features.shape[-1]

    @cached_property
    def gradients(self) -> torch.Tensor:
        """Gradient of each image's class logit to its last features: (B, C, h, w), or (B, C, 1, 1) where constant.

        Behind average pooling and a linear layer it is the weight over the number of positions, everywhere the same.
        """
        if self.head_weight is None:
            return self.differentiate(self.features)
        return (self.head_weight[self.classes] / self.cells)[:, :, None, None]

    def score(self, last: torch.Tensor) -> torch.Tensor:
        """Features (B, C, h, w) -> the sum over images of the class logit; differentiable."""
        classes = self.classes.clone()  # one made in inference mode could not be saved for the backward pass
        return self.classifier.logits_from_features(last).gather(1, classes[:, None]).sum()

    def differentiate(self, last: torch.Tensor) -> torch.Tensor:
        """Gradient of each image's class logit to given last features, both (B, C, h, w), by autograd.

        Through the head only: the gradient stops at the features, the backbone is not run again.
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = last.clone().requires_grad_()
            return torch.autograd.grad(self.score(leaf), leaf)[0]

    def run(self, images: torch.Tensor) -> Output:
        """Put other images (N, 3, H, W), in [0, 1] like the first ones, through the classifier."""
        return forward(self.classifier, images)

    def once(self, name: str, compute: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Compute what does not depend on the class at its first use, and keep it for the other classes."""
        if name not in self.memory:
            self.memory[name] = compute()
        return self.memory[name]

    def class_map(self) -> torch.Tensor:
        """(B, h, w) map of the class, from a head that makes class maps."""
        maps = self.output.class_maps
        if maps is None:
            raise InputError("explainers: this classifier's head makes no class maps")
        return self.of_class(maps)

    def of_class(self, maps: torch.Tensor) -> torch.Tensor:
        """Pick the class of each image: (B, K, h, w) -> (B, h, w)."""
        return maps[torch.arange(len(self.classes), device=maps.device), self.classes]

    def attention(self) -> torch.Tensor:
        """(B, h, w) attention of the class token."""
        if self.output.attention is None:
            raise InputError("explainers: this classifier returns no attention of a class token")
        return self.output.attention

    def token_weights(self) -> torch.Tensor:
        """(B, h, w) weights by which the head chose among the positions of the last features."""
        if "token_weights" not in self.output.extra:
            raise InputError("explainers: this classifier's head weighs no tokens")
        return self.output.extra["token_weights"].detach()


class ExplainerBase(ABC):
    """One explainer; a subclass named `Explainer` in its own file is found by that file's name.

    label: how tables call it. citation: DOI or arXiv number. class_specific: whether the map depends on the class; the
    published tables give no CAM-COS of one that does not.
    """

    label: ClassVar[str]
    citation: ClassVar[str]
    class_specific: ClassVar[bool] = True

    def supports(self, classifier: Any) -> str | None:
        """Return why this explainer cannot be applied to the classifier, or None when it can."""
        return None

    @abstractmethod
    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Return (B, h, w) maps at the native grid, before min-max."""


class GradientExplainer(ExplainerBase):
    """ReLU of the features summed with weights made from gradients; a subclass says which weights."""

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """ReLU( Σ_c weight_c · F_c ); the weights are per channel, or per channel and position."""
        with torch.autocast(evidence.features.device.type, enabled=False):  # thousands of terms that nearly cancel
            weights, features = self.weights(evidence), evidence.features
            if weights.shape[-2:] == (1, 1):
                return torch.einsum("bchw,bc->bhw", features, weights[:, :, 0, 0]).relu()
            return (weights * features).sum(dim=1).relu()

    @abstractmethod
    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Return the weights, (B, C, 1, 1) or (B, C, h, w)."""
