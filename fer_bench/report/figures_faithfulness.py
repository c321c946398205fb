"""Deletion and insertion curves: the true class's probability over the share of pixels, chance beside."""

from collections.abc import Iterator
from textwrap import fill

import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_bench.report import labels, methods, style
from fer_bench.report.results import Pair, Results

FILE = "deletion_insertion.parquet"
MODES = {"deletion": "deletion: blurred, highest first", "insertion": "insertion: sharp again, highest first"}
ROWS = 4  # rows of one figure
CHANCE = "chance"


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets: rows are trained models, columns deletion and insertion."""
    for pair in results.drawn_pairs:
        found = {key: curves for key in _trainings(results) if len(curves := _curves(results, pair, *key))}
        for ending, keys in style.chunks(list(found), ROWS):
            yield f"faithfulness-{pair.name}{ending}", _figure(results, pair, {key: found[key] for key in keys})


def _trainings(results: Results) -> list[tuple[str, str]]:
    return [(model, arm) for model in results.models for arm in results.guidances]


def _curves(results: Results, pair: Pair, model: str, guidance: str) -> pd.DataFrame:
    """Mean over images per seed, source, and share of pixels, in percent; empty where the probe did not run."""
    parts = []
    for document in results.found(pair, model, guidance):
        if (path := document.files.get(FILE)) is not None:
            columns = [f"{mode}.probability" for mode in MODES]
            means = 100 * pd.read_parquet(path).groupby(["source", "grid", "share"])[columns].mean()
            parts.append(means.reset_index().assign(seed=document.entry["seed"]))
    if not parts:
        return pd.DataFrame()
    found = pd.concat(parts, ignore_index=True)
    return found.assign(Map=[_word(*names) for names in zip(found["source"], found["grid"], strict=True)])


def _word(source: str, grid: str) -> str:
    if source == CHANCE:
        return f"chance: random patches, {grid}"
    return source if source == "attention" else labels.explainer(source)


def _figure(results: Results, pair: Pair, found: dict[tuple[str, str], pd.DataFrame]) -> Figure:
    names = methods.model_words(results)
    words = sorted(
        {word for curves in found.values() for word in curves["Map"]}, key=lambda word: (CHANCE in word, word)
    )
    made = style.figure(style.TEXT, 1.6 * len(found) + 0.75)
    seeds = "mean over seeds, band: smallest to largest seed" if len(results.seeds) > 1 else "one seed"
    made.suptitle(f"Probability of the true class, {results.pair_label(pair)}: {seeds}")
    panels = made.subplots(len(found), len(MODES), squeeze=False, sharex=True, sharey="row")
    for row, ((model, arm), curves) in zip(panels, found.items(), strict=True):
        for axes, mode in zip(row, MODES, strict=True):
            _draw(axes, curves, mode, words)
        row[0].set_ylabel(fill(f"{names[model]}, {results.guidance_label(arm)} (%)", 26))
    for axes, title in zip(panels[0], MODES.values(), strict=True):
        axes.set_title(title)
    handles: dict[str, Artist] = {}
    for axes in panels.flat:
        handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    made.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4, frameon=False)
    return made


def _draw(axes: Axes, curves: pd.DataFrame, mode: str, words: list[str]) -> None:
    own = [word for word in words if (curves["Map"] == word).any()]
    frame = curves.assign(percent=100 * curves["share"])
    dashes = {word: (2, 1) if CHANCE in word else "" for word in own}
    sns.lineplot(
        frame, x="percent", y=f"{mode}.probability", hue="Map", hue_order=own, style="Map", dashes=dashes,
        style_order=own, ax=axes, palette={word: style.palette(words)[word] for word in own},
        errorbar=("pi", 100), seed=0, linewidth=1.0, legend="brief",
    )  # fmt: skip
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.set(xlabel="share of the pixels (%)", ylabel="")
    axes.grid(alpha=0.3, linewidth=0.4)
