"""The error of landmarks against a truth, in units that do not depend on the size of the face."""

import numpy as np

EYE_CORNERS = (36, 45)  # the outer corners of both eyes


def error_against(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return per image the mean distance over 68 points, divided by the true distance of the outer eye corners.

    This is the normalisation of the 300-W challenge (Sagonas et al. 2016, DOI 10.1016/j.imavis.2016.01.002).

    Args:
        points: (N, 68, 2) found; NaN where missing.
        truth: (N, 68, 2).

    Returns:
        (N,) float64, NaN where either is missing. 0.05 means 5 % of the distance.
    """
    points, truth = np.asarray(points, np.float64), np.asarray(truth, np.float64)
    eyes = np.linalg.norm(truth[:, EYE_CORNERS[0]] - truth[:, EYE_CORNERS[1]], axis=1)
    distances = np.linalg.norm(points - truth, axis=2).mean(axis=1)
    return distances / np.where(eyes > 0, eyes, np.nan)
