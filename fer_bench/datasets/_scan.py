"""One look at every image of a folder: is it sound, how large, which hashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fer_bench.datasets._duplicates import perceptual_hash
from fer_bench.datasets._fingerprint import FileDigest, digest_file
from fer_bench.datasets._images import check_bytes, decode
from fer_bench.datasets._parallel import parallel_map
from fer_bench.errors import InputError


@dataclass(frozen=True)
class Scan:
    """What is known of one image: size in pixels, perceptual hashes; `problem` is empty when it can be used."""

    file: FileDigest
    width: int = 0
    height: int = 0
    hashes: tuple[int, int] = (0, 0)
    problem: str = ""


def scan_image(name: str, folder: Path, max_pixels: int, min_side: int) -> Scan:
    """Read one image through; a bad one is reported in `problem`, never raised, so that all are found at once."""
    file = FileDigest(name, 0, "")
    try:
        file = digest_file(folder, name)
        check_bytes(folder / name, max_pixels)
        with (folder / name).open("rb") as stream:
            image = decode(stream, max_pixels)
    except InputError as error:
        return Scan(file, problem=str(error))
    height, width = image.shape[:2]
    if min(height, width) < min_side:
        return Scan(file, width, height, problem=f"{width}x{height} pixels, less than min_side {min_side}")
    return Scan(file, width, height, perceptual_hash(image))


def scan_images(
    names: Sequence[str], folder: Path, max_pixels: int, min_side: int, workers: int, progress: bool
) -> list[Scan]:
    """Scan many images (relative posix names), in the order given."""
    look = partial(scan_image, folder=folder, max_pixels=max_pixels, min_side=min_side)
    return parallel_map(look, names, workers, progress, "checking images")
