"""Mean maps of every expression, as the evaluations of a grid wrote them, as lines of a figure."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import numpy as np

from fer_bench.report import labels, methods
from fer_bench.report.ablations import layers_of
from fer_bench.report.results import BASELINE, Pair, Results

LABEL = 18  # letters in a line of a row's label


@dataclass(frozen=True)
class Line:
    """A row of panels: its word, and a map per expression (K, H, W), NaN where there is none."""

    word: str
    maps: np.ndarray


def alignment_layer(results: Results) -> str:
    """The layer that guidance acts on, the last one where it acts on several; 5 when the plan names none."""
    for name in results.guidances:
        layers = layers_of(results.plan["guidance"].get(name, {}))
        if name != BASELINE and layers:
            return str(layers[0])
    return labels.LAST_LAYER


def mean_maps(results: Results, pair: Pair, model: str, guidance: str, key: str) -> np.ndarray | None:
    """Mean over seeds of the per-class mean maps `key`, (K, H, W); None when no cell has them."""
    paths = [document.files.get("mean_maps.npz") for document in results.found(pair, model, guidance)]
    found = [maps for path in paths if path and (maps := _load(path, key)) is not None]
    return np.mean(found, axis=0) if found else None


def _load(path: Path, key: str) -> np.ndarray | None:
    with np.load(path) as file:
        return np.asarray(file[key], dtype=float) if key in file.files else None


def attention(results: Results, pair: Pair) -> list[list[Line]]:
    """Lines of every training, one per guidance."""
    key = f"att.{alignment_layer(results)}"
    words = methods.model_words(results)
    return [_arms(results, pair, model, key, words[model]) for model in results.models]


def activation(results: Results, pair: Pair, network: methods.Network) -> list[list[Line]]:
    """Lines of every activation map that Table 1 shows of a network, one per guidance."""
    rows = [row for row in methods.rows(results, network) if row.explainer]
    return [_arms(results, pair, row.model, f"cam.{row.explainer}", row.word) for row in rows]


def _arms(results: Results, pair: Pair, model: str, key: str, word: str) -> list[Line]:
    found = {arm: mean_maps(results, pair, model, arm, key) for arm in results.guidances}
    return [
        Line(f"{_broken(word)}\n{results.guidance_label(arm)}", maps) for arm, maps in found.items() if maps is not None
    ]


def _broken(word: str) -> str:
    """A label in lines of at most LABEL letters, broken at commas and brackets rather than elsewhere."""
    if len(word) <= LABEL:
        return word
    parts = word.replace(", ", ",\n").replace(" (", "\n(").split("\n")
    return "\n".join(fill(part, LABEL) for part in parts)


def target(results: Results, pair: Pair) -> list[Line]:
    """The line of the action units' mean maps; nothing where no cell has them."""
    for model in results.models:
        for guidance in results.guidances:
            maps = mean_maps(results, pair, model, guidance, f"target.{results.target}")
            if maps is not None:
                return [Line(f"action units\n({labels.target(results.target)})", maps)]
    return []
