"""Pictures of an explanation, as pixels: the photograph, the face, and maps laid over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_bench.explanation.face import Face
from fer_bench.explanation.units import Region, UnitReading
from fer_bench.minmax import min_max
from fer_bench.report import style

SIDE = 384  # pixels of the longer side of a panel
ALPHA = 0.55  # of a map over a face
_LINE, _HALO = (255, 255, 255), (20, 20, 20)
_LETTERS = 17  # pixels
Places = dict[tuple[int, ...], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture (H, W, 3) uint8, its title, and what it shows in words for those who do not see it."""

    key: str
    title: str
    words: str
    pixels: np.ndarray


def photograph(pixels: np.ndarray, face: Face) -> np.ndarray:
    """The whole photograph, reduced, with landmarks and the edges of the crop."""
    scale = SIDE / max(pixels.shape[:2])
    small = _resized(pixels, scale)
    _outline(small, (face.corners + 0.5) * scale - 0.5)
    for x, y in (face.detection.points + 0.5) * scale - 0.5:
        _dot(small, x, y)
    return small


def enlarged(face: Face) -> np.ndarray:
    """The face crop at the size of a panel."""
    return _resized(face.crop, SIDE / max(face.crop.shape[:2]))


def overlay(face: Face, values: np.ndarray, regions: Sequence[Region], numbers: bool = False) -> np.ndarray:
    """Lay a map over the face, between its own extremes, with outlines of regions and, where asked, their numbers.

    Args:
        face: the face.
        values: (h, w) map.
        regions: what to outline.
        numbers: whether outlines carry the numbers of their units.
    """
    picture = enlarged(face)
    height, width = picture.shape[:2]
    low_high = np.clip(_stretched(values), 0, 1)
    large = np.asarray(Image.fromarray(low_high).resize((width, height), Image.Resampling.BILINEAR))
    coloured = 255 * matplotlib.colormaps[style.MAPS](large)[..., :3]
    mixed = np.rint((1 - ALPHA) * picture + ALPHA * coloured).astype(np.uint8)
    for region in regions:
        _contour(mixed, region.mask)
    return _numbered(mixed, regions) if numbers else mixed


def outlined(face: Face, regions: Sequence[Region]) -> np.ndarray:
    """The face with numbered regions and no map."""
    picture = enlarged(face)
    for region in regions:
        _contour(picture, region.mask)
    return _numbered(picture, regions)


def unit_map(face: Face, reading: UnitReading) -> np.ndarray:
    """The action unit map of the predicted expression with numbered regions; the face alone where there is none."""
    if reading.target is None:
        return enlarged(face)
    return overlay(face, reading.target, reading.own, numbers=True)


def _stretched(values: np.ndarray) -> np.ndarray:
    import torch  # noqa: PLC0415 - only for the one definition of min-max

    return min_max(torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None])[0].numpy()


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=how))


def _contour(picture: np.ndarray, mask: np.ndarray) -> None:
    large = cv2.resize(mask.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    rounded = cv2.GaussianBlur(large, (0, 0), picture.shape[1] / mask.shape[1])  # no stairs of the coarser mask
    found, _ = cv2.findContours((rounded >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for colour, thickness in ((_HALO, 3), (_LINE, 1)):
        cv2.drawContours(picture, found, -1, colour, thickness, cv2.LINE_AA)


def _outline(picture: np.ndarray, corners: np.ndarray) -> None:
    points = np.round(corners * 16).astype(np.int32)
    for colour, thickness in ((_HALO, 4), (_LINE, 2)):
        cv2.polylines(picture, [points], True, colour, thickness, cv2.LINE_AA, 4)


def _dot(picture: np.ndarray, x: float, y: float) -> None:
    place = (round(x * 16), round(y * 16))
    for colour, radius in ((_HALO, 2.2), (_LINE, 1.3)):
        cv2.circle(picture, place, round(radius * 16), colour, -1, cv2.LINE_AA, 4)


def _numbered(picture: np.ndarray, regions: Sequence[Region]) -> np.ndarray:
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    taken: list[tuple[float, float, float, float]] = []
    for region in regions:
        words = ", ".join(map(str, region.shown))
        box = _free_place(draw, words, _centres(region.mask, image.size), taken, image.size)
        if box is not None:
            taken.append(box)
            draw.text(box[:2], words, font=_font(), fill=_LINE, stroke_width=2, stroke_fill=_HALO, anchor="la")
    return np.asarray(image)


def _centres(mask: np.ndarray, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Centres of the parts of a region in pixels of a picture, the image's right first, so that numbers spread."""
    count, _, _, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    factor = np.array(size) / mask.shape[0]
    return [(float(x), float(y)) for x, y in sorted(((centres[1:count] + 0.5) * factor).tolist(), reverse=True)]


def _free_place(
    draw: ImageDraw.ImageDraw,
    words: str,
    centres: list[tuple[float, float]],
    taken: list[tuple[float, float, float, float]],
    size: tuple[int, int],
) -> tuple[float, float, float, float] | None:
    """Return a box for the words near one of the centres that meets no box taken and stays inside the picture."""
    left, top, right, bottom = draw.textbbox((0, 0), words, font=_font(), stroke_width=2, anchor="la")
    width, height = right - left, bottom - top
    for step in (0, 1, -1, 2, -2, 3, -3):
        for x, y in centres:
            start = min(max(x - width / 2, 2), size[0] - width - 2)
            high = min(max(y - height / 2 + step * (height + 1), 2), size[1] - height - 2)
            box = (start, high, start + width, high + height)
            if not any(_meet(box, other) for other in taken):
                return box
    return None


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), _LETTERS)
