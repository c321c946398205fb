"""The face regions of the "facs" variant: rotated ellipses placed by facial anatomy and scaled by the face.

After the Facial Action Coding System (Ekman, Friesen and Hager, 2002): unlike the `paper` variant the regions follow
the head's roll, scale with the face instead of the image, are symmetric, and no two different actions of the mouth
corners share a place. Lengths are in units of D: the distance between the eye centres, or 0.87 times the distance from
the middle of the eyes to the middle of the mouth where that is longer, so that D does not collapse in profile views.
"""

import torch
from torch import Tensor

# Row of the region table -> the units (FACS numbers) that are drawn with it.
REGIONS: tuple[tuple[int, ...], ...] = (
    (1,),
    (2,),
    (4,),
    (5,),
    (6,),
    (7, 43),
    (9,),
    (10,),
    (11,),
    (12,),
    (14,),
    (15,),
    (16,),
    (17,),
    (20,),
    (22, 23, 24),
    (25,),
    (26, 27),
    (112,),
    (114,),
)
_ELLIPSES_PER_REGION = (2, 2, 1, 2, 4, 2, 2, 1, 2, 2, 2, 2, 1, 1, 2, 1, 1, 1, 1, 1)
# Ellipse -> its region row.
REGION_OF: tuple[int, ...] = tuple(row for row, count in enumerate(_ELLIPSES_PER_REGION) for _ in range(count))
Ellipse = tuple[Tensor, Tensor, Tensor]  # centre (N, 2), half axis along u (N,), along v (N,)
_THINNEST = 0.02  # D; a closed eye or mouth still is an ellipse


def forms(landmarks: Tensor) -> Tensor:
    """Return every ellipse as a centre and a quadratic form.

    Args:
        landmarks: (N, 68, 2) x, y in pixels; NaN rows give NaN, and so do landmarks that all coincide.

    Returns:
        (N, E, 5) float32: x, y, and p, q, r with p dx^2 + 2 q dx dy + r dy^2 = 1 on the edge of the ellipse;
        `REGION_OF` names the region of each.

    """
    face = _Face(landmarks.to(torch.float64))
    parts = [part for region in _regions(face) for part in region]
    centre = torch.stack([part[0] for part in parts], dim=1)
    half = torch.stack([torch.stack(part[1:], dim=-1) for part in parts], dim=1)
    scale = face.scale[:, None, None]
    inverse = 1 / torch.maximum(half, _THINNEST * scale).square()
    along, across = face.u.square()[:, None], face.u.prod(-1, keepdim=True)
    p = inverse[..., 0] * along[..., 0] + inverse[..., 1] * along[..., 1]
    r = inverse[..., 0] * along[..., 1] + inverse[..., 1] * along[..., 0]
    q = (inverse[..., 0] - inverse[..., 1]) * across
    table = torch.cat([centre, torch.stack([p, q, r], dim=-1)], dim=-1)
    usable = torch.isfinite(landmarks).all(-1).all(-1) & (face.scale > 0)
    return torch.where(usable[:, None, None], table, torch.nan).to(torch.float32)


def drawn(forms: Tensor, canvas: tuple[int, int]) -> Tensor:
    """Return (N, R) bool: whether the edge of any of a region's ellipses comes near the image.

    Args:
        forms: (N, E, 5) as `forms` gives them.
        canvas: (H, W) of the image; the test is whether the bounding box of an edge meets its pixel centres.

    """
    x, y, p, q, r = forms.unbind(-1)
    determinant = p * r - q * q
    across, down = (r / determinant).sqrt(), (p / determinant).sqrt()
    meets = (x + across >= 0) & (x - across <= canvas[1] - 1) & (y + down >= 0) & (y - down <= canvas[0] - 1)
    regions = torch.tensor(REGION_OF, device=forms.device).expand(len(forms), -1)
    count = torch.zeros(len(forms), len(REGIONS), device=forms.device)
    return count.scatter_add_(1, regions, meets.to(count)) > 0


class _Face:
    """Landmarks with the face's own frame: u along the eye line, v towards the chin, scale D."""

    def __init__(self, points: Tensor) -> None:
        self.points = points.unbind(1)
        left, right, mouth = self.mean(*range(36, 42)), self.mean(*range(42, 48)), self.mean(*range(48, 60))
        across = right - left
        down = mouth - (left + right) / 2
        distance = _length(across)
        self.scale = torch.maximum(distance, 0.87 * _length(down))
        level = torch.tensor([1.0, 0.0]).to(points)
        self.u = torch.where(distance[:, None] > 0, across / distance[:, None], level)
        v = torch.stack([-self.u[:, 1], self.u[:, 0]], dim=-1)
        self.v = torch.where((v * down).sum(-1, keepdim=True) < 0, -v, v)

    def mean(self, *index: int) -> Tensor:
        return torch.stack([self.points[number] for number in index]).mean(0)

    def half(self, first: int, second: int) -> Tensor:
        """Return half the distance between two landmarks, in pixels."""
        return _length(self.points[first] - self.points[second]) / 2

    def at(
        self, centre: Tensor, a: float | Tensor, b: float | Tensor, right: float = 0.0, down: float = 0.0
    ) -> Ellipse:
        """Place an ellipse: numbers are in units of D, tensors in pixels; `right` and `down` shift the centre."""
        moved = centre + self.scale[:, None] * (right * self.u + down * self.v)
        half_axes = [axis if isinstance(axis, Tensor) else axis * self.scale for axis in (a, b)]
        return moved, half_axes[0], half_axes[1]

    def pair(
        self, left: Tensor, right: Tensor, a: float | Tensor, b: float | Tensor, out: float = 0.0, down: float = 0.0
    ) -> list[Ellipse]:
        """Place two ellipses of equal size, each shifted outwards by `out` D."""
        return [self.at(left, a, b, -out, down), self.at(right, a, b, out, down)]


def _regions(face: _Face) -> list[list[Ellipse]]:
    """Return the ellipses of each row of REGIONS, in its order."""
    mean, half, pair = face.mean, face.half, face.pair
    corners = mean(48), mean(54)
    return [
        pair(mean(21), mean(22), 0.25, 0.25, down=-0.10),
        pair(mean(17, 18, 19), mean(24, 25, 26), 0.35, 0.25, down=-0.10),
        [face.at(mean(21, 22, 27), 0.45, 0.25)],
        _upper_lids(face),
        pair(mean(40, 41), mean(46, 47), 0.32, 0.22, out=0.12, down=0.25)
        + pair(mean(36), mean(45), 0.15, 0.18, out=0.15),
        _eyes(face),
        pair(mean(28, 39), mean(28, 42), 0.22, 0.28),
        [face.at(mean(33, 51), half(48, 54), half(33, 51) + 0.05 * face.scale)],
        pair(mean(31, 48), mean(35, 54), 0.22, 0.22),
        pair(*corners, 0.20, 0.20, out=0.10, down=-0.18),
        pair(*corners, 0.22, 0.22, out=0.20),
        pair(*corners, 0.20, 0.20, out=0.10, down=0.18),
        [face.at(mean(57, 66), half(48, 54), 0.15, down=0.08)],
        [face.at(mean(57, 8), 0.30, half(57, 8))],
        pair(*corners, 0.28, 0.28, out=0.15),
        [_lips(face, least=0.0)],
        [_lips(face, least=0.10)],
        [face.at(mean(51, 8), 0.45, half(51, 8))],
        [_higher(face, pair(*corners, 0.20, 0.20, out=0.10, down=-0.18))],
        [_higher(face, pair(*corners, 0.22, 0.22, out=0.20))],
    ]


def _higher(face: _Face, ellipses: list[Ellipse]) -> Ellipse:
    """Pick the ellipse of the mouth corner that is higher above the eye line's parallel, the image's left if alike.

    A label such as contempt does not say on which side it shows; the raised corner does.
    """
    rise = ((face.points[54] - face.points[48]) * face.v).sum(-1, keepdim=True)  # v points down
    (left, a, b), (right, _, _) = ellipses
    return torch.where(rise < 0, right, left), a, b


def _upper_lids(face: _Face) -> list[Ellipse]:
    return [
        face.at(face.mean(37, 38), face.half(36, 39), 0.12),
        face.at(face.mean(43, 44), face.half(42, 45), 0.12),
    ]


def _eyes(face: _Face) -> list[Ellipse]:
    """Return the eye apertures, 0.14 D taller on either side."""
    eyes = ((range(36, 42), (36, 39), (37, 38), (40, 41)), (range(42, 48), (42, 45), (43, 44), (46, 47)))
    placed = []
    for outline, corners, upper, lower in eyes:
        aperture = _length(face.mean(*upper) - face.mean(*lower))
        placed.append(face.at(face.mean(*outline), face.half(*corners), aperture / 2 + 0.14 * face.scale))
    return placed


def _lips(face: _Face, least: float) -> Ellipse:
    """Return the ellipse through the mouth corners (along u) and the lips' middle (along v), `least` D tall."""
    corners, middle = face.mean(48, 54), face.mean(51, 57)
    down = ((middle - corners) * face.v).sum(-1, keepdim=True)
    tall = torch.maximum(face.half(51, 57), least * face.scale)
    return face.at(corners + down * face.v, face.half(48, 54), tall)


def _length(vectors: Tensor) -> Tensor:
    return torch.hypot(vectors[..., 0], vectors[..., 1])
