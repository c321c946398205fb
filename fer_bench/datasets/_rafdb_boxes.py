"""Do the annotated boxes hold the faces? Tells in which order their numbers stand, from the data itself."""

import logging

import numpy as np

from fer_bench.datasets._rafdb_files import BoxOrder

logger = logging.getLogger(__name__)
_OTHER: dict[BoxOrder, BoxOrder] = {"correct": "swapped", "swapped": "correct"}


def check_order(
    boxes: np.ndarray, points: np.ndarray, sizes: np.ndarray, order: BoxOrder, source: str
) -> dict[str, dict[str, float]]:
    """Measure both orders and warn when the other one fits better than the chosen one.

    Args:
        boxes: (N, 4) left, top, right, bottom under the chosen order.
        points: (N, 5, 2) annotated points, NaN where there are none.
        sizes: (N, 2) width and height of the photographs.
        order: the chosen one.
        source: where the dataset stands in params.yaml.

    Returns:
        Order -> `centres_in_image`: share of boxes whose centre lies in the photograph; `points_in_box`: share of boxes
        that hold all five annotated points (absent where there are none).
    """
    swapped = boxes[:, [1, 0, 3, 2]]
    found = {order: _shares(boxes, points, sizes), _OTHER[order]: _shares(swapped, points, sizes)}
    worse = [name for name, share in found[order].items() if share < found[_OTHER[order]][name]]
    if worse:
        logger.warning(
            "%s.box_order: %r fits worse than %r (%s); is it meant?",
            source,
            order,
            _OTHER[order],
            ", ".join(f"{name} {found[order][name]:.3f} against {found[_OTHER[order]][name]:.3f}" for name in worse),
        )
    return {name: found[name] for name in sorted(found)}


def _shares(boxes: np.ndarray, points: np.ndarray, sizes: np.ndarray) -> dict[str, float]:
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    shares = {"centres_in_image": _share((centres < sizes).all(axis=1))}
    known = np.isfinite(points).all(axis=(1, 2))
    if known.any():
        low, high = boxes[known, None, :2], boxes[known, None, 2:]
        shares["points_in_box"] = _share(((points[known] >= low) & (points[known] <= high)).all(axis=(1, 2)))
    return shares


def _share(hits: np.ndarray) -> float:
    return round(float(hits.mean()), 4)
