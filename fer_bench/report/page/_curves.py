"""Training curves as drawings that the page colours itself: mean over seeds, band from smallest to largest."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.ticker import MaxNLocator

from fer_bench.report import methods
from fer_bench.report.figures_curves import quantities
from fer_bench.report.histories import curves
from fer_bench.report.results import Results

WIDTH, HEIGHT = 260, 150  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 8, 22


@dataclass(frozen=True)
class Tick:
    """A number at an axis and its place along it."""

    words: str
    at: float


@dataclass(frozen=True)
class Curve:
    """One training: number of its colour, its word, points of the mean, and points around the band (one seed: none)."""

    arm: int
    words: str
    line: str
    band: str


@dataclass(frozen=True)
class Panel:
    """One quantity over epochs; alt says in words where every curve ends."""

    title: str
    alt: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Sheet:
    """The panels of one model on one training dataset."""

    title: str
    panels: tuple[Panel, ...]


def build(results: Results) -> list[Sheet]:
    """One sheet per training dataset and model with a history."""
    history = curves(results)
    return list(_sheets(results, history)) if len(history) else []


def _sheets(results: Results, history: pd.DataFrame) -> Iterator[Sheet]:
    words = methods.model_words(results)
    for dataset in results.unique("dataset"):
        of_dataset = history[history["dataset"] == dataset]
        for model in results.models:
            own = of_dataset[of_dataset["model"] == model]
            shown = {name: word for name, word in quantities(of_dataset).items() if own[name].notna().any()}
            panels = tuple(_panel(results, own, name, word) for name, word in shown.items())
            if panels:
                yield Sheet(f"{words[model]}, trained on {results.dataset_label(dataset)}", panels)


def _panel(results: Results, history: pd.DataFrame, quantity: str, word: str) -> Panel:
    known = history[history[quantity].notna() & history["guidance"].isin(results.leading_guidances)]
    up = _ticks(float(known[quantity].min()), float(known[quantity].max()), HEIGHT - BOTTOM, TOP)
    across = _ticks(float(known["epoch"].min()), float(known["epoch"].max()), LEFT, WIDTH - RIGHT, whole=True)
    made, ends = [], []
    for arm, guidance in enumerate(results.leading_guidances):
        own = known[known["guidance"] == guidance]
        if len(own):
            label = results.guidance_label(guidance)
            seeds = own.groupby("epoch")[quantity].agg(["mean", "min", "max"])
            made.append(_curve(arm, label, seeds, across, up))
            ends.append(f"{label} {seeds['mean'].iloc[-1]:.3g}")
    last = int(known["epoch"].max())
    return Panel(word, f"{word}; mean over seeds after epoch {last}: {', '.join(ends)}", across[1], up[1], tuple(made))


Scale = tuple[float, float]  # place = first + second * value


def _ticks(low: float, high: float, start: float, end: float, whole: bool = False) -> tuple[Scale, tuple[Tick, ...]]:
    """The scale of an axis from `start` to `end`, and round numbers along it."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    slope = (end - start) / (high - low)
    scale = (start - slope * low, slope)
    found = MaxNLocator(nbins=4, integer=whole).tick_values(low, high)
    inside = [float(number) for number in found if low - 1e-9 <= number <= high + 1e-9]
    return scale, tuple(Tick(f"{number:g}", _at(scale, number)) for number in inside)


def _at(scale: Scale, value: float) -> float:
    return round(scale[0] + scale[1] * value, 1)


def _curve(
    arm: int,
    words: str,
    seeds: pd.DataFrame,
    across: tuple[Scale, tuple[Tick, ...]],
    up: tuple[Scale, tuple[Tick, ...]],
) -> Curve:
    def points(column: str) -> list[str]:
        return [f"{_at(across[0], x)},{_at(up[0], y)}" for x, y in zip(seeds.index, seeds[column], strict=True)]

    varies = bool((seeds["max"] > seeds["min"]).any())
    band = " ".join([*points("min"), *reversed(points("max"))]) if varies else ""
    return Curve(arm, words, " ".join(points("mean")), band)
