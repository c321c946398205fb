"""Average attention and class activation maps per expression, in the layout of the paper's Figures 6 to 9."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_bench.report import labels, style
from fer_bench.report.results import BASELINE, Pair, Results

PANEL = 0.82  # inches


@dataclass(frozen=True)
class Line:
    """A row of panels: its word, and a map per expression (K, H, W), NaN where there is none."""

    word: str
    maps: np.ndarray


def build(results: Results, shared_scale: bool = False) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure): attention per pair of datasets, activation maps per pair and model.

    Every map is a mean over the test images of the true expression, then over seeds. Each panel is coloured on its own
    minimum and maximum, as in the paper; with `shared_scale` on those of its row.
    """
    for pair in results.pairs:
        attention = list(_attention(results, pair))
        if attention:
            yield f"attention_maps-{pair.name}", _figure(results, pair, "attention", attention, shared_scale)
        for model in results.unique("model"):
            lines = list(_activation(results, pair, model))
            if lines:
                title = f"class activation maps of {results.model_label(model)}"
                yield f"cam_maps-{pair.name}-{model}", _figure(results, pair, title, lines, shared_scale)


def alignment_layer(results: Results) -> str:
    """The layer that guidance acts on, the last one where it acts on several; 5 when the plan names none."""
    for name in results.guidances:
        layers = results.plan["guidance"].get(name, {}).get("layers")
        if name != BASELINE and layers:
            last = str(layers[-1] if isinstance(layers, list) else layers)
            return labels.LAST_LAYER if last == "last" else last
    return labels.LAST_LAYER


def mean_maps(results: Results, pair: Pair, model: str, guidance: str, key: str) -> np.ndarray | None:
    """Mean over seeds of the per-class mean maps `key`, (K, H, W); None when no cell has them."""
    paths = [document.files.get("mean_maps.npz") for document in results.found(pair, model, guidance)]
    found = [maps for path in paths if path and (maps := _load(path, key)) is not None]
    return np.mean(found, axis=0) if found else None


def _load(path: Path, key: str) -> np.ndarray | None:
    with np.load(path) as file:
        return np.asarray(file[key], dtype=float) if key in file.files else None


def _attention(results: Results, pair: Pair) -> Iterator[Line]:
    key = f"att.{alignment_layer(results)}"
    for model in results.unique("model"):
        for guidance in results.guidances:
            maps = mean_maps(results, pair, model, guidance, key)
            if maps is not None:
                yield Line(f"{results.model_label(model)}\n{labels.guidance(guidance)}", maps)


def _activation(results: Results, pair: Pair, model: str) -> Iterator[Line]:
    for explainer in results.explainers:
        for guidance in results.guidances:
            maps = mean_maps(results, pair, model, guidance, f"cam.{explainer}")
            if maps is not None:
                yield Line(f"{labels.explainer(explainer)}\n{labels.guidance(guidance)}", maps)


def _target(results: Results, pair: Pair) -> Line | None:
    for model in results.unique("model"):
        for guidance in results.guidances:
            maps = mean_maps(results, pair, model, guidance, f"target.{results.target}")
            if maps is not None:
                return Line(f"action units\n({labels.target(results.target)})", maps)
    return None


def _figure(results: Results, pair: Pair, what: str, lines: list[Line], shared_scale: bool) -> Figure:
    expressions = results.expressions(pair.test_dataset)
    shown = sorted(name for name in expressions if name != "neutral")
    target = _target(results, pair)
    lines = [*lines, *([target] if target else [])]
    made = style.figure(PANEL * len(shown) + 1.5, PANEL * len(lines) + 0.75)
    colours = "a row shares its colour scale" if shared_scale else "each panel on its own colour scale"
    seeds = f"{len(results.seeds)} seed{'s' * (len(results.seeds) > 1)}"
    made.suptitle(f"Mean {what}\n{results.pair_label(pair)}, {seeds}; {colours}")
    panels = made.subplots(len(lines), len(shown), squeeze=False)
    for number, (row, line) in enumerate(zip(panels, lines, strict=True)):
        chosen = [line.maps[expressions.index(name)] for name in shown]
        limits = _limits(chosen) if shared_scale else None
        for axes, name, values in zip(row, shown, chosen, strict=True):
            style.bare(axes)
            _panel(axes, values, limits)
            if number == 0:
                axes.set_title(name.capitalize())
        row[0].set_ylabel(line.word, rotation=0, ha="right", va="center")
    return made


def _panel(axes: Axes, values: np.ndarray, limits: tuple[float, float] | None) -> None:
    if not np.isfinite(values).all():
        axes.text(0.5, 0.5, labels.MISSING, ha="center", va="center", transform=axes.transAxes)
        return
    low, high = limits or (values.min(), values.max())
    axes.imshow(values, cmap=style.MAPS, vmin=low, vmax=high, interpolation="bilinear")


def _limits(maps: list[np.ndarray]) -> tuple[float, float]:
    finite = [values for values in maps if np.isfinite(values).all()]
    return (min(m.min() for m in finite), max(m.max() for m in finite)) if finite else (0.0, 1.0)
