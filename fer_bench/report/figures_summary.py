"""Cosines of every layer and explainer against chance and ceiling."""

from collections.abc import Iterator
from textwrap import fill
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fer_bench.report import labels, methods, style
from fer_bench.report._builder import NOT_APPLICABLE, UNDEFINED, reference_rows
from fer_bench.report.results import Pair, Results, cosine_rows, select

BOUNDS: dict[str, tuple[str, Literal["dashed", "solid"]]] = {
    "chance": ("0.45", "dashed"),
    "ceiling": ("black", "solid"),
}  # colour and dashes of the line
Map = tuple[str, str, str, str]  # metric, column that names the map, its name, its word


MODELS = 4  # panels of one figure
BAR = 0.22  # width of a bar, less where there are many


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets, a panel per model; every dot is a seed."""
    for pair in results.drawn_pairs:
        frame = select(results.of_pair(pair), subset=("all", ""))
        if len(select(frame, metric=("att_cos", "cam_cos"))):
            for ending, models in style.chunks(results.models, MODELS):
                yield f"summary-{pair.name}{ending}", _figure(results, pair, frame, models)


def _figure(results: Results, pair: Pair, frame: pd.DataFrame, models: list[str]) -> Figure:
    maps = _maps(results, select(frame, model=models), models)
    width = style.TEXT if len(maps) > 5 else style.COLUMN
    made = style.figure(width, 1.5 * len(models) + 1.25)
    title = f"Agreement with the action unit map ({labels.target(results.target)}), {results.pair_label(pair)}; "
    made.suptitle(fill(f"{title}dots: seeds; bars: mean; † optimised quantity", round(16 * width)))
    panels = made.subplots(len(models), 1, squeeze=False, sharex=True)[:, 0]
    for axes, model in zip(panels, models, strict=True):
        _panel(results, axes, select(frame, model=model), maps)
        axes.set_title(methods.model_words(results)[model], loc="left")
        axes.set(ylabel="cosine similarity", ylim=(0, 1.02))
    panels[-1].set_xticks(
        range(len(maps)), [word for *_, word in maps], rotation=30, ha="right", rotation_mode="anchor"
    )
    made.legend(handles=_legend(results), loc="outside lower center", ncols=4, frameon=False)
    return made


def _maps(results: Results, frame: pd.DataFrame, models: list[str]) -> list[Map]:
    """Attention of every layer, then the class activation maps that Table 1 shows of these models."""
    layers = set(select(frame, metric="att_cos")["layer"])
    rows = [row for network in methods.networks(results) for row in methods.rows(results, network)]
    shown = {row.explainer for row in rows if row.model in models}
    attention = [
        ("att_cos", "layer", name, f"attention {labels.layer(name)}") for name in results.layers if name in layers
    ]
    return attention + [("cam_cos", "explainer", n, labels.explainer(n)) for n in results.explainers if n in shown]


def _panel(results: Results, axes: Axes, frame: pd.DataFrame, maps: list[Map]) -> None:
    colours = style.palette(results.leading_guidances)
    width = 0.5 / max(len(results.leading_guidances), 1)
    for place, (metric, field, name, _) in enumerate(maps):
        own = select(frame, **{field: (name, "")})
        scored = cosine_rows(select(own, **{field: name}), metric, target=results.target, pairing="true_true")
        if scored["value"].isna().all():
            word = NOT_APPLICABLE if scored.empty else UNDEFINED
            axes.text(place, 0.03, word, ha="center", va="bottom", fontsize=style.SMALL)
            continue
        for kind in BOUNDS:
            _bound(axes, place, reference_rows(own, metric, results.target), kind)
        for index, guidance in enumerate(results.leading_guidances):
            x = place + (index - (len(results.leading_guidances) - 1) / 2) * width
            _dots(axes, x, min(BAR, 0.9 * width), select(scored, guidance=guidance), colours[guidance])
    axes.grid(axis="y", alpha=0.3, linewidth=0.4)
    axes.set_xlim(-0.6, len(maps) - 0.4)


def _dots(axes: Axes, x: float, width: float, rows: pd.DataFrame, colour: tuple[float, float, float]) -> None:
    values = rows["value"].dropna()
    if values.empty:
        return
    axes.bar(x, values.mean(), width=width, color=colour, alpha=0.45, linewidth=0)
    axes.scatter([x] * len(values), values, s=7, color=colour, edgecolor="black", linewidth=0.3, zorder=3)
    if rows["optimised"].any():
        axes.text(x, 0.03, "†", ha="center", va="bottom", fontsize=7)


def _bound(axes: Axes, place: float, references: dict[str, pd.DataFrame], kind: str) -> None:
    for suffix, rows in references.items():
        if suffix.startswith(kind) and rows["value"].notna().any():
            colour, dashes = BOUNDS[kind]
            axes.hlines(rows["value"].mean(), place - 0.4, place + 0.4, colors=colour, linestyles=dashes, linewidth=1.1)
            return


def _legend(results: Results) -> list[Line2D]:
    colours = style.palette(results.leading_guidances)
    dots = [
        Line2D([], [], marker="o", linestyle="", color=colours[name], label=results.guidance_label(name))
        for name in results.leading_guidances
    ]
    words = {"chance": "chance", "ceiling": "ceiling of the grid size"}
    lines = [Line2D([], [], color=c, linestyle=dash, label=words[kind]) for kind, (c, dash) in BOUNDS.items()]
    return [*dots, *lines]
