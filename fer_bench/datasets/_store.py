"""Stored copies of a folder's images: grey or colour, as they are or square, always lossless."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from fer_bench.datasets._images import Fit, read_image, save_png, to_grey, to_square
from fer_bench.datasets._parallel import parallel_map
from fer_bench.errors import InputError


def store_images(
    names: Sequence[tuple[str, str]],
    out: Path,
    max_pixels: int,
    grey: bool,
    size: int | None,
    fit: Fit,
    workers: int,
    progress: bool,
) -> list[tuple[int, int, str]]:
    """Store copies of (source file, name below `out`) pairs as PNG; returns (width, height, sha256) of each copy."""
    copy = partial(_store, out=out, max_pixels=max_pixels, grey=grey, size=size, fit=fit)
    return parallel_map(copy, names, workers, progress, "storing images")


def require_stored(root: Path, name: str, source: str) -> Path:
    """Return the folder of a dataset's stored images; InputError when this machine has not made them yet."""
    if not (root / "images").is_dir():
        raise InputError(
            f"{source}: no stored images in {root}; images that may not be published stay on the machine that "
            f"made them: run `dvc repro -f faces@{name}` here"
        )
    return root


def _store(
    names: tuple[str, str], out: Path, max_pixels: int, grey: bool, size: int | None, fit: Fit
) -> tuple[int, int, str]:
    image = read_image(names[0], max_pixels)
    image = to_grey(image) if grey else image
    image = to_square(image, size, fit) if size else image
    path = out / names[1]
    save_png(image, path)
    return image.shape[1], image.shape[0], sha256(path.read_bytes()).hexdigest()
