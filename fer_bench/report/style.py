"""The look of every figure, and how figures are saved: the same results give the same bytes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

MAPS = "viridis"  # perceptually even, and readable without colour vision
RESOLUTION = 150  # dots per inch of the bitmap
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so text is set alike everywhere
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 10,
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


def palette(names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """A colour per name from a palette that is safe for colour-blind readers."""
    return dict(zip(names, sns.color_palette("colorblind", len(names)), strict=True))


def save(made: Figure, folder: Path, name: str, pdf: bool = True) -> None:
    """Save as NAME.png and, if asked, NAME.pdf, without creation date and without the name of the program."""
    folder.mkdir(parents=True, exist_ok=True)
    with look():
        made.draw_without_rendering()
        made.set_layout_engine("none")  # places are found once, not again for every format
        if pdf:
            made.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
        made.savefig(folder / f"{name}.png", dpi=RESOLUTION, metadata={"Software": None})


def bare(axes: Axes) -> None:
    """Remove ticks and frame: the panel is a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
