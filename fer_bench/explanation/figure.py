"""An explanation as one picture: panels above, probabilities and coverage below, notes at the foot."""

from pathlib import Path
from textwrap import fill, shorten
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fer_bench.explanation import words
from fer_bench.explanation.panels import Panel
from fer_bench.explanation.units import ATTENTION, IDEAL
from fer_bench.report import labels, style

if TYPE_CHECKING:
    from fer_bench.explanation.explanation import Explanation

DOTS = 200  # per inch
SCALE = "maps: violet is the least, yellow the most of each map; outlines: regions of the predicted expression"
PER_ROW = 5
_EDGE, _GAP, _TITLE = 0.12, 0.06, 0.2  # inches
_CHART = 1.75  # inches, height of the charts
_ROW = 0.16  # inches a region
_BELOW, _LEGEND = 0.45, 0.15  # inches below the axes, and for each further row of the legend
LEGEND_COLUMNS = 3
_MARKS = {ATTENTION: "o", IDEAL: "|"}
_CAM_MARKS = ("s", "D", "^", "v", "P", "X")
_INK, _BLUE, _GREY = "#222222", "#1f5fa8", "#8a8a8a"


def write_png(explanation: "Explanation", path: Path) -> None:
    """Draw and write the picture; the same explanation gives the same pixels."""
    with style.look():
        figure = draw(explanation)
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=DOTS, metadata={"Software": None}, facecolor="white")


def draw(explanation: "Explanation") -> Figure:
    """Draw the figure, as wide as the text of a two-column page."""
    rows = [explanation.panels[start : start + PER_ROW] for start in range(0, len(explanation.panels), PER_ROW)]
    side = (style.TEXT - 2 * _EDGE - (PER_ROW - 1) * _GAP) / PER_ROW
    below = _BELOW + _LEGEND * ((len(_MARKS) + len(explanation.network.cams) - 1) // LEGEND_COLUMNS)
    chart = max(_CHART, 0.75 + _ROW * len(explanation.reading.own)) + below - _BELOW
    foot = fill(" ".join(_foot(explanation)), 150)
    height = 0.42 + len(rows) * (side + _TITLE) + 0.34 + chart + 0.14 + 0.115 * (foot.count("\n") + 1) + _EDGE
    figure = style.blank(style.TEXT, height)
    style.write(figure, _EDGE, 0.1, _headline(explanation), fontsize=9, weight="bold", va="top")
    style.write(figure, _EDGE, 0.27, _origin(explanation), fontsize=style.SMALL, color="#555555", va="top")
    for number, row in enumerate(rows):
        top = 0.42 + number * (side + _TITLE)
        for place, panel in enumerate(row):
            _panel(figure, panel, _EDGE + place * (side + _GAP), top + _TITLE, side)
    top = 0.42 + len(rows) * (side + _TITLE)
    right = style.TEXT - _EDGE
    style.write(figure, right, top + 0.04, SCALE, fontsize=style.SMALL, color="#555555", va="top", ha="right")
    top += 0.34
    _probabilities(style.place(figure, _EDGE + 0.62, top, 1.65, chart - below), explanation)
    _coverage(figure, explanation, top, chart - below)
    style.write(figure, _EDGE, top + chart + 0.06, foot, fontsize=style.SMALL, color=_INK, va="top")
    return figure


def _headline(explanation: "Explanation") -> str:
    value = explanation.probabilities[explanation.expression]
    return f"{explanation.expression} ({100 * value:.0f} %)"


def _origin(explanation: "Explanation") -> str:
    source = explanation.about.source
    return f"{explanation.network_name}; trained on {source.dataset_label}; {source.cell}"


def _foot(explanation: "Explanation") -> list[str]:
    """The notes but the longest ones, which the page and the documentation hold."""
    return [note for note in explanation.notes if note not in (words.COVERAGE, words.MAPS)]


def _panel(figure: Figure, panel: Panel, left: float, top: float, side: float) -> None:
    axes = style.place(figure, left, top, side, side)
    axes.imshow(panel.pixels, interpolation="antialiased")
    style.bare(axes)
    size = style.fitting([panel.title], side, 7)
    style.write(figure, left + side / 2, top - 0.05, panel.title, fontsize=size, ha="center", va="bottom")


def _probabilities(axes: Axes, explanation: "Explanation") -> None:
    names, values = zip(*explanation.probabilities.items(), strict=True)
    colours = [_BLUE if name == explanation.expression else _GREY for name in names]
    axes.barh(range(len(names)), values, color=colours, height=0.7)
    axes.axvline(1 / len(names), color=_INK, linewidth=0.6, linestyle=(0, (2, 2)))
    for place, value in enumerate(values):
        paper = {"facecolor": "white", "linewidth": 0, "pad": 0.6}
        axes.text(value + 0.02, place, f"{value:.2f}", va="center", fontsize=style.SMALL, bbox=paper)
    axes.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 1.12), xticks=[0, 0.5, 1])
    axes.invert_yaxis()
    axes.set_title("probability (dashed: all alike)", loc="left")


def _coverage(figure: Figure, explanation: "Explanation", top: float, height: float) -> None:
    """One row per region of the predicted expression, a mark per map, chance at 1."""
    left = _EDGE + 0.62 + 1.65 + 0.25
    regions = sorted(explanation.reading.own, key=lambda region: region.own)
    if not regions:
        style.write(figure, left, top + 0.2, fill(explanation.sentences[0], 60), fontsize=7, va="top")
        return
    names = [_short(words.called(region)) for region in regions]
    wide = max(style.width_of(name, style.SMALL) for name in names) + 0.08
    axes = style.place(figure, left + wide, top, style.TEXT - _EDGE - left - wide, height)
    marks = {**_MARKS, **dict(zip(explanation.network.cams, _CAM_MARKS, strict=False))}
    for key, mark in marks.items():
        known = [(region.coverage.get(key), place) for place, region in enumerate(regions)]
        points = [(value, place) for value, place in known if value is not None]
        if points:
            _marks(axes, key, mark, points)
    axes.axvline(1, color=_INK, linewidth=0.6, linestyle=(0, (2, 2)))
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set_xlim(left=0)
    axes.set_title("coverage of the action units (dashed: chance, 1)", loc="left")
    where = (1.0, -0.22 / height)
    axes.legend(
        loc="upper right", bbox_to_anchor=where, borderaxespad=0, ncols=LEGEND_COLUMNS, frameon=False, columnspacing=1.2
    )


def _marks(axes: Axes, key: str, mark: str, points: list[tuple[float, int]]) -> None:
    x, y = zip(*points, strict=True)
    colour = _BLUE if key == ATTENTION else _INK if key == IDEAL else "white"
    edge = None if key == IDEAL else _BLUE if key == ATTENTION else "#b3541e"
    word = {ATTENTION: "attention", IDEAL: "codebook's own map"}.get(key) or labels.explainer(key)
    size = 60 if key == IDEAL else 18
    axes.scatter(x, y, s=size, marker=mark, c=colour, edgecolors=edge, linewidths=1.0, label=word, zorder=3)


def _short(name: str) -> str:
    return shorten(name, 48, placeholder=" …")
