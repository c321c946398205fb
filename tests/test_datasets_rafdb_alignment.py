"""The geometry of aligned face crops, by hand: template, five points, similarity transform, boxes."""

import numpy as np
import pytest

from fer_bench.datasets._alignment import SIDE, TEMPLATE, align, apply, crop_box, five_points, overlap, similarity


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """Rotate (x towards y), scale, then shift points (N, 2)."""
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.asarray(points) @ np.array([(c, s), (-s, c)]) + shift


def coordinates(width: int, height: int) -> np.ndarray:
    """An image that shows its own coordinates: red = x, green = y, blue = 255."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, 255)], axis=2).astype(np.uint8)


def test_template_of_224_pixels() -> None:
    assert SIDE == 224
    published = [(76.59, 103.39), (147.06, 103.00), (112.05, 143.47), (83.10, 184.73), (141.46, 184.41)]
    assert TEMPLATE.round(2).tolist() == [list(point) for point in published]


def test_five_points_of_sixty_eight() -> None:
    points = np.zeros((68, 2))
    points[36:42] = [(0, 6), (1, 4), (3, 4), (4, 6), (3, 8), (1, 8)]  # mean (2, 6)
    points[42:48] = [(10, 7), (11, 5), (13, 5), (14, 7), (13, 9), (11, 9)]  # mean (12, 7)
    points[[30, 48, 54]] = [(7, 12), (3, 20), (11, 21)]
    assert five_points(points).tolist() == [[2, 6], [12, 7], [7, 12], [3, 20], [11, 21]]


@pytest.mark.parametrize(("degrees", "scale", "shift"), [(0, 1, (0, 0)), (30, 2, (10, -3)), (-135, 0.25, (400, 90))])
def test_a_similarity_is_recovered_exactly(degrees: float, scale: float, shift: tuple[float, float]) -> None:
    target = turned(TEMPLATE, degrees, scale, shift)
    matrix = similarity(TEMPLATE, target)
    assert apply(matrix, TEMPLATE) == pytest.approx(target)
    angle = np.radians(degrees)
    assert matrix[:, 0] == pytest.approx((scale * np.cos(angle), scale * np.sin(angle)))
    assert matrix[:, 2] == pytest.approx(shift)


def test_least_squares_by_hand() -> None:
    """(-1, -1), (0, -10), (4, 4) to (0, 0), (6, 3), (-2, 5).

    About their means (1, -7/3) and (4/3, 8/3): sum |s|^2 = 344/3, sum conj(s) t = -10/3 + 212/3 i, so a = -5/172 +
    53/86 i, and b = (4/3 + 8/3 i) - a (1 - 7/3 i) = -13/172 + 341/172 i.
    """
    found = similarity(np.array([(-1, -1), (0, -10), (4, 4)]), np.array([(0, 0), (6, 3), (-2, 5)]))
    expected = [(-5 / 172, -53 / 86, -13 / 172), (53 / 86, -5 / 172, 341 / 172)]
    assert found == pytest.approx(np.array(expected))


def test_a_mirrored_face_is_never_mirrored_back() -> None:
    mirrored = TEMPLATE * (-1, 1)
    matrix = similarity(TEMPLATE, mirrored)
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("sides", [(np.ones((5, 2)), TEMPLATE), (TEMPLATE, np.ones((5, 2)) / 3)])
def test_points_that_coincide(sides: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity(*sides)


def test_a_turned_face_lands_on_the_template() -> None:
    points = turned(TEMPLATE, 20, 0.5, (90, 20))
    crop, landed = align(coordinates(250, 200), points)
    assert crop.shape == (224, 224, 3)
    assert landed == pytest.approx(TEMPLATE)
    for column, row in TEMPLATE.round().astype(int):
        x, y = turned(np.array([(column, row)]), 20, 0.5, (90, 20))[0]
        assert crop[row, column, :2] == pytest.approx((x, y), abs=1)  # rounded, and interpolated at 1/32 px


def test_outside_the_photograph_is_black() -> None:
    crop, _ = align(coordinates(100, 100), TEMPLATE - (80, 80))  # the photograph begins at (80, 80) of the crop
    assert crop[:80].max() == crop[:, :80].max() == 0
    assert crop[80, 80].tolist() == [0, 0, 255]
    assert crop[179, 179].tolist() == [99, 99, 255]
    assert crop[180:].max() == 0


def test_the_fit_runs_from_the_template_to_the_photograph() -> None:
    """A mouth twice as far down: the scale is that of the fit to the photograph, not the inverse of the one back."""
    points = TEMPLATE.copy()
    points[3:, 1] += 80
    _, landed = align(coordinates(250, 250), points)
    forward = similarity(TEMPLATE, points)
    scale = np.hypot(*forward[:, 0])
    eyes = np.linalg.norm(points[1] - points[0])
    assert np.linalg.norm(landed[1] - landed[0]) == pytest.approx(eyes / scale)
    back = similarity(points, TEMPLATE)
    assert 1 / scale > np.hypot(*back[:, 0]) * 1.01


def test_intersection_over_union_by_hand() -> None:
    boxes = np.array([(0, 0, 10, 10), (5, 0, 15, 10), (10, 10, 20, 20), (2, 2, 4, 7), (-10, -10, 30, 30)])
    assert overlap((0, 0, 10, 10), boxes).tolist() == [1, 50 / 150, 0, 10 / 100, 100 / 1600]
    assert overlap((0, 0, 10, 10), np.empty((0, 4))).shape == (0,)


def test_box_crop_is_cut_at_whole_pixels_and_black_outside() -> None:
    image = coordinates(200, 150)
    exact = crop_box(image, (10.9, 20.2, 234.9, 244.2))  # 224 px wide: nothing is resized
    assert exact[0, 0].tolist() == [10, 20, 255]
    assert exact[129, 189].tolist() == [199, 149, 255]
    assert exact[130:].max() == exact[:, 190:].max() == 0
    assert crop_box(image, (10, 20, 66, 48)).shape == (224, 224, 3)
