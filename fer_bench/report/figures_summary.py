"""Cosines of every layer and explainer against chance and ceiling."""

from collections.abc import Iterator
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fer_bench.report import labels, style
from fer_bench.report._builder import NOT_APPLICABLE, UNDEFINED, reference_rows
from fer_bench.report.results import Pair, Results, cosine_rows, select

BOUNDS: dict[str, tuple[str, Literal["dashed", "solid"]]] = {
    "chance": ("0.45", "dashed"),
    "ceiling": ("black", "solid"),
}  # colour and dashes of the line
Map = tuple[str, str, str, str]  # metric, column that names the map, its name, its word


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets, a panel per model; every dot is a seed."""
    for pair in results.pairs:
        frame = select(results.of_pair(pair), subset=("all", ""))
        if len(select(frame, metric=("att_cos", "cam_cos"))):
            yield f"summary-{pair.name}", _figure(results, pair, frame)


def _figure(results: Results, pair: Pair, frame: pd.DataFrame) -> Figure:
    models = results.unique("model")
    maps = _maps(results, frame)
    made = style.figure(max(0.55 * len(maps) + 1.0, 5.0), 2.2 * len(models) + 1.2)
    made.suptitle(
        f"Agreement with the action unit map ({labels.target(results.target)}), {results.pair_label(pair)}\n"
        "dots: seeds; bars: mean; † optimised quantity"
    )
    panels = made.subplots(len(models), 1, squeeze=False, sharex=True)[:, 0]
    for axes, model in zip(panels, models, strict=True):
        _panel(results, axes, select(frame, model=model), maps)
        axes.set_title(results.model_label(model), loc="left")
        axes.set(ylabel="cosine similarity", ylim=(0, 1.02))
    panels[-1].set_xticks(
        range(len(maps)), [word for *_, word in maps], rotation=35, ha="right", rotation_mode="anchor"
    )
    made.legend(handles=_legend(results), loc="outside lower center", ncols=4, frameon=False)
    return made


def _maps(results: Results, frame: pd.DataFrame) -> list[Map]:
    layers = set(select(frame, metric="att_cos")["layer"])
    explainers = set(select(frame, metric="cam_cos")["explainer"])
    attention = [
        ("att_cos", "layer", name, f"attention {labels.layer(name)}") for name in results.layers if name in layers
    ]
    return attention + [("cam_cos", "explainer", n, labels.explainer(n)) for n in results.explainers if n in explainers]


def _panel(results: Results, axes: Axes, frame: pd.DataFrame, maps: list[Map]) -> None:
    colours = style.palette(results.guidances)
    width = 0.5 / max(len(results.guidances), 1)
    for place, (metric, field, name, _) in enumerate(maps):
        own = select(frame, **{field: (name, "")})
        scored = cosine_rows(select(own, **{field: name}), metric, target=results.target, pairing="true_true")
        if scored["value"].isna().all():
            word = NOT_APPLICABLE if scored.empty else UNDEFINED
            axes.text(place, 0.03, word, ha="center", va="bottom", fontsize=7)
            continue
        for kind in BOUNDS:
            _bound(axes, place, reference_rows(own, metric, results.target), kind)
        for index, guidance in enumerate(results.guidances):
            x = place + (index - (len(results.guidances) - 1) / 2) * width
            _dots(axes, x, select(scored, guidance=guidance), colours[guidance])
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlim(-0.6, len(maps) - 0.4)


def _dots(axes: Axes, x: float, rows: pd.DataFrame, colour: tuple[float, float, float]) -> None:
    values = rows["value"].dropna()
    if values.empty:
        return
    axes.bar(x, values.mean(), width=0.22, color=colour, alpha=0.45, linewidth=0)
    axes.scatter([x] * len(values), values, s=7, color=colour, edgecolor="black", linewidth=0.3, zorder=3)
    if rows["optimised"].any():
        axes.text(x, 0.03, "†", ha="center", va="bottom", fontsize=8)


def _bound(axes: Axes, place: float, references: dict[str, pd.DataFrame], kind: str) -> None:
    for suffix, rows in references.items():
        if suffix.startswith(kind) and rows["value"].notna().any():
            colour, dashes = BOUNDS[kind]
            axes.hlines(rows["value"].mean(), place - 0.4, place + 0.4, colors=colour, linestyles=dashes, linewidth=1.1)
            return


def _legend(results: Results) -> list[Line2D]:
    colours = style.palette(results.guidances)
    dots = [
        Line2D([], [], marker="o", linestyle="", color=colours[name], label=labels.guidance(name))
        for name in results.guidances
    ]
    words = {"chance": "chance", "ceiling": "ceiling of the grid size"}
    lines = [Line2D([], [], color=c, linestyle=dash, label=words[kind]) for kind, (c, dash) in BOUNDS.items()]
    return [*dots, *lines]
