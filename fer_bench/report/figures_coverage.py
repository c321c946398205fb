"""Heat tables of the action units that the attention visits: expressions down, units across, a panel per training."""

from collections.abc import Iterator
from textwrap import fill

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fer_bench.report import labels, methods, style
from fer_bench.report.results import Pair, Results
from fer_bench.report.unit_coverage import Coverage, coverage

UNITS = 7  # letters in a line of a column's label
HIGHEST = 3.0  # coverage from which on the colour no longer changes
LINE = 0.17  # inches of a row of a panel
DOWN = 6  # panels below each other
HEAD, FOOT = 0.27, 0.45  # inches of a panel's title, and of the units below the last one


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets and model whose coverage is known."""
    words = methods.model_words(results)
    for pair in results.drawn_pairs:
        for model in results.models:
            one = coverage(results, pair, model)
            if one is not None:
                yield f"coverage-{pair.name}-{model}", _figure(results, pair, words[model], one)


def _figure(results: Results, pair: Pair, word: str, one: Coverage) -> Figure:
    expressions = results.expressions(pair.test_dataset)
    panels = [(results.guidance_label(arm), one.mean(arm)) for arm in one.by_seed] + [("ideal", one.ideal)]
    down = -(-len(panels) // -(-len(panels) // DOWN))
    parts = style.chunks(panels, down)
    width = style.TEXT if len(parts) > 1 else style.TEXT / 2 + 0.6
    made = style.figure(width, down * (LINE * len(expressions) + HEAD) + FOOT + 0.3)
    grid = made.subplots(down, len(parts), squeeze=False)
    for column, (_, part) in zip(grid.T, parts, strict=True):
        for axes, (name, values) in zip(column, part, strict=False):
            _panel(axes, values, one, expressions, name)
        for axes in column[: len(part) - 1]:
            axes.set_xticks([])
        for axes in column[len(part) :]:
            axes.set_visible(False)
        if len(parts) > 1:  # little room below a column
            column[len(part) - 1].tick_params(axis="x", rotation=90)
    for axes in grid[:, 1:].flat:
        axes.set_yticks([])
    made.supxlabel("action units, those that are drawn alike together", fontsize=7)
    made.suptitle(
        f"Attention per action unit over its mean in the face, {labels.layer(one.layer)}\n"
        f"{word}, {results.pair_label(pair)}; framed: units of the expression"
    )
    return made


def _panel(axes: Axes, values: np.ndarray, one: Coverage, expressions: list[str], name: str) -> None:
    names = [expression.capitalize() for expression in expressions]
    sns.heatmap(
        values, ax=axes, cmap="vlag", norm=TwoSlopeNorm(1.0, 0.0, HIGHEST), annot=True, fmt=".1f", cbar=False,
        annot_kws={"fontsize": 5}, xticklabels=[fill(unit, UNITS) for unit in one.units], yticklabels=names,
        linewidths=0.3, mask=~np.isfinite(values),
    )  # fmt: skip
    for row, column in np.argwhere(one.own):
        axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="black", linewidth=0.8, clip_on=False))
    axes.set_title(name)
    axes.tick_params(axis="x", rotation=0, length=0, labelsize=5)
    axes.tick_params(axis="y", rotation=0, length=0)
