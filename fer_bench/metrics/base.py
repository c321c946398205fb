"""What a metric promises: its identity for tables and, by kind, what it is given and what it returns."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch

from fer_bench.metrics._compared import Pair

Needs = Literal["predictions", "attention", "cams", "maps", "decision"]


@dataclass(frozen=True)
class Score:
    """One number of a test split.

    metric: its id. value: NaN where nothing could be scored. n: images behind it. average: `micro` over images or
    `macro` over expressions. left_out: expressions with too few images to count in a macro average.
    """

    metric: str
    value: float
    n: int
    average: Literal["micro", "macro"]
    left_out: tuple[str, ...] = ()


class MetricBase(ABC):
    """One metric; a subclass named `Metric` in its own file is found by that file's name.

    id: how results name it. label: how tables call it. direction: which way is better. unit: `%` or empty.
    citation: DOI, or arXiv number, of its definition; empty where it is defined here. needs: what it is computed from.
    bounds: the smallest and the largest value that it can have; a score beyond them stops the evaluation.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    direction: ClassVar[Literal["higher", "lower"]]
    unit: ClassVar[str]
    citation: ClassVar[str]
    needs: ClassVar[Needs]
    bounds: ClassVar[tuple[float, float]] = (-1.0, 1.0)


class PredictionMetric(MetricBase):
    """A score of class probabilities."""

    needs = "predictions"
    bounds = (0.0, 100.0)

    @abstractmethod
    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """Score a split.

        Args:
            labels: (N,) true class ids.
            probabilities: (N, K), rows summing to 1; the prediction is the largest.
            expressions: K names, the position is the class id.
            minimum: expressions with fewer images are left out of macro averages, and named.
        """


class MapMetric(MetricBase):
    """A score of each image's map against its action-unit map."""

    unit = ""

    @abstractmethod
    def per_image(
        self, maps: torch.Tensor, targets: torch.Tensor, resize: str, shift: bool | None = None
    ) -> torch.Tensor:
        """Score each image.

        Args:
            maps: (N, h, w), at the classifier's own grid.
            targets: (N, H, W) in [0, 1]; infinite where a face has no map.
            resize: `paper` or `halfpixel`.
            shift: as in `attention_cosine`; class activation maps ignore it.

        Returns:
            (N,), NaN where there is no map.
        """


class ComparedMetric(MetricBase):
    """A score of attention and class activation maps alike, against an action-unit map of the same size.

    Results name it `att_ID` for attention and `cam_ID` for class activation maps. Beside it stand its scores for random
    maps, for the maps of other faces and for the action-unit map itself at the grid of the classifier's map.
    """

    needs = "maps"
    unit = ""

    @abstractmethod
    def per_image(self, pair: Pair) -> torch.Tensor:
        """Score each image: (N,), NaN where there is no map."""


class DecisionMetric(MetricBase):
    """A score of a classifier's attention against its own decision; no action-unit map enters.

    Results name it `att_ID`, with the last layer.
    """

    needs = "decision"
    unit = ""

    @abstractmethod
    def per_image(self, features: torch.Tensor, contributions: torch.Tensor) -> dict[str, torch.Tensor]:
        """Score each image.

        Args:
            features: (N, C, h, w) of the last layer; the attention is their mean over channels.
            contributions: (N, C, h, w), what each adds to the true class's logit.

        Returns:
            Suffix of the name -> (N,); the score itself has none, a chance level `_chance_random`.
        """
