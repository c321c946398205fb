"""APViT: a small vision transformer over the last feature map that drops the least telling tokens on its way."""

import math
from typing import Any, ClassVar

import torch
from pydantic import Field, model_validator
from torch import nn

from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.methods._apvit_names import published_names
from fer_bench.methods._attentive_pooling import EPS, Block, keep_largest, precise
from fer_bench.methods._vit_start import initial_values
from fer_bench.methods.base import LAST, BackboneFacts, MethodBase
from fer_bench.settings import Settings as Section

__all__ = ["TOKEN_WEIGHTS", "Method", "Settings", "published_names"]

TOKEN_WEIGHTS = "token_weights"  # key of Output.extra
PUBLISHED_SHARE = (160, 196)  # tokens kept, of those that a 14x14 map has
PUBLISHED_DIM = 768
DEVIATION = 0.02  # of initial values


class Settings(Section):
    """Size of the transformer and how many tokens it keeps; the defaults are the published ones."""

    dim: int = Field(PUBLISHED_DIM, ge=1)  # channels of a token
    depth: int = Field(8, ge=1)  # blocks
    heads: int = Field(8, ge=1)  # attention heads; a divisor of dim
    mlp_ratio: int = Field(3, ge=1)  # hidden channels of the MLP over dim
    keep_tokens: int | None = Field(None, ge=1)  # patch tokens that enter the blocks; None: 160 of every 196
    keep_fraction: float = Field(0.9, gt=0, le=1)  # of the patch tokens, kept by each pooled block
    pooled_blocks: tuple[int, ...] = (5, 6, 7, 8)  # blocks that drop tokens, counted from 1
    # what the transformer starts from: random, timm (its first ViT-small, as published), file:PATH (such a file)
    blocks: str = Field("random", pattern="^(random|timm|file:.+)$")

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} cannot be divided among {self.heads} heads")
        absent = [number for number in self.pooled_blocks if not 1 <= number <= self.depth]
        if absent:
            raise ValueError(f"pooled_blocks names block {absent[0]}; there are blocks 1 to {self.depth}")
        return self

    def kept(self, tokens: int) -> int:
        """How many of the map's tokens enter the blocks."""
        kept, of = PUBLISHED_SHARE
        return self.keep_tokens if self.keep_tokens is not None else max(1, tokens * kept // of)


class Method(MethodBase):
    """Xue et al. 2022: attentive patch pooling, then attentive token pooling; the class token feeds the logits.

    The weight of a token is the sum of the absolute values of its channels after the 1x1 convolution, before position
    embeddings. Initial values: truncated normal for linear weights, class token and patch positions; torch's own for
    the 1x1 convolution; zero for biases, the class token's position and the head. The deviation is the published 0.02;
    that of linear weights is 0.02 at the published width and goes with 1 / sqrt(dim), or a narrow network hardly starts
    to learn. No dropout. `blocks` puts those of an ImageNet transformer in the place of these, but for the 1x1
    convolution and the head.
    Published code skips the pooling of a block when the batch happens to have as many images as there are tokens; this
    one never does.
    """

    label: ClassVar[str] = "APViT"
    citation: ClassVar[str] = (
        "Xue et al. 2022, Vision Transformer with Attentive Pooling for Robust Facial Expression Recognition, "
        "IEEE Transactions on Affective Computing, arXiv 2212.05463"
    )
    weighs_tokens: ClassVar[bool] = True
    map_size: tuple[int, int]

    def __init__(
        self, channels: int, num_classes: int, settings: Settings, map_size: tuple[int, int] = (14, 14)
    ) -> None:
        super().__init__(channels, num_classes, settings)
        self.map_size = map_size
        tokens, dim = map_size[0] * map_size[1], settings.dim
        self.kept = settings.kept(tokens)
        self.projection = nn.Conv2d(channels, dim, 1)
        self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.class_position = nn.Parameter(torch.zeros(1, 1, dim))
        self.patch_positions = nn.Parameter(torch.zeros(1, tokens, dim))
        fractions = (settings.keep_fraction if n in settings.pooled_blocks else 1.0 for n in _numbers(settings.depth))
        self.blocks = nn.ModuleList(
            Block(dim, settings.heads, dim * settings.mlp_ratio, fraction) for fraction in fractions
        )
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.head = nn.Linear(dim, num_classes)
        self._initialise()

    @classmethod
    def for_backbone(cls, backbone: BackboneFacts, num_classes: int, settings: Any) -> "Method":
        """Make the head for the last map of a backbone, whose size decides the number of tokens."""
        return cls(backbone.channels[LAST], num_classes, settings, backbone.map_sizes[LAST])

    @classmethod
    def unsuitable(cls, backbone: BackboneFacts, settings: Any) -> str | None:
        """APViT needs a last map with more than one position, and at least as many as it is to keep."""
        height, width = backbone.map_sizes[LAST]
        has = f"APViT cannot run on {backbone.name}: its last map is {height}x{width}, {height * width} tokens"
        if height * width < 2:
            return f"{has}, and there is nothing to choose from"
        wanted = settings.kept(height * width)
        if wanted > height * width:
            return f"{has}, fewer than keep_tokens {wanted}; lower it, or leave it out to keep 160 of every 196"
        return None

    @classmethod
    def initial_weights(cls, settings: Settings) -> dict[str, str]:
        """Return the form that `blocks` has."""
        return {"blocks": settings.blocks}

    def start(self, where: str) -> None:
        """Class token, positions, blocks and last norm of an ImageNet transformer, where `blocks` names one."""
        if self.settings.blocks != "random":
            own = self.state_dict()
            found = initial_values(self.settings.blocks, own, self.map_size, f"{where}.blocks")
            self.load_state_dict(own | found)

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, None]:
        """(B, C, h, w) of the size the head was made for -> logits (B, K); there are no class maps."""
        return self._classify(last)[0], None

    def forward(self, features: dict[int, torch.Tensor], attention: torch.Tensor | None = None) -> Output:
        """Features by layer -> logits, and in `extra` the weights (B, h, w) >= 0 of the tokens."""
        logits, weights = self._classify(features[LAST])
        return Output(logits=logits, features=features, attention=attention, extra={TOKEN_WEIGHTS: weights})

    def _classify(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits (B, K) and the weights of all tokens (B, h, w)."""
        self._check(last)
        projected = self.projection(last)
        weights = precise(projected).abs().sum(1)
        tokens = self._chosen(projected, weights)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens[:, 0])), weights

    def _check(self, last: torch.Tensor) -> None:
        if tuple(last.shape[-2:]) != self.map_size:
            expected, given = ("x".join(map(str, size)) for size in (self.map_size, tuple(last.shape[-2:])))
            raise InputError(f"APViT was built for maps of {expected}, given {given}: images of another input_size")

    def _chosen(self, projected: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return what enters the blocks, the class token first: (B, 1 + kept, dim)."""
        patches = projected.flatten(2).transpose(1, 2) + self.patch_positions
        patches = keep_largest(patches, weights.flatten(1), self.kept)
        class_token = (self.class_token + self.class_position).expand(len(patches), -1, -1)
        return torch.cat([class_token, patches], dim=1)

    def _initialise(self) -> None:
        for token in (self.class_token, self.patch_positions):
            nn.init.trunc_normal_(token, std=DEVIATION)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=DEVIATION * math.sqrt(PUBLISHED_DIM / self.settings.dim))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)


def _numbers(depth: int) -> range:
    return range(1, depth + 1)
