"""Scores over the weight λ of the guidance: the paper's Figure 5 with its two axes, and a plainer form of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fer_bench.report import labels, methods, style
from fer_bench.report.ablation_scores import METRICS, SUMMARY, main_rows, published, scores, summarise
from fer_bench.report.ablations import Ablation, representative
from fer_bench.report.controls import is_subject
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.value import Value

COSINES = {"att_cos": ("tab:red", "o"), "cam_cos": ("darkred", "s")}
ACCURACY = ("tab:green", "^")
PUBLISHED = "0.45"
MAXIMUM = SUMMARY[-1]


@dataclass(frozen=True)
class Curve:
    """Scores of one metric over λ.

    weights: ascending. values: one per weight, None where there is none. without: the baseline. printed: the paper's
    number per weight, where it has one.
    """

    weights: tuple[float, ...]
    values: tuple[Value | None, ...]
    without: Value | None
    printed: Mapping[float, float]


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per ablation of λ, pair of datasets and model: `figure5` and `lambda`.

    Every λ of a control stands in the figure of controls.
    """
    found = [one for one in results.ablations if one.setting == "weight" and is_subject(results, *one.values)]
    for pair in results.drawn_pairs:
        for network in methods.networks(results):
            for row in main_rows(results, network):
                for one in found:
                    curves = {metric: _curve(results, pair, row, one, metric) for metric in METRICS}
                    if not any(value for curve in curves.values() for value in curve.values):
                        continue
                    stands = representative(one.values, results.all_guidances)
                    name = f"{pair.name}-{row.model}" + (f"-{stands}" if one is not found[0] else "")
                    told = f", {results.guidance_label(stands)}" if len(found) > 1 else ""
                    title = f"{row.word}, {network.label}{told}: {results.pair_label(pair)}"
                    yield f"figure5-{name}", twin(curves, title)
                    yield f"lambda-{name}", panels(curves, title)


def _curve(results: Results, pair: Pair, row: methods.MethodRow, one: Ablation, metric: str) -> Curve:
    found = [scores(results, pair, row, name)[metric] for name in one.values]
    before = scores(results, pair, row, BASELINE)[metric] if BASELINE in results.all_guidances else None
    told = {name: published(results, pair, row, one, name) for name in one.values}
    printed = {one.values[name]: numbers[metric].middle for name, numbers in told.items() if metric in numbers}
    return Curve(tuple(one.values.values()), tuple(map(_value, found)), _value(before), printed)


def _value(content: object) -> Value | None:
    return content if isinstance(content, Value) and content.n else None


def twin(curves: Mapping[str, Curve], title: str) -> Figure:
    """Cosines on the left axis in red, accuracy on the right one in green, λ at equal distances; dashed: without AU."""
    made = style.figure(style.COLUMN, 2.5)
    left = made.subplots()
    right = left.twinx()
    weights = curves["accuracy"].weights
    for metric, (colour, marker) in COSINES.items():
        _line(left, curves[metric], colour, marker)
    _line(right, curves["accuracy"], *ACCURACY)
    _weights(left, weights)
    left.set(xlabel="weight λ of the guidance")
    left.set_ylabel("cosine similarity", color="tab:red")
    right.set_ylabel("CL (%)", color=ACCURACY[0])
    left.tick_params(axis="y", colors="tab:red")
    right.tick_params(axis="y", colors=ACCURACY[0])
    right.spines["right"].set_visible(True)
    left.grid(alpha=0.25, linewidth=0.4)
    styles = {**COSINES, "accuracy": ACCURACY}
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3, linewidth=1, label=labels.metric(metric))
        for metric, (colour, marker) in styles.items()
    ]
    handles.append(Line2D([], [], color="0.3", linestyle="dashed", linewidth=0.8, label="without AU"))
    made.suptitle(title)
    made.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return made


def _weights(axes: Axes, weights: tuple[float, ...]) -> None:
    """Name the weights at equal distances."""
    axes.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights], rotation=90 if len(weights) > 12 else 0)


def _line(axes: Axes, curve: Curve, colour: str, marker: str) -> None:
    known = [(place, value.mean) for place, value in enumerate(curve.values) if value]
    axes.plot(*zip(*known, strict=True), color=colour, marker=marker, markersize=3, linewidth=1)
    if curve.without:
        axes.axhline(curve.without.mean, color=colour, linestyle="dashed", linewidth=0.8)


def panels(curves: Mapping[str, Curve], title: str) -> Figure:
    """One panel per score over λ at equal distances: every seed a dot, mean ± deviation, and the baseline alike."""
    made = style.figure(style.COLUMN, 4.3)
    made.suptitle(title)
    rows = made.subplots(len(curves), 1, sharex=True)
    colours = style.palette(["without", "with"])
    for axes, (metric, curve) in zip(rows, curves.items(), strict=True):
        _baseline(axes, curve, colours["without"])
        _scores(axes, curve, colours["with"])
        told = [(curve.weights.index(weight), number) for weight, number in curve.printed.items()]
        if told:
            axes.plot(*zip(*told, strict=True), "o", mfc="none", color=PUBLISHED, ms=3, mew=0.6)
        if metric == "accuracy" and (found := summarise(value for value in curve.values if value)):
            axes.axhline(found[MAXIMUM], color="black", linestyle=(0, (1, 1.5)), linewidth=0.9)
        axes.set_ylabel(labels.metric(metric) + (" (%)" if metric == "accuracy" else ""))
        axes.grid(alpha=0.25, linewidth=0.4)
    _weights(rows[-1], curves["accuracy"].weights)
    rows[-1].set_xlabel("weight λ of the guidance")
    made.legend(handles=_legend(curves, colours), loc="outside lower left", ncols=1, frameon=False)
    return made


def _baseline(axes: Axes, curve: Curve, colour: style.Colour) -> None:
    if curve.without:
        axes.axhline(curve.without.mean, color=colour, linestyle="dashed", linewidth=1)
        if curve.without.shows_deviation:
            spread = curve.without.deviation or 0.0
            axes.axhspan(curve.without.mean - spread, curve.without.mean + spread, color=colour, alpha=0.12, lw=0)


def _scores(axes: Axes, curve: Curve, colour: style.Colour) -> None:
    known = [(place, value) for place, value in enumerate(curve.values) if value]
    places, means = [place for place, _ in known], [value.mean for _, value in known]
    axes.plot(places, means, color=colour, linewidth=1.1)
    if all(value.shows_deviation for _, value in known):
        spread = [value.deviation or 0.0 for _, value in known]
        low, high = zip(*((m - s, m + s) for m, s in zip(means, spread, strict=True)), strict=True)
        axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    for place, value in known:
        axes.plot([place] * value.n, list(value.by_seed.values()), ".", color=colour, markersize=2.5)


def _legend(curves: Mapping[str, Curve], colours: Mapping[str, style.Colour]) -> list[Line2D]:
    count = sum(value is not None for value in curves["accuracy"].values)
    handles = [
        Line2D([], [], color=colours["with"], marker=".", linewidth=1.1, label="with AU: seeds, mean ± deviation"),
        Line2D([], [], color=colours["without"], linestyle="dashed", linewidth=1, label="without AU: mean ± deviation"),
        Line2D([], [], color="black", linestyle=(0, (1, 1.5)), label=MAXIMUM.format(count=count)),
    ]
    if any(curve.printed for curve in curves.values()):
        handles.append(
            Line2D([], [], color=PUBLISHED, marker="o", mfc="none", linestyle="", ms=3, label="published, single runs")
        )
    return handles
