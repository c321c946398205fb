"""Confusion matrices: share of each true expression, mean over seeds."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_bench.report import labels, methods, style
from fer_bench.report.collect import Document
from fer_bench.report.results import Pair, Results

ACROSS, PANELS = 2, 6  # panels in a row, and in one figure


def build(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (file name, figure) per pair of datasets, a panel per model and guidance, at most PANELS in one figure."""
    for pair in results.drawn_pairs:
        matrices = {
            (model, guidance): [
                matrix for document in results.found(pair, model, guidance) for matrix in counts(results, document)
            ]
            for model in results.models
            for guidance in results.guidances
        }
        if any(matrices.values()):
            for ending, part in style.chunks(list(matrices), PANELS):
                yield f"confusion-{pair.name}{ending}", _figure(results, pair, {key: matrices[key] for key in part})


def confusion(predictions: pd.DataFrame, expressions: list[str]) -> np.ndarray:
    """Count images by true (rows) and predicted (columns) expression, (K, K); labels may be words or ids."""
    true, predicted = (_ids(predictions[column], expressions) for column in ("label", "predicted"))
    matrix = np.zeros((len(expressions), len(expressions)), dtype=int)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def _ids(column: pd.Series, expressions: list[str]) -> np.ndarray:
    if pd.api.types.is_integer_dtype(column):
        return column.to_numpy()
    return column.map({name: index for index, name in enumerate(expressions)}).to_numpy(dtype=int)


def counts(results: Results, document: Document) -> list[np.ndarray]:
    """The confusion matrix of one cell, in a list that is empty where its predictions are not here."""
    path = document.files.get("predictions.parquet")
    if path is None:
        return []
    predictions = pd.read_parquet(path, columns=["label", "predicted"])
    return [confusion(predictions, results.expressions(document.test_dataset))]


def _figure(results: Results, pair: Pair, matrices: dict[tuple[str, str], list[np.ndarray]]) -> Figure:
    expressions = results.expressions(pair.test_dataset)
    across = min(ACROSS, len(matrices))
    down = -(-len(matrices) // across)
    made = style.figure(style.TEXT if across > 1 else style.COLUMN, 3.15 * down + 0.75)
    made.suptitle(f"Confusion matrices, {results.pair_label(pair)}: % of the true expression (images), mean over seeds")
    panels = made.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    words = methods.model_words(results)
    for number, ((model, guidance), found) in enumerate(matrices.items()):
        axes, seeds = panels[number], f"n = {len(found)} seed{'s' * (len(found) != 1)}"
        axes.set_title(f"{words[model]}, {results.guidance_label(guidance)}, {seeds}")
        draw(axes, found, expressions)
        axes.set_ylabel("true expression" if number % across == 0 else "")
        axes.set_xlabel("predicted expression" if number >= len(matrices) - across else "")
        axes.tick_params(labelbottom=number >= len(matrices) - across)
    for axes in panels[len(matrices) :]:
        axes.set_visible(False)
    return made


def draw(axes: Axes, matrices: list[np.ndarray], expressions: list[str]) -> None:
    """Draw the row-normalised mean of several confusion matrices with shares in percent and mean counts."""
    if not matrices:
        style.bare(axes)
        axes.text(0.5, 0.5, labels.MISSING, ha="center", va="center", transform=axes.transAxes)
        return
    counts = np.mean(matrices, axis=0)
    totals = counts.sum(axis=1, keepdims=True)
    shares = 100 * np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    words = [
        [f"{share:.0f}\n({count:.0f})" if count else "" for share, count in zip(*pair, strict=True)]
        for pair in zip(shares, counts, strict=True)
    ]
    sns.heatmap(
        shares, ax=axes, annot=np.array(words), fmt="", cmap="cividis", vmin=0, vmax=100, cbar=False, square=True,
        xticklabels=expressions, yticklabels=expressions, annot_kws={"size": 5}, linewidths=0.3,
    )  # fmt: skip
    axes.tick_params(length=0)
    axes.set_xticklabels(expressions, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticklabels(expressions, rotation=0)
