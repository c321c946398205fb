"""The look of every figure, and how figures are saved: the same results give the same bytes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import TextPath
from PIL import Image

MAPS = "viridis"  # perceptually even, and readable without colour vision
PAPER_MAPS = "jet"  # the colours of the paper's own figures
COLUMN, TEXT = 3.5, 7.16  # inches: a column and the text of a two-column page, so that figures are printed unscaled
PIXELS, SCREEN = 1000, 170  # of a bitmap: largest width, and dots per inch of what is narrower
PRINT = 100  # dots per inch of pictures inside a PDF, whose maps are coarser; words and lines have none
FACES = 100  # dots per inch of photographs with maps: the faces that are drawn have about as many pixels
COLOURS, BITMAP_COLOURS = 96, 256  # of one picture of a face, and of a whole bitmap
PICTURE = "picture"  # marks axes that hold a photograph
SMALL = 6  # points, the smallest letters
Item = TypeVar("Item")
Colour = tuple[float, float, float]
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so text is set alike everywhere
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": SMALL,
    "figure.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,  # real fonts in the file: text stays text
    "svg.hashsalt": "fer-bench",
}


@contextmanager
def look() -> Iterator[None]:
    """Apply our style inside a `with` block, whatever the user's own settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(sns.axes_style("ticks"))
        matplotlib.rcParams.update(_STYLE)
        yield


def figure(width: float, height: float) -> Figure:
    """An empty figure, sizes in inches, that belongs to no window system and to no global state."""
    gaps = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
    made = Figure(figsize=(width, height), layout=gaps)
    FigureCanvasAgg(made)
    return made


def blank(width: float, height: float) -> Figure:
    """An empty figure, sizes in inches, whose axes are placed by hand with `place`."""
    made = Figure(figsize=(width, height))
    FigureCanvasAgg(made)
    return made


def place(made: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a distance from the left and upper edge of a figure, in inches."""
    full_width, full_height = made.get_size_inches()
    box = (left / full_width, 1 - (top + height) / full_height, width / full_width, height / full_height)
    return made.add_axes(box)


def write(made: Figure, left: float, top: float, words: str, **options: Any) -> None:
    """Words at a distance from the left and upper edge of a figure, in inches."""
    width, height = made.get_size_inches()
    made.text(left / width, 1 - top / height, words, **options)


def width_of(words: str, size: float) -> float:
    """Width in inches of the longest line of words in our font."""
    font = FontProperties(family=_STYLE["font.family"], size=size)
    lines = [line for line in words.splitlines() if line.strip()]
    return max((TextPath((0, 0), line, prop=font).get_extents().width for line in lines), default=0.0) / 72


def fitting(words: Sequence[str], width: float, size: float = SMALL) -> float:
    """The size in points, at most `size`, in which the longest of the words is no wider than `width` inches."""
    return min(size, size * width / max(width_of(word, size) for word in words))


def palette(names: Sequence[str]) -> dict[str, Colour]:
    """A colour per name from a palette that is safe for colour-blind readers."""
    return dict(zip(names, sns.color_palette("colorblind", len(names)), strict=True))


def save(made: Figure, folder: Path, name: str, pdf: bool = True) -> None:
    """Save as NAME.png and, if asked, NAME.pdf, without creation date and without the name of the program."""
    folder.mkdir(parents=True, exist_ok=True)
    faces = any(axes.get_gid() == PICTURE for axes in made.axes)
    dots = FACES if faces else min(SCREEN, PIXELS / made.get_figwidth())
    with look():
        made.set_dpi(
            dots
        )  # letters are a little wider at some resolutions: room is made for them at the one of the bitmap
        made.draw_without_rendering()
        made.set_layout_engine("none")  # places are found once, not again for every format
        if pdf:
            dateless = {"CreationDate": None, "Creator": None, "Producer": None}
            made.savefig(folder / f"{name}.pdf", dpi=FACES if faces else PRINT, metadata=dateless)
        made.savefig(folder / f"{name}.png", dpi=dots, metadata={"Software": None})
    shrink(folder / f"{name}.png")


def shrink(path: Path) -> None:
    """Write a bitmap anew in few bytes: at most PIXELS wide, in BITMAP_COLOURS colours."""
    with Image.open(path) as opened:
        made = opened.convert("RGB")
    made.thumbnail((PIXELS, made.height), Image.Resampling.LANCZOS)
    few_colours(made, BITMAP_COLOURS).save(path, optimize=True)


def picture(axes: Axes, pixels: np.ndarray) -> None:
    """Fill axes with a photograph (H, W, 3), 0 to 255, at the resolution and in the number of colours of all pictures.

    Pixels are those of the file, so that neither format has to invent or keep any others.
    """
    made = axes.figure
    assert isinstance(made, Figure)  # no axes of ours lie in a part of a figure
    width, height = axes.get_position().size * made.get_size_inches() * FACES
    resized = Image.fromarray(np.rint(pixels).astype(np.uint8)).resize(
        (max(round(width), 1), max(round(height), 1)), Image.Resampling.BICUBIC
    )
    axes.imshow(np.asarray(few_colours(resized, COLOURS).convert("RGB")), interpolation="none", aspect="auto")
    axes.set_gid(PICTURE)
    bare(axes)


def few_colours(made: Image.Image, count: int) -> Image.Image:
    """The same image with its own palette: median cut, then a round of k-means, which keeps rare colours true."""
    return made.quantize(count, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)


def chunks(items: Sequence[Item], size: int) -> list[tuple[str, list[Item]]]:
    """Parts of at most `size` items, each with the ending of its file's name: nothing, -2, -3 and so on."""
    parts = [list(items[start : start + size]) for start in range(0, len(items), size)]
    return [("" if number == 1 else f"-{number}", part) for number, part in enumerate(parts, start=1)]


def bare(axes: Axes) -> None:
    """Remove ticks and frame: the panel is a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
