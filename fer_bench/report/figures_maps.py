"""Average attention and class activation maps per expression, in the layout of the paper's Figures 6 to 9."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from fer_bench.report import labels, mean_maps, methods, style
from fer_bench.report.mean_maps import Line
from fer_bench.report.results import Pair, Results
from fer_bench.report.value import MINUS

LINES = 10  # rows of panels in one figure, without that of the action units; more go to a second one
ROOM, GAP = 0.06, 0.03  # inches around panels, and between rows
TITLE, HEADING, BAR = 0.30, 0.14, 0.05  # inches: title, names of the expressions, width of a colour bar
NUMBER = 5  # points, the numbers of a colour bar
BORDER = 2 / 128  # width of the line between panels as a share of a panel: 2 of 128 pixels, as in the paper
BORDER_COLOUR = "darkorange"

Limits = tuple[float, float]


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure): attention per pair of datasets, activation maps per pair and network, each twice.

    Every map is a mean over the test images of the true expression, then over seeds. The first figure is in the paper's
    colours, each panel between its own minimum and maximum; the one named `shared` has one colour scale per row.
    """
    for pair in results.drawn_pairs:
        yield from _sheets(results, pair, "attention", "attention", pair.name, mean_maps.attention(results, pair))
        for network in methods.networks(results):
            blocks = mean_maps.activation(results, pair, network)
            what = f"class activation maps, {network.label}"
            yield from _sheets(results, pair, "cam", what, f"{pair.name}-{network.models[0]}", blocks)


def _sheets(
    results: Results, pair: Pair, kind: str, what: str, name: str, blocks: Sequence[list[Line]]
) -> Iterator[tuple[str, Figure]]:
    """Figures of at most LINES rows; the rows of one method stay together, the action units close every figure."""
    target = mean_maps.target(results, pair)
    for number, lines in enumerate(_chunks(blocks), start=1):
        ending = "" if number == 1 else f"-{number}"
        for shared in (False, True):
            made = _figure(results, pair, what, [*lines, *target], shared)
            yield f"{kind}_maps{'_shared' * shared}-{name}{ending}", made


def _chunks(blocks: Sequence[list[Line]]) -> list[list[Line]]:
    chunks: list[list[Line]] = []
    for block in filter(None, blocks):
        if chunks and len(chunks[-1]) + len(block) <= LINES:
            chunks[-1] = [*chunks[-1], *block]
        else:
            chunks.append(block)
    return chunks


def _figure(results: Results, pair: Pair, what: str, lines: list[Line], shared: bool) -> Figure:
    expressions = results.expressions(pair.test_dataset)
    shown = sorted(name for name in expressions if name != "neutral")
    maps = [[line.maps[expressions.index(name)] for name in shown] for line in lines]
    limits = [_limits(row) if shared else None for row in maps]
    left = max(style.width_of(line.word, style.SMALL) for line in lines) + 2 * ROOM
    width = style.COLUMN - left - _right(limits)
    side = width / len(shown)
    made = style.blank(style.COLUMN, TITLE + HEADING + len(lines) * (side + GAP) + ROOM)
    seeds = f"{len(results.seeds)} seed{'s' * (len(results.seeds) > 1)}"
    scale = "one colour scale per row" if shared else "each panel on its own colour scale"
    title = f"Mean {what}\n{results.pair_label(pair)}, {seeds}; {scale}"
    style.write(made, style.COLUMN / 2, ROOM, title, ha="center", va="top", fontsize=7)
    _headings(made, shown, left, side)
    for number, line in enumerate(lines):
        top = TITLE + HEADING + number * (side + GAP)
        style.write(made, left - ROOM, top + side / 2, line.word, ha="right", va="center", fontsize=style.SMALL)
        _strip(style.place(made, left, top, width, side), maps[number], limits[number])
        if scale_of_row := limits[number]:
            _bar(made, style.place(made, left + width + BAR, top, BAR, side), scale_of_row)
    return made


def _headings(made: Figure, shown: list[str], left: float, side: float) -> None:
    names = [name.capitalize() for name in shown]
    size = style.fitting(names, side - 0.01)
    for place, name in enumerate(names):
        where = (left + (place + 0.5) * side, TITLE + HEADING - 0.03)
        style.write(made, *where, name, ha="center", va="bottom", fontsize=size)


def _right(limits: list[Limits | None]) -> float:
    """Room in inches right of the panels: for the colour bar and its numbers where there is one."""
    numbers = [_short(number) for pair in limits if pair for number in pair]
    return ROOM + (3 * BAR + max(style.width_of(word, NUMBER) for word in numbers) if numbers else 0)


def _limits(maps: list[np.ndarray]) -> Limits | None:
    """Smallest and largest value of a row; None where it has no map."""
    finite = [values for values in maps if np.isfinite(values).all()]
    return (min(float(m.min()) for m in finite), max(float(m.max()) for m in finite)) if finite else None


def _strip(axes: Axes, maps: list[np.ndarray], limits: Limits | None) -> None:
    """Draw the panels of a row side by side with a thin line between them, on one colour scale or each on its own."""
    style.bare(axes)
    axes.set_facecolor("white" if limits else BORDER_COLOUR)
    for place, values in enumerate(maps):
        first, last = place + BORDER / 2 * (place > 0), place + 1 - BORDER / 2 * (place < len(maps) - 1)
        if not np.isfinite(values).all():
            axes.axvspan(first, last, color="white")
            axes.text(place + 0.5, 0.5, labels.MISSING, ha="center", va="center")
            continue
        low, high = limits or (values.min(), values.max())
        axes.imshow(
            values, cmap=style.MAPS if limits else style.PAPER_MAPS, vmin=low, vmax=high, interpolation="bilinear",
            extent=(first, last, 1, 0), aspect="auto",
        )  # fmt: skip
    axes.set(xlim=(0, len(maps)), ylim=(1, 0))


def _bar(made: Figure, axes: Axes, limits: Limits) -> None:
    low, high = limits
    bar = made.colorbar(ScalarMappable(Normalize(low, high), style.MAPS), cax=axes, ticks=[low, high])
    bar.ax.set_yticklabels([_short(low), _short(high)], fontsize=NUMBER)
    bar.ax.tick_params(length=1, pad=1)
    bar.outline.set_linewidth(0.4)
    lower, upper = bar.ax.get_yticklabels()
    lower.set_verticalalignment("bottom")  # so that neighbouring rows do not run into each other
    upper.set_verticalalignment("top")


def _short(number: float) -> str:
    """Two digits, as a power of ten where that is shorter."""
    plain = f"{number:.2g}"
    words = plain if len(plain.lstrip("-")) <= 5 else f"{number:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return words.replace("-", MINUS)
