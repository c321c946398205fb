"""Scores of every image: predictions, attention and class activation maps of a trained network, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_bench import registry
from fer_bench.classifier import Classifier
from fer_bench.classifier_output import Output
from fer_bench.data import Batch
from fer_bench.explainers import contributions, explain_all, precise
from fer_bench.metrics.base import DecisionMetric, MapMetric
from fer_bench.protocols import Protocol
from fer_bench.soundness import require_finite
from fer_bench.targets import PRESENT, Targets

TRUE_TRUE, PRED_PRED, PRED_TRUE = "true_true", "pred_pred", "pred_true"
TRUE, PREDICTED = 0, 1  # columns of the classes that are explained


@dataclass
class Scores:
    """What one pass over a split gives.

    columns: `METRIC.LAYER_OR_EXPLAINER.TARGET.PAIRING` -> (N,) scores, NaN where undefined.
    sums: `att.LAYER` and `cam.EXPLAINER` -> (K, h, w) sums over the images of each true class; counts: (K,).
    grids: the same keys -> (h, w), the size of the classifier's own map.
    maps: `att.LAYER` of the last layer and `cam.EXPLAINER` of the true class -> (N, h, w), every image's own map.
    decision: `att_METRIC.LAYER..` -> (N,) scores of the attention against the decision, and their chance levels.
    """

    probabilities: np.ndarray
    columns: dict[str, np.ndarray]
    sums: dict[str, Tensor]
    counts: Tensor
    grids: dict[str, tuple[int, int]]
    maps: dict[str, Tensor]
    decision: dict[str, np.ndarray]


@dataclass
class Scorer:
    """Scores batches of one split with one classifier.

    explainers: those that support the classifier. metrics: names of metric plug-ins.
    """

    classifier: Classifier
    explainers: Sequence[str]
    metrics: Sequence[str]
    targets: Targets
    protocol: Protocol
    num_classes: int
    _parts: dict[str, list[np.ndarray]] = field(default_factory=dict)
    _probabilities: list[np.ndarray] = field(default_factory=list)
    _sums: dict[str, Tensor] = field(default_factory=dict)
    _grids: dict[str, tuple[int, int]] = field(default_factory=dict)
    _maps: dict[str, list[Tensor]] = field(default_factory=dict)
    _decision: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, rows: np.ndarray, batch: Batch) -> None:
        """Score a batch; `rows` are its positions in the split."""
        labels = batch["labels"]

        def true_and_predicted(output: Output) -> Tensor:
            return torch.stack([labels, output.logits.argmax(dim=1)], dim=1)

        cams, output = explain_all(self.classifier, batch["images"], true_and_predicted, self.explainers)
        require_finite(output, "evaluation")
        predicted = output.logits.argmax(dim=1)
        self._probabilities.append(output.logits.softmax(dim=1).numpy())
        truth = {name: self.targets.true(name, rows) for name in self.targets.names}
        for layer, features in output.features.items():
            self._score_attention(str(layer), precise(features).mean(dim=1), truth, labels)
        last = max(output.features)
        self._maps.setdefault(f"att.{last}", []).append(output.features[last].mean(dim=1))
        self._score_decision(batch, output)
        for name, maps in cams.items():
            self._score_cams(name, maps, truth, rows, predicted.numpy())
            self._accumulate(f"cam.{name}", maps[:, TRUE], labels)
            self._maps.setdefault(f"cam.{name}", []).append(maps[:, TRUE])

    @cached_property
    def _attention_metrics(self) -> list[MapMetric]:
        return map_metrics(self.metrics, "attention")

    @cached_property
    def _cam_metrics(self) -> list[MapMetric]:
        return map_metrics(self.metrics, "cams")

    @property
    def scores(self) -> Scores:
        """Everything scored so far."""
        return Scores(
            np.concatenate(self._probabilities),
            {name: np.concatenate(parts) for name, parts in self._parts.items()},
            self._sums,
            torch.bincount(torch.from_numpy(self.targets.labels), minlength=self.num_classes),
            self._grids,
            {name: torch.cat(parts) for name, parts in self._maps.items()},
            {name: np.concatenate(parts) for name, parts in self._decision.items()},
        )

    def _score_attention(self, layer: str, attention: Tensor, truth: dict[str, Tensor], labels: Tensor) -> None:
        resize, shift = self.protocol.resize, self.protocol.shift_in_score
        for metric in self._attention_metrics:
            for target, maps in truth.items():
                found = metric.per_image(attention, maps, resize, shift)
                self._keep(f"{metric.id}.{layer}.{target}.{TRUE_TRUE}", found)
        self._accumulate(f"att.{layer}", attention, labels)

    def _score_cams(
        self, explainer: str, cams: Tensor, truth: dict[str, Tensor], rows: np.ndarray, predicted: np.ndarray
    ) -> None:
        for target, maps in truth.items():
            pairs = {TRUE_TRUE: (cams[:, TRUE], maps), PRED_TRUE: (cams[:, PREDICTED], maps)}
            if target != PRESENT:  # what is present does not depend on a class
                pairs[PRED_PRED] = (cams[:, PREDICTED], self.targets.of_classes(target, rows, predicted))
            for pairing, (found, wanted) in pairs.items():
                for metric in self._cam_metrics:
                    # Class activation maps are brought to size by the half-pixel resize in both protocols.
                    score = metric.per_image(found, wanted, "halfpixel")
                    self._keep(f"{metric.id}.{explainer}.{target}.{pairing}", score)

    def _score_decision(self, batch: Batch, output: Output) -> None:
        last = max(output.features)
        metrics = [metric for metric in plugins(self.metrics) if isinstance(metric, DecisionMetric)]
        if not metrics:
            return
        parts = contributions(self.classifier, batch["images"], output, batch["labels"])
        for metric in metrics:
            for suffix, found in metric.per_image(output.features[last], parts).items():
                self._decision.setdefault(f"att_{metric.id}{suffix}.{last}..", []).append(found.numpy())

    def _keep(self, column: str, scores: Tensor) -> None:
        self._parts.setdefault(column, []).append(scores.numpy())

    def _accumulate(self, key: str, maps: Tensor, labels: Tensor) -> None:
        """Add maps (B, h, w) to the sum of each true class."""
        self._grids[key] = (int(maps.shape[1]), int(maps.shape[2]))
        empty = torch.zeros(self.num_classes, *maps.shape[1:], dtype=torch.float64)
        self._sums.setdefault(key, empty).index_add_(0, labels, maps.double())


def map_metrics(names: Sequence[str], needs: str) -> list[MapMetric]:
    """Those of the named metrics that score attention (`attention`) or class activation maps (`cams`)."""
    return [metric for metric in plugins(names) if metric.needs == needs]


def plugins(names: Sequence[str]) -> list[Any]:
    """The named metrics, made."""
    return [registry.plugin("metrics", name)() for name in names]
