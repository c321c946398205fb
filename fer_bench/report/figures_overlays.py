"""Single test faces with their maps laid over them, in the layout of the paper's Figure 4."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_bench.report import labels, style
from fer_bench.report.collect import Document
from fer_bench.report.figures_maps import alignment_layer
from fer_bench.report.results import Pair, Results

PANEL = 0.95  # inches
STRENGTH = 0.6  # opacity of the strongest spot of a map


def build(results: Results) -> Iterator[tuple[str, Figure, bool]]:
    """Yield (file name, figure, whether the faces may be published) per pair of datasets and model.

    The first seed that both trainings have is shown; rows are faces, columns the image, its action unit map, then
    attention and activation map of each training. A wrong prediction is named below its activation map.
    """
    for pair in results.pairs:
        publishable = bool(results.plan["datasets"][pair.test_dataset].get("publishable_images", False))
        for model in results.unique("model"):
            arms = _arms(results, pair, model)
            if arms:
                yield f"overlays-{pair.name}-{model}", _figure(results, pair, model, arms), publishable


def _arms(results: Results, pair: Pair, model: str) -> dict[str, dict[str, np.ndarray]]:
    """Examples of each guidance for the first seed that all of them have."""
    by_seed: dict[int, dict[str, Document]] = {}
    for guidance in results.guidances:
        for document in results.found(pair, model, guidance):
            if "examples.npz" in document.files:
                by_seed.setdefault(document.entry["seed"], {})[guidance] = document
    complete = [seed for seed, found in by_seed.items() if len(found) == len(results.guidances)]
    if not complete:
        return {}
    return {name: _load(by_seed[min(complete)][name]) for name in results.guidances}


def _load(document: Document) -> dict[str, np.ndarray]:
    with np.load(document.files["examples.npz"]) as file:
        return {key: file[key] for key in file.files}


def _figure(results: Results, pair: Pair, model: str, arms: dict[str, dict[str, np.ndarray]]) -> Figure:
    expressions = results.expressions(pair.test_dataset)
    first = next(iter(arms.values()))
    attention, explainer = f"att.{alignment_layer(results)}", _explainer(results, first)
    keys = [key for key in (attention, f"cam.{explainer}") if key in first]
    titles = ["face", f"action units\n({labels.target(results.target)})"]
    titles += [f"{_word(key)}\n{labels.guidance(arm)}" for key in keys for arm in arms]
    rows = _faces(results, first, expressions)
    made = style.figure(PANEL * len(titles) + 0.9, PANEL * len(rows) * 1.17 + 0.9)
    made.suptitle(f"{results.model_label(model)}, single test images: {results.dataset_label(pair.test_dataset)}")
    panels = made.subplots(len(rows), len(titles), squeeze=False)
    for title, axes in zip(titles, panels[0], strict=True):
        axes.set_title(title, fontsize=7)
    for row, face in zip(panels, rows, strict=True):
        _row(row, face, arms, [f"target.{results.target}", *keys], expressions)
    return made


def _explainer(results: Results, examples: dict[str, np.ndarray]) -> str:
    found = [name for name in results.explainers if f"cam.{name}" in examples]
    return found[0] if found else ""


def _word(key: str) -> str:
    kind, name = key.split(".", 1)
    return "attention" if kind == "att" else labels.explainer(name)


def _faces(results: Results, examples: dict[str, np.ndarray], expressions: list[str]) -> list[int]:
    """Rows of the examples to show: the first few of each expression, alphabetically."""
    most = int(results.plan.get("tables", {}).get("faces_per_expression", 1))
    names = [expressions[int(label)] for label in examples["labels"]]
    chosen = [[index for index, name in enumerate(names) if name == wanted][:most] for wanted in sorted(set(names))]
    return [index for indices in chosen for index in indices]


def _row(
    panels: np.ndarray, face: int, arms: dict[str, dict[str, np.ndarray]], keys: list[str], expressions: list[str]
) -> None:
    first = next(iter(arms.values()))
    image = first["images"][face]
    panels[0].imshow(image)
    panels[0].set_ylabel(expressions[int(first["labels"][face])], rotation=0, ha="right", va="center")
    _overlay(panels[1], image, first[keys[0]][face] if keys[0] in first else None)
    for axes, (key, arm) in zip(panels[2:], [(key, arm) for key in keys[1:] for arm in arms], strict=True):
        _overlay(axes, image, arms[arm][key][face])
        if key.startswith("cam."):
            _verdict(axes, int(arms[arm]["predicted"][face]), int(first["labels"][face]), expressions)
    for axes in panels:
        style.bare(axes)


def _overlay(axes: Axes, image: np.ndarray, values: np.ndarray | None) -> None:
    """Lay a map over a face, each on its own minimum and maximum; weak spots stay transparent."""
    axes.imshow(image)
    if values is None or not np.isfinite(values).all():
        box = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.5}
        axes.text(0.5, 0.05, "no map", ha="center", fontsize=6, color="white", bbox=box, transform=axes.transAxes)
        return
    spread = values.max() - values.min()
    scaled = (values - values.min()) / spread if spread > 0 else np.zeros_like(values, dtype=float)
    height, width = image.shape[:2]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(scaled, cmap=style.MAPS, alpha=STRENGTH * scaled, extent=extent, interpolation="bilinear")


def _verdict(axes: Axes, predicted: int, label: int, expressions: list[str]) -> None:
    right = predicted == label
    axes.set_xlabel("correct" if right else f"predicted: {expressions[predicted]}", fontsize=6, labelpad=2)
