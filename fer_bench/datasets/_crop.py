"""Crops of face boxes: the stored square and how landmarks of the whole image move with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from fer_bench.datasets._images import Fit, read_image, save_png, to_square
from fer_bench.datasets._parallel import parallel_map
from fer_bench.errors import InputError

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels; right and bottom lie just outside


@dataclass(frozen=True)
class CropSettings:
    """How boxes become stored images.

    size: side in pixels, None for the box as it is; fit: `pad` or `stretch`; margin: share of the box's sides added on
    each side; min_side, max_pixels: limits of a usable box and image.
    """

    size: int | None
    fit: Fit
    margin: float
    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Crop:
    """A stored crop: size in pixels, hash of the file, and scale and shift (x, y) that take image points into it.

    `problem` is empty when it could be made; `enlarged` says that the box was smaller than the stored square.
    """

    width: int = 0
    height: int = 0
    sha256: str = ""
    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    enlarged: bool = False
    problem: str = ""

    def move(self, points: np.ndarray) -> np.ndarray:
        """Take points (..., 2) in pixels of the whole image into the crop; the centre of pixel i is i in both."""
        return (points + 0.5) * np.array(self.scale) + np.array(self.shift) - 0.5


def store_crops(
    tasks: Sequence[tuple[str, Box, str]], out: Path, settings: CropSettings, workers: int, progress: bool
) -> list[Crop]:
    """Store a PNG for each (image file, box, name below `out`), in the order given; bad ones are told, never raised."""
    return parallel_map(partial(_store, out=out, settings=settings), tasks, workers, progress, "cropping faces")


def _store(task: tuple[str, Box, str], out: Path, settings: CropSettings) -> Crop:
    source, box, name = task
    try:
        image = read_image(source, settings.max_pixels)
        left, top, right, bottom = _inside(box, image.shape[1], image.shape[0], settings)
    except InputError as error:
        return Crop(problem=str(error))
    face = image[top:bottom, left:right]
    scale, shift = _placement(face.shape[1], face.shape[0], settings)
    square = to_square(face, settings.size, settings.fit) if settings.size else face
    save_png(square, out / name)
    return Crop(
        width=square.shape[1],
        height=square.shape[0],
        sha256=sha256((out / name).read_bytes()).hexdigest(),
        scale=scale,
        shift=(shift[0] - left * scale[0], shift[1] - top * scale[1]),
        enlarged=max(scale) > 1,
    )


def _inside(box: Box, width: int, height: int, settings: CropSettings) -> tuple[int, int, int, int]:
    """Widen the box by the margin, round it to pixels and cut it at the border of the image."""
    left, top, right, bottom = box
    across, down = settings.margin * (right - left), settings.margin * (bottom - top)
    found = (
        max(0, round(left - across)),
        max(0, round(top - down)),
        min(width, round(right + across)),
        min(height, round(bottom + down)),
    )
    if min(found[2] - found[0], found[3] - found[1]) < settings.min_side:
        given = ", ".join(f"{value:g}" for value in box)
        raise InputError(
            f"the box (left, top, right, bottom) {given} leaves less than min_side {settings.min_side} pixels "
            f"of the {width}x{height} image"
        )
    return found


def _placement(width: int, height: int, settings: CropSettings) -> tuple[tuple[float, float], tuple[float, float]]:
    """Scale and shift (x, y) of `to_square`."""
    side = settings.size
    if side is None:
        return (1.0, 1.0), (0.0, 0.0)
    if settings.fit == "stretch":
        return (side / width, side / height), (0.0, 0.0)
    factor = side / max(width, height)
    inner = max(1, round(width * factor)), max(1, round(height * factor))
    return (inner[0] / width, inner[1] / height), ((side - inner[0]) // 2, (side - inner[1]) // 2)
