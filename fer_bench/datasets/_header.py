"""One look at the bytes of every image: hash and size without decoding, for collections of hundreds of thousands."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from fer_bench.datasets._fingerprint import FileDigest
from fer_bench.datasets._images import check_bytes, size_of
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._scan import Scan
from fer_bench.errors import InputError


def scan_header(name: str, folder: Path, max_pixels: int, min_side: int) -> Scan:
    """Hash one image and read its size; a bad one is reported in `problem`, never raised.

    A JPEG file is not decoded: one that is cut off is found, since it lacks its last bytes, but damage within is not.
    """
    try:
        check_bytes(folder / name, max_pixels)
        data = (folder / name).read_bytes()
    except InputError as error:
        return Scan(FileDigest(name, 0, ""), problem=str(error))
    except OSError as error:
        return Scan(FileDigest(name, 0, ""), problem=f"cannot be read: {error.strerror}")
    file = FileDigest(name, len(data), sha256(data).hexdigest())
    try:
        width, height = size_of(data, max_pixels)
    except InputError as error:
        return Scan(file, problem=str(error))
    small = f"{width}x{height} pixels, less than min_side {min_side}" if min(width, height) < min_side else ""
    return Scan(file, width, height, problem=small)


def scan_headers(
    names: Sequence[str], folder: Path, max_pixels: int, min_side: int, workers: int, progress: bool
) -> list[Scan]:
    """Look at many images (relative posix names), in the order given; their perceptual hashes stay (0, 0)."""
    look = partial(scan_header, folder=folder, max_pixels=max_pixels, min_side=min_side)
    return parallel_map(look, names, workers, progress, "checking images")
