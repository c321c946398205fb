"""Classification scores, and the recall of every expression."""

from collections.abc import Iterator, Mapping

import pandas as pd

from fer_bench.report import labels, methods
from fer_bench.report._builder import ANY_NETWORK, assemble, content
from fer_bench.report._guess import largest_class, uniform
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.captions import class_counts, rare_classes
from fer_bench.report.results import BASELINE, Pair, Results, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import constant

SCORES = ("accuracy", "balanced_accuracy", "macro_f1", "expected_calibration_error")
RARE_MARK = "‡"
TEXTS = ("Dataset", "Network", "Method", TRAINING)


def build_scores(results: Results) -> Table:
    """Accuracy, balanced accuracy, macro-F1 and expected calibration error."""
    what = (
        "Classification scores on the test images: accuracy (CL), mean recall, mean F1 over the expressions, and "
        "expected calibration error (lower is better)."
    )
    metrics = [name for name in SCORES if name in set(results.frame["metric"])]
    columns = [*map(Column, TEXTS), *(_heading(results, name) for name in metrics)]
    rows = [row for pair in results.pairs for row in _score_rows(results, pair, metrics)]
    return assemble(results, "scores", "Classification scores", what, columns, rows, len(TEXTS), ("Method",))


def build_recall(results: Results) -> Table:
    """Recall per expression with the number of test images."""
    what = "Recall (%) of every expression."
    names = list(dict.fromkeys(n for pair in results.pairs for n in results.expressions(pair.test_dataset)))
    columns = [*map(Column, TEXTS), *(Column(name, "Recall (%)") for name in names)]
    rows = [row for pair in results.pairs for row in _recall_rows(results, pair, names)]
    return assemble(results, "recall", "Recall per expression", what, columns, rows, len(TEXTS), ("Method",))


def _heading(results: Results, metric: str) -> Column:
    units = set(select(results.frame, metric=metric)["unit"]) - {""}
    return Column(labels.metric(metric) + (f" ({units.pop()})" if units else ""))


def _score_rows(results: Results, pair: Pair, metrics: list[str]) -> Iterator[Row]:
    yield _guess(results, pair, "chance: uniform guess", uniform(results, pair), metrics)
    yield _guess(results, pair, "chance: always the largest class", largest_class(results, pair), metrics)
    yield from _training_rows(results, pair, dict.fromkeys(metrics, 2))


def _recall_rows(results: Results, pair: Pair, names: list[str]) -> Iterator[Row]:
    counts, rare = class_counts(results, pair), rare_classes(results, pair)
    images = [f"{counts.get(name, 0)}{RARE_MARK if name in rare else ''}" for name in names]
    label = results.pair_label(pair)
    word = f"test images ({RARE_MARK} too few)" if rare else "test images"
    yield Row((label, ANY_NETWORK, "", word, *images), label, quiet=True)
    share = uniform(results, pair)["recall"]
    chance = [constant(share, 1)] * len(names)
    yield Row((label, ANY_NETWORK, "", "chance: uniform guess", *chance), label, quiet=True)
    metrics = [f"recall_{name}" for name in names]
    yield from _training_rows(results, pair, dict.fromkeys(metrics, 1))


def _guess(results: Results, pair: Pair, word: str, scores: Mapping[str, float], metrics: list[str]) -> Row:
    label = results.pair_label(pair)
    cells: list[Content] = [constant(scores[name], 2) if name in scores else "" for name in metrics]
    return Row((label, ANY_NETWORK, "", word, *cells), label, quiet=True)


def _training_rows(results: Results, pair: Pair, digits: dict[str, int]) -> Iterator[Row]:
    for network in methods.networks(results):
        for model in network.models:
            frame = results.of_model(pair, model)
            names = (results.pair_label(pair), network.label, methods.training_word(results, model))
            scores = {arm: _cells(results, frame, pair, model, arm, digits) for arm in results.guidances}
            for arm, cells in scores.items():
                yield Row((*names, results.guidance_label(arm), *cells), " ".join(names))
            for title, arm in comparisons(results):
                both = zip(scores[arm], scores[BASELINE], strict=True)
                yield Row((*names, title, *(minus(after, before) for after, before in both)), " ".join(names))


def _cells(
    results: Results, frame: pd.DataFrame, pair: Pair, model: str, arm: str, digits: dict[str, int]
) -> list[Content]:
    def cell(metric: str) -> Content:
        rows = select(frame, metric=metric, subset=("all", ""))
        fine = bool(len(rows)) and set(rows["unit"]) != {"%"}  # a share of 1, not of 100, needs a third decimal
        return content(results, rows, pair, model, arm, 3 if fine else digits[metric], f"{pair.name} {metric}")

    return [cell(metric) for metric in digits]
