"""Pictures and maps as data inside the page: small PNG files that the browser enlarges."""

import base64
import io
from dataclasses import dataclass

import matplotlib
import numpy as np
from PIL import Image

from fer_bench.report import style

LEVELS = 64  # colours of a map; the browser fills in between its pixels
THIRDS = (("upper", "middle", "lower"), ("left", "centre", "right"))


@dataclass(frozen=True)
class Picture:
    """A picture: uri holds the file itself, alt says what it shows, width and height are in pixels."""

    uri: str
    alt: str
    width: int
    height: int


def face(pixels: np.ndarray, alt: str) -> Picture:
    """A photograph (H, W, 3), 0 to 255, in the number of colours of all pictures of faces."""
    made = Image.fromarray(np.rint(pixels).astype(np.uint8))
    return _picture(style.few_colours(made, style.COLOURS), alt)


def heat_map(values: np.ndarray, alt: str, limits: tuple[float, float] | None = None) -> Picture:
    """A map (h, w) in colours, pixel by pixel; limits: values of the darkest and lightest colour, else its own."""
    low, high = limits or (float(values.min()), float(values.max()))
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    made = Image.fromarray(np.rint(share.clip(0, 1) * (LEVELS - 1)).astype(np.uint8), mode="L")
    coloured = Image.new("P", made.size)
    coloured.putdata(list(made.tobytes()))
    coloured.putpalette(_palette())
    return _picture(coloured, alt)


def where(values: np.ndarray) -> str:
    """Words for the part of a map (h, w) with the largest sum, of three times three parts."""
    rows, columns = (np.array_split(np.arange(size), 3) for size in values.shape)
    sums = np.array([[values[np.ix_(row, column)].mean() for column in columns] for row in rows])
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    return f"strongest {THIRDS[0][row]} {THIRDS[1][column]}"


def saved(path_content: bytes, alt: str) -> Picture:
    """A PNG file as it is."""
    with Image.open(io.BytesIO(path_content)) as opened:
        width, height = opened.size
    return Picture(_uri(path_content), alt, width, height)


def _palette() -> list[int]:
    colours = matplotlib.colormaps[style.MAPS](np.linspace(0, 1, LEVELS))[:, :3]
    return [int(number) for number in np.rint(255 * colours).astype(int).ravel()]


def _picture(made: Image.Image, alt: str) -> Picture:
    buffer = io.BytesIO()
    made.save(buffer, format="PNG", optimize=True)
    return Picture(_uri(buffer.getvalue()), alt, *made.size)


def _uri(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
