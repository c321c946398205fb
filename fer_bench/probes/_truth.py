"""How well a map finds pixels that are known to matter: energy, precision-recall and pointing, per image."""

from collections.abc import Callable

import numpy as np
from sklearn.metrics import average_precision_score


def energy(map_: np.ndarray, truth: np.ndarray) -> float:
    """Share of a map's sum on the true pixels: non-negative (H, W) and (H, W) bool; NaN for a map of zeros.

    Wang et al. 2020 (Score-CAM), DOI 10.1109/CVPRW50498.2020.00020, section 4.3, there with a box.
    """
    total = float(map_.sum())
    return float(map_[truth].sum() / total) if total > 0 else float("nan")


def precision(map_: np.ndarray, truth: np.ndarray) -> float:
    """Area under precision-recall of the pixels, as average precision; NaN for a map of zeros."""
    return float(average_precision_score(truth.ravel(), map_.ravel())) if map_.any() else float("nan")


def pointing(map_: np.ndarray, truth: np.ndarray) -> float:
    """1 where the largest pixel is a true one, else 0; of equal pixels their share; NaN for a map of zeros.

    Zhang et al. 2018 (Excitation Backprop), DOI 10.1007/s11263-017-1059-x, without its tolerance of 15 pixels.
    """
    return float(truth[map_ == map_.max()].mean()) if map_.any() else float("nan")


# The chance level of each, that of a map without any knowledge, is the share of true pixels.
SCORES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "energy": energy,
    "precision": precision,
    "pointing": pointing,
}
