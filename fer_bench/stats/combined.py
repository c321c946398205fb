"""An interval for other trainings and other faces at once, from the interval of either.

A difference errs by its trainings and by its faces. The reaches of the two intervals are added in quadrature, on each
side for itself: the method of variance estimates recovery (Zou and Donner 2008, DOI 10.1002/sim.3095). What one
training does on one face is part of the spread over seeds and of the spread over faces, so it counts twice: the
interval covers rather more than it says, and is never narrower than either of the two.
"""

Interval = tuple[float, float]


def combined_interval(value: float, trainings: Interval | None, faces: Interval) -> Interval | None:
    """Interval of `value` over other trainings and other faces; None without an interval over trainings."""
    if trainings is None:
        return None
    below = _quadrature(value - trainings[0], value - faces[0])
    above = _quadrature(trainings[1] - value, faces[1] - value)
    return float(value - below), float(value + above)


def _quadrature(first: float, second: float) -> float:
    """Root of the sum of squares; a percentile interval that ends on the other side of the value reaches nowhere."""
    return float((max(first, 0.0) ** 2 + max(second, 0.0) ** 2) ** 0.5)
