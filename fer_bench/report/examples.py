"""Single test faces with their maps, as the evaluation of a cell wrote them; figures of faces are made of these."""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from PIL import Image

from fer_bench.report import labels, style
from fer_bench.report.collect import Document
from fer_bench.report.results import Pair, Results

Examples = dict[str, np.ndarray]  # ids, labels, predicted (M,), images (M, H, W, 3), KIND.NAME (M, h, w)
ALPHA = 0.5  # of a map over a face, as in the paper
HINT = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.5}


def publishable(results: Results, pair: Pair) -> bool:
    """Whether the faces of the test dataset may be shown to others."""
    return bool(results.plan["datasets"][pair.test_dataset].get("publishable_images", False))


def of_arms(results: Results, pair: Pair, model: str) -> dict[str, Examples]:
    """Examples of each guidance for the first seed that all of them have; nothing when there is none."""
    by_seed: dict[int, dict[str, Document]] = {}
    for guidance in results.guidances:
        for document in results.found(pair, model, guidance):
            if "examples.npz" in document.files:
                by_seed.setdefault(document.entry["seed"], {})[guidance] = document
    complete = [seed for seed, found in by_seed.items() if len(found) == len(results.guidances)]
    if not complete:
        return {}
    return {name: _load(by_seed[min(complete)][name].files["examples.npz"]) for name in results.guidances}


@cache
def _load(path: Path) -> Examples:
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def first_of_each(results: Results, pair: Pair, examples: Examples, most: int = 1) -> list[int]:
    """Rows of the first few faces of each expression, alphabetically; never chosen by how well they come out."""
    names = names_of(results, pair, examples)
    chosen = [[index for index, name in enumerate(names) if name == wanted][:most] for wanted in sorted(set(names))]
    return [index for indices in chosen for index in indices]


def names_of(results: Results, pair: Pair, examples: Examples) -> list[str]:
    """Expression of every example."""
    expressions = results.expressions(pair.test_dataset)
    return [expressions[int(label)] for label in examples["labels"]]


def word(key: str) -> str:
    """Word for a kind of map, e.g. `cam.gradcam` -> GradCAM."""
    kind, name = key.split(".", 1)
    return {"att": "attention", "target": "action units"}.get(kind) or labels.explainer(name)


def overlay(axes: Axes, image: np.ndarray, values: np.ndarray | None) -> None:
    """Lay a map over a face as the paper does: each between its own minimum and maximum, half transparent."""
    if values is None or not np.isfinite(values).all():
        style.picture(axes, image)
        axes.text(
            0.5, 0.06, "no map", ha="center", fontsize=style.SMALL, color="white", bbox=HINT, transform=axes.transAxes
        )
        return
    style.picture(axes, (1 - ALPHA) * image + ALPHA * _coloured(values, image.shape[:2]))


def _coloured(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w) between its own minimum and maximum, bilinearly enlarged to a size (H, W), as colours (H, W, 3)."""
    height, width = size
    enlarged = Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return 255 * matplotlib.colormaps[style.PAPER_MAPS](Normalize()(np.asarray(enlarged)))[..., :3]


def verdict(results: Results, pair: Pair, examples: Examples, face: int) -> str:
    """Whether a face was classified correctly, else what it was taken for."""
    expressions = results.expressions(pair.test_dataset)
    predicted, label = int(examples["predicted"][face]), int(examples["labels"][face])
    return "correct" if predicted == label else f"predicted: {expressions[predicted]}"
