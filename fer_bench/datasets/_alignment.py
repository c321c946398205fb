"""Geometry of face crops: five points, the similarity transform onto a template, boxes and their overlap."""

import cv2
import numpy as np
from PIL import Image

SIDE = 224  # of a crop, pixels
# Eye centres, nose tip and mouth corners (the image's left first) in a crop of 224 px: twice the widely used template
# of face recognition for 112 px, which the preparation of RAF-DB in arXiv 2402.00281 takes from face.evoLVe.
TEMPLATE = 2 * np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
Box = tuple[float, float, float, float]  # left, top, right, bottom, pixels
_SMALLEST_SCALE = 1e-6  # a face a millionth of the template's size: its points coincide but for rounding


def five_points(points: np.ndarray) -> np.ndarray:
    """Return (5, 2) eye centres, nose tip and mouth corners of 68 iBUG points (68, 2), the image's left first."""
    points = np.asarray(points, np.float64)
    return np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit the rotation, scale and shift (2, 3) that bring points nearest to others by least squares; never a mirror.

    In complex numbers t = a s + b has the closed form a = sum(conj(s) t) / sum(|s|^2) of the centred points.

    Args:
        source: (N, 2), not all equal.
        target: (N, 2).

    Raises:
        ValueError: the points of either side coincide.
    """
    s, t = (np.asarray(points, np.float64) @ (1, 1j) for points in (source, target))
    spread = np.abs(s - s.mean()) ** 2
    scale = (np.conj(s - s.mean()) * (t - t.mean())).sum() / spread.sum() if spread.any() else 0
    if abs(scale) < _SMALLEST_SCALE:
        raise ValueError("points that coincide fix no similarity transform")
    shift = t.mean() - scale * s.mean()
    return np.array([(scale.real, -scale.imag, shift.real), (scale.imag, scale.real, shift.imag)])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (N, 2) by a transform (2, 3)."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def align(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the face with its five points as near to the template as a similarity transform brings them.

    As in the published preparation the transform is fitted from the template to the image, so that squared distances
    count in pixels of the photograph; the crop is interpolated linearly, and black where the photograph ends.

    Args:
        image: (H, W, 3) uint8.
        points: (5, 2) in pixels of the image, ordered as TEMPLATE.

    Returns:
        The crop (224, 224, 3) uint8, and where the five points lie in it, (5, 2).

    Raises:
        ValueError: the points coincide.
    """
    to_image = similarity(TEMPLATE, points)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, to_image, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return crop, apply(cv2.invertAffineTransform(to_image), points)


def crop_box(image: np.ndarray, box: Box) -> np.ndarray:
    """Cut out a box at whole pixels and resize it (Lanczos) to (224, 224, 3); black where the image ends."""
    left, top, right, bottom = (int(edge) for edge in box)
    cut = Image.fromarray(image).crop((left, top, right, bottom))
    return np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def overlap(box: Box, boxes: np.ndarray) -> np.ndarray:
    """Return the intersection over union, in [0, 1], of a box with each of (N, 4); left, top, right, bottom."""
    one, many = np.asarray(box, np.float64), np.asarray(boxes, np.float64).reshape(-1, 4)
    corners = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:], many[:, 2:])
    common = np.prod(np.maximum(corners[1] - corners[0], 0), axis=1)
    areas = np.prod(one[2:] - one[:2]) + np.prod(many[:, 2:] - many[:, :2], axis=1)
    return common / (areas - common)
