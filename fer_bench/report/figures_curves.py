"""Training curves: loss parts, accuracy and attention cosine over epochs, without and with guidance."""

from collections.abc import Iterator, Mapping
from textwrap import fill

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_bench.report import labels, methods, style
from fer_bench.report.histories import curves
from fer_bench.report.results import Results

VALIDATION = {"val_accuracy": "validation: CL (%)", "val_att_cos": "validation: ATT-COS"}
_NOT_LOSSES = ("train_accuracy",)


MODELS = 4  # rows of one figure


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per training dataset: rows are models, columns quantities, colours guidances."""
    history = curves(results)
    for dataset in results.unique("dataset"):
        own = history[history["dataset"] == dataset]
        if len(own):
            for ending, models in style.chunks(results.models, MODELS):
                yield f"training_curves-{dataset}{ending}", _figure(results, dataset, models, own)


def single(history: pd.DataFrame, guidance: str, title: str) -> Figure:
    """The curves of one training run; `history` as in history.csv."""
    shown = quantities(history)
    made = style.figure(style.TEXT, 1.9)
    made.suptitle(f"{title}, {labels.guidance(guidance)}")
    panels = made.subplots(1, len(shown), squeeze=False)[0]
    for axes, (name, word) in zip(panels, shown.items(), strict=True):
        draw(axes, history.assign(guidance=guidance), name, {guidance: labels.guidance(guidance)})
        axes.set(title=word, xlabel="epoch", ylabel="")
    return made


def quantities(history: pd.DataFrame) -> dict[str, str]:
    """Columns of a history worth a panel -> words: parts of the training loss first, then validation."""
    losses = [name for name in map(str, history) if name.startswith("train_") and name not in _NOT_LOSSES]
    words = {name: f"training: {labels.spaced(name.removeprefix('train_'))}" for name in losses}
    words |= {name: word for name, word in VALIDATION.items() if name in history}
    return {name: word for name, word in words.items() if history[name].notna().any()}


def _figure(results: Results, dataset: str, models: list[str], history: pd.DataFrame) -> Figure:
    shown, names = quantities(history), methods.model_words(results)
    arms = {name: results.guidance_label(name) for name in results.leading_guidances}
    made = style.figure(style.TEXT, 1.4 * len(models) + 0.75)
    seeds = ": mean over seeds, band: smallest to largest seed" if len(results.seeds) > 1 else ", one seed"
    made.suptitle(f"Training on {results.dataset_label(dataset)}{seeds}")
    panels = made.subplots(len(models), len(shown), squeeze=False, sharex=True)
    for number, (row, model) in enumerate(zip(panels, models, strict=True)):
        own = history[history["model"] == model]
        for axes, (name, word) in zip(row, shown.items(), strict=True):
            draw(axes, own, name, arms)
            axes.set(ylabel="", xlabel="epoch" if number == len(models) - 1 else "", title="" if number else word)
        row[0].set_ylabel(fill(names[model], 22))
    handles, words = panels[0][0].get_legend_handles_labels()
    made.legend(handles, words, loc="outside lower center", ncols=len(words), frameon=False)
    return made


def draw(axes: Axes, history: pd.DataFrame, quantity: str, guidances: Mapping[str, str]) -> None:
    """Draw one quantity over epochs, a line per guidance; `guidances`: name -> word."""
    words = list(guidances.values())
    frame = history[history["guidance"].isin(list(guidances))]
    frame = frame.assign(Training=frame["guidance"].map(dict(guidances)))
    sns.lineplot(
        frame, x="epoch", y=quantity, hue="Training", hue_order=words, style="Training", style_order=words, ax=axes,
        palette=style.palette(words), errorbar=("pi", 100), seed=0, legend="brief", linewidth=1.0,
    )  # fmt: skip
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(alpha=0.3, linewidth=0.4)
