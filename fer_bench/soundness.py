"""Whether the numbers of an evaluation can be trusted: what cannot be is an error, what must be known is a flag."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, isfinite

from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.metrics.base import MetricBase
from fer_bench.score_rows import Row

CONSTANT, ONE_CLASS, UNSEEN, SEEN = "constant map", "one class predicted", "class not in selection", "seen in training"
Flag = dict[str, Any]  # flag: what it is; where: map or expression; count, of: images
_SLACK = 1e-6  # numbers are rounded to six decimals
_RELATIVE = ("_undefined", "_normalised", "_normalised_blind")  # counts, and scores that are ratios without bounds


def require_finite(output: Output, what: str) -> None:
    """Raise InputError where the logits or the features of a batch hold NaN or infinite numbers; `what` made them."""
    layers = {f"the features of layer {layer}": values for layer, values in output.features.items()}
    for name, values in {**layers, "the logits": output.logits}.items():
        good = isfinite(values).flatten(1).all(dim=1)
        if not bool(good.all()):
            first = int(np.flatnonzero(~good.cpu().numpy())[0])
            raise InputError(
                f"{what}: {name} are not finite for {int((~good).sum())} of {len(good)} images of a batch (first: "
                f"number {first}); the weights are of no use: train the cell again with a lower train.learning_rate, "
                "train.max_gradient_norm or train.precision: float32"
            )


def require_in_range(rows: Iterable[Row], metrics: Sequence[MetricBase], what: str) -> None:
    """Raise InputError for the first score that its metric cannot have; `what` was evaluated."""
    for row in rows:
        metric = next((one for one in metrics if _belongs(row["metric"], one)), None)
        if metric is None or row["value"] is None or row["metric"].endswith(_RELATIVE):
            continue
        low, high = metric.bounds
        if not (math.isfinite(row["value"]) and low - _SLACK <= row["value"] <= high + _SLACK):
            raise InputError(
                f"{what}: {row['metric']} is {row['value']}, outside {low:g}..{high:g}; the metric {metric.id} or what "
                "it was given is wrong, so nothing of this evaluation was written"
            )


def _belongs(name: str, metric: MetricBase) -> bool:
    return any(name == own or name.startswith(f"{own}_") for own in (metric.id, f"att_{metric.id}", f"cam_{metric.id}"))


def constant_maps(maps: Mapping[str, Tensor]) -> list[Flag]:
    """Flag maps without any shape; their cosines are 0 or a chance level by definition, not by what the network does.

    Args:
        maps: `att.LAYER` and `cam.EXPLAINER` -> (N, h, w), a map of NaN having become zeros before.
    """
    flags = []
    for name, values in maps.items():
        count = int((values.amax(dim=(1, 2)) == values.amin(dim=(1, 2))).sum())
        flags += [_flag(CONSTANT, name, count, len(values))] if count else []
    return flags


def one_class(predicted: np.ndarray, labels: np.ndarray, expressions: Sequence[str]) -> list[Flag]:
    """Flag a network that answers with one expression whatever it is shown; predicted and labels are (N,) class ids."""
    if len(np.unique(predicted)) > 1 or len(np.unique(labels)) < 2:
        return []
    return [_flag(ONE_CLASS, expressions[int(predicted[0])], len(predicted), len(predicted))]


def unseen_in_selection(index: pd.DataFrame, split: str, expressions: Sequence[str]) -> list[Flag]:
    """Flag expressions that no image of the split shows that the checkpoint was chosen on."""
    found = index.loc[index["split"] == split, "label"]
    return [_flag(UNSEEN, name, 0, len(found)) for name in expressions if name not in set(found)]


def seen_in_training(test: pd.DataFrame, trained_on: pd.DataFrame) -> list[Flag]:
    """Flag test images (rows of an index) whose very file is among the images that were trained on."""
    known = set(trained_on.loc[trained_on["split"] == "train", "sha256"])
    count = int(test["sha256"].isin(known).sum())
    return [_flag(SEEN, "same file", count, len(test))] if count else []


def _flag(flag: str, where: str, count: int, of: int) -> Flag:
    return {"flag": flag, "where": where, "count": count, "of": of}
