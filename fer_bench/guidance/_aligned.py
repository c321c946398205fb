"""The weighted alignment term and its options, which every guidance by maps shares."""

from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator

from fer_bench import processes
from fer_bench.au import wanted_aus
from fer_bench.classifier_output import Output
from fer_bench.guidance import base
from fer_bench.guidance._alignment import alignment_loss

BARRIER_GROWTH, BARRIER_LIMIT = 1.01, 10.0  # t of the log-barrier: factor per epoch from 1 on, and its largest value

Layer = Annotated[int, Field(ge=1, le=5)] | Literal["last"]


class Settings(base.Settings):
    """Options of the alignment term (Belharbi et al., arXiv 2402.00281; Table 3 for layers, Fig. 5 for λ)."""

    variant: Literal["paper", "facs"] = "paper"  # how regions are drawn
    codebook: Literal["drawn", "printed", "cited"] | None = None  # None: the variant's own
    layers: tuple[Layer, ...] = Field(("last",), min_length=1)
    weight: float = Field(4.0, ge=0)  # λ; the paper's RAF-DB table has 4, its AffectNet command 9
    # elb: the extended log-barrier of -cosine <= 0 in place of 1 - cosine; it steepens from epoch to epoch
    loss: Literal["cosine", "std_cosine", "l1", "l2", "kl", "elb"] = "cosine"
    attention: Literal["avg", "avg_half_left", "avg_half_right", "avg_fixed_q", "random_avg"] = "avg"
    p: float | None = Field(None, gt=0, le=1)  # random_avg: probability of a channel to be kept, anew in every step
    q: float | None = Field(None, gt=0, le=1)  # avg_fixed_q: share of the channels, the first ones
    normalise: Literal["none", "softmax"] = "none"
    scale_to: Literal["attention", "heatmap"] = "attention"
    resize: Literal["paper", "halfpixel"] | None = None  # None: the protocol's

    @model_validator(mode="after")
    def _regions_exist(self) -> "Settings":
        if (self.variant, self.codebook) == ("paper", "cited"):
            raise ValueError(
                "variant paper draws no AU11 and no AU22, which the cited codebook has; use drawn or printed"
            )
        return self

    @model_validator(mode="after")
    def _share_belongs_to_its_attention(self) -> "Settings":
        for name, attention in (("p", "random_avg"), ("q", "avg_fixed_q")):
            given, wanted = getattr(self, name) is not None, self.attention == attention
            if given != wanted:
                raise ValueError(
                    f"attention {self.attention} {'needs' if wanted else 'has no'} {name}; "
                    f"{name} is a share in (0, 1] of attention {attention}"
                )
        return self


class Aligned(base.GuidanceBase):
    """Guidance by a map per face; with its defaults, the published loss under the protocol's resize."""

    needs_maps = True
    citation = "arXiv:2402.00281"

    def __init__(self, settings: Settings, resize: str = "halfpixel", shift: bool = False, seed: int = 0) -> None:
        super().__init__(settings, resize, shift, seed)
        self.start_epoch(1)

    def start_epoch(self, epoch: int) -> None:
        """Set t of the log-barrier, and the source of kept channels: seed and epoch alone decide which they are."""
        self.steepness = min(BARRIER_GROWTH ** (epoch - 1), BARRIER_LIMIT)
        self.generator = torch.Generator().manual_seed(self.seed + epoch)

    def state(self) -> dict[str, torch.Tensor]:
        """Where the source of kept channels stands."""
        return {"generator": self.generator.get_state()}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Let it go on from there."""
        if "generator" in state:
            self.generator.set_state(state["generator"])

    def units(self, expression: str) -> frozenset[int]:
        """Return the units of an expression in the codebook asked for; neutral has none."""
        return frozenset(wanted_aus(expression, self.settings.variant, self.settings.codebook))

    def own_units(self, split: base.Split) -> list[frozenset[int]]:
        """Return the units of each face's true expression, (N,)."""
        return [self.units(split.expressions[label]) for label in split.labels]

    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """λ times the alignment term; 0 when no face of the batch has a map."""
        chosen = self.settings
        term = alignment_loss(
            output.features,
            maps,
            valid,
            chosen.layers,
            loss=chosen.loss,
            resize=chosen.resize or self.resize,
            attention=chosen.attention,
            normalise=chosen.normalise,
            scale_to=chosen.scale_to,
            shift=self.shift,
            p=chosen.p or 1.0,
            q=chosen.q or 1.0,
            generator=self.generator,
            steepness=self.steepness,
            mean_count=processes.mean,
        )
        return chosen.weight * term
