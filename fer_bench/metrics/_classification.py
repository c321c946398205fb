"""Counts that every score of predictions is made from."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import confusion_matrix as sklearn_confusion


def predicted_classes(probabilities: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,) most probable class; the first one on a tie."""
    return np.asarray(probabilities).argmax(axis=1)


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Count images, (K, K): rows are true classes, columns predicted ones; absent classes keep their zeros."""
    if len(labels) == 0:
        return np.zeros((num_classes, num_classes), dtype=np.int64)
    return np.asarray(sklearn_confusion(labels, predicted, labels=np.arange(num_classes)))


def counted_classes(labels: np.ndarray, expressions: Sequence[str], minimum: int) -> tuple[list[int], tuple[str, ...]]:
    """Split the classes into ids with at least `minimum` images (and at least one) and names of the others."""
    counts = np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(expressions))
    counted = [k for k in range(len(expressions)) if counts[k] >= max(minimum, 1)]
    return counted, tuple(name for k, name in enumerate(expressions) if k not in counted)
