"""Gains of every guiding map over no guidance, with their intervals: the table of controls as one picture."""

from collections.abc import Iterator, Mapping
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from fer_bench.report import methods, style, table_controls
from fer_bench.report.ablation_scores import main_rows
from fer_bench.report.controls import Family, families, has_controls
from fer_bench.report.gain import Gain, gain
from fer_bench.report.methods import MethodRow
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.table_controls import SCORES, Score
from fer_bench.report.value import Value

SHOWN = ("accuracy", "cam_cos", "cam_class_specificity")
MAP = "facs"  # the reference map of the two cosines: it guides in one row only
LINE, HEAD, FOOT = 0.24, 0.62, 0.75  # inches of a row, of the titles, and of axis and legend
LABEL = 26  # letters in a line
OTHER_WEIGHTS = "0.55"
WORDS = {
    "accuracy": "accuracy (points)",
    "cam_cos": "CAM-COS, FACS map",
    "cam_class_specificity": "CAM, class specificity",
}


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets and training; nothing for a grid without controls."""
    for pair in results.drawn_pairs if has_controls(results) else ():
        for network in methods.networks(results):
            for row in main_rows(results, network):
                title = f"Gain over no guidance, {network.label}, {results.pair_label(pair)}"
                made = _figure(results, pair, row, title)
                if made is not None:
                    yield f"controls-{pair.name}-{row.model}", made


def _figure(results: Results, pair: Pair, row: MethodRow, title: str) -> Figure | None:
    found = families(results, pair, row.model)
    gains = {score: _gains(results, pair, row, score) for score in SCORES if _is_shown(score)}
    gains = {score: values for score, values in gains.items() if values}
    if not gains:
        return None
    made = style.figure(style.TEXT, LINE * len(found) + HEAD + FOOT)
    made.suptitle(title)
    panels = made.subplots(1, len(gains), sharey=True, squeeze=False)[0]
    for axes, (score, values) in zip(panels, gains.items(), strict=True):
        _panel(axes, found, values)
        axes.set_xlabel(WORDS[score.metric])
    panels[0].set_yticks(
        range(len(found)),
        [fill(f"{one.word}, λ\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{_weight(one)}", LABEL) for one in found],
    )
    panels[0].invert_yaxis()
    made.legend(handles=_legend(found), loc="outside lower center", ncols=3, frameon=False)
    return made


def _is_shown(score: Score) -> bool:
    return score.metric in SHOWN and score.target in ("", MAP)


def _gains(results: Results, pair: Pair, row: MethodRow, score: Score) -> dict[str, Gain]:
    """Gain over no guidance of every guidance that has the score, whatever its λ."""
    found = {name: table_controls.scored(results, pair, row, name, score) for name in results.all_guidances}
    before = found.pop(BASELINE)
    if not isinstance(before, Value) or not before.n:
        return {}
    known = {name: gain(value, before) for name, value in found.items() if isinstance(value, Value)}
    return {name: one for name, one in known.items() if one.n}


def _weight(family: Family) -> str:
    return f"{family.weights[family.chosen]:g}" if family.chosen else "not chosen"


def _panel(axes: Axes, found: list[Family], gains: Mapping[str, Gain]) -> None:
    colour = style.palette(["none", "gain"])["gain"]
    axes.axvline(0, color="black", linewidth=0.7)
    for place, family in enumerate(found):
        rejected = [gains[name].mean for name in family.weights if name in gains and name != family.chosen]
        axes.plot(rejected, [place] * len(rejected), "D", mfc="none", color=OTHER_WEIGHTS, ms=3, mew=0.6)
        if family.chosen in gains:
            _chosen(axes, place, gains[family.chosen], colour)
    axes.grid(axis="x", alpha=0.3, linewidth=0.4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.set_ylim(-0.6, len(found) - 0.4)


def _chosen(axes: Axes, place: int, one: Gain, colour: style.Colour) -> None:
    if one.interval is not None:
        axes.plot(one.interval, [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
    axes.plot(list(one.by_seed.values()), [place] * one.n, ".", color="black", markersize=2)
    axes.plot(one.mean, place, "o", color=colour, markersize=4, markeredgecolor="black", markeredgewidth=0.4)


def _legend(found: list[Family]) -> list[Line2D]:
    colour = style.palette(["none", "gain"])["gain"]
    words = ("mean, 95 % t interval over seeds", "seeds", "mean with another λ, not chosen on validation")
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=4, mec="black", mew=0.4, label=words[0]),
        Line2D([], [], color="black", marker=".", linestyle="", markersize=2, label=words[1]),
        Line2D([], [], color=OTHER_WEIGHTS, marker="D", mfc="none", linestyle="", ms=3, mew=0.6, label=words[2]),
    ]
    return handles if any(len(family.weights) > 1 for family in found) else handles[:2]
