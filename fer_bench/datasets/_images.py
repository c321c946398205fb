"""The one safe image reader, and the square PNG copies that are stored."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fer_bench.datasets._text import one_line
from fer_bench.errors import InputError

MAX_PIXELS = 50_000_000
_BYTES_PER_PIXEL = 8  # 16 bits for red, green, blue and transparency, stored without compression
_BYTES_BESIDES = 16 * 2**20  # colour profiles, previews and whatever else a file may carry
PILLOW_LIMIT = 178_956_970  # above this Pillow itself refuses to open a file
# named, because Pillow would also start outside programs for PostScript
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000")
_BACKGROUND = (128, 128, 128)
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_QUARTER_TURNS = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Fit = Literal["pad", "stretch"]
Result = TypeVar("Result")


def read_image(path: Path | str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read any ordinary image file as uint8 RGB (H, W, 3), upright.

    Grey, palette and CMYK images become RGB; 16-bit values are divided by 257; transparency is laid over
    mid grey (128); the EXIF orientation is applied; of an animation the first frame counts.

    Raises:
        InputError: the file is missing, empty, no image, damaged, truncated, of floating-point pixels, or
            its header announces more than `max_pixels` pixels (nothing is decoded then).
    """
    try:
        with Path(path).open("rb") as stream:
            check_bytes(Path(path), max_pixels)
            return decode(stream, max_pixels)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be opened: {error.strerror}") from error


def decode(stream: BinaryIO, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an open file as `read_image` does; the errors do not name the file."""
    return _opened(stream, max_pixels, lambda image: _to_rgb(ImageOps.exif_transpose(image)))


def check_bytes(path: Path, max_pixels: int = MAX_PIXELS) -> None:
    """Raise InputError for a file larger than an image of `max_pixels` can need, before it is read."""
    size, most = path.stat().st_size, max_pixels * _BYTES_PER_PIXEL + _BYTES_BESIDES
    if size > most:
        raise InputError(f"too large: a file of {size:,} bytes; max_pixels {max_pixels} needs {most:,} at most")


def size_of(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return width and height (upright, in pixels) of an image file's bytes; raises InputError as `decode` does.

    Of a JPEG file that begins and ends as it should the header alone is read; everything else is decoded.
    """
    if data.startswith(_JPEG_START) and data.endswith(_JPEG_END):
        return _opened(BytesIO(data), max_pixels, _upright_size)
    height, width = decode(BytesIO(data), max_pixels).shape[:2]
    return width, height


def _opened(stream: BinaryIO, max_pixels: int, use: Callable[[Image.Image], Result]) -> Result:
    """Open an image and use it; whatever is wrong with it becomes an InputError."""
    if not stream.read(1):
        raise InputError("empty file (0 bytes)")
    stream.seek(0)
    try:
        with Image.open(stream, formats=_FORMATS) as image:
            _check_pixels(image, max_pixels)
            return use(image)
    except UnidentifiedImageError:
        raise InputError(f"not an image that can be read; known formats: {', '.join(_FORMATS)}") from None
    except _BOMB as error:
        raise InputError(f"too large: {error}") from error
    except InputError:
        raise
    except Exception as error:  # decoders fail in many ways on damaged bytes (OSError, SyntaxError, struct.error)
        raise InputError(f"damaged or truncated image ({one_line(error)})") from error


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    turned = image.getexif().get(ExifTags.Base.Orientation) in _QUARTER_TURNS
    return (height, width) if turned else (width, height)


def to_grey(image: np.ndarray) -> np.ndarray:
    """Turn RGB (H, W, 3) into grey (H, W) by the luma weights of ITU-R BT.601."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def to_square(image: np.ndarray, side: int, fit: Fit) -> np.ndarray:
    """Bring an image to side x side pixels: `pad` keeps its proportions and repeats edge pixels, `stretch` does not."""
    if fit == "stretch":
        return _resize(image, side, side)
    height, width = image.shape[:2]
    scale = side / max(height, width)
    image = _resize(image, max(1, round(width * scale)), max(1, round(height * scale)))
    top, left = (side - image.shape[0]) // 2, (side - image.shape[1]) // 2
    bottom, right = side - image.shape[0] - top, side - image.shape[1] - left
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REPLICATE)


def save_png(image: np.ndarray, path: Path) -> None:
    """Write an (H, W) or (H, W, 3) uint8 image without loss, making the folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, format="PNG", compress_level=4)


def _resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    # Each axis is reduced by area averaging or enlarged linearly: neither aliases nor overshoots.
    reduced = (min(width, image.shape[1]), min(height, image.shape[0]))
    image = cv2.resize(image, reduced, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def _check_pixels(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise InputError(f"too large: {width}x{height} pixels, more than max_pixels {max_pixels}")


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise InputError("floating-point pixels have no known range; 8- or 16-bit images would work")
    if image.mode.startswith("I"):
        return _from_sixteen_bits(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*_BACKGROUND, 255)), image)
    return np.array(image.convert("RGB"))


def _from_sixteen_bits(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise InputError("32-bit integer pixels beyond 0..65535; 8- or 16-bit images would work")
    grey = ((values + 128) // 257).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
