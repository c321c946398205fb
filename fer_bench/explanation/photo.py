"""A photograph: read, or given as pixels; and which files a person means by a list of files and folders."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_bench.datasets import read_image
from fer_bench.errors import InputError

# Endings of what `read_image` reads; a folder's other files are not photographs.
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".jp2")


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph; name: of its file, without folders; sha256: of its bytes; pixels: (H, W, 3) uint8 RGB, upright."""

    name: str
    sha256: str
    pixels: np.ndarray


def read_photo(photo: Path | str | np.ndarray) -> Photo:
    """Read a file (upright by its EXIF orientation, its size checked before it is decoded), or take pixels.

    Raises:
        InputError: no readable image, or no (H, W, 3) uint8.
    """
    if isinstance(photo, np.ndarray):
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
            raise InputError(f"photo: an array of {photo.dtype} {photo.shape}; (H, W, 3) uint8 RGB would work")
        pixels = np.ascontiguousarray(photo)
        return Photo("array", hashlib.sha256(pixels.tobytes()).hexdigest(), pixels)
    path = Path(photo)
    pixels = read_image(path)
    return Photo(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), pixels)


def listed(given: Iterable[Path]) -> list[Path]:
    """Files as given, folders as the photographs directly in them, sorted by name; InputError for what is neither."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and one.suffix.lower() in ENDINGS)
            if not inside:
                raise InputError(f"{path}: no photograph in this folder; looked for {', '.join(ENDINGS)}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    return list(dict.fromkeys(found))
