"""Chance levels of classification, from the number of test images per class."""

from fer_bench.report.captions import class_counts, rare_classes
from fer_bench.report.results import Pair, Results


def largest_class_share(results: Results, pair: Pair) -> float | None:
    """Accuracy in percent of always answering the largest class; None when the classes' sizes are not known."""
    counts = class_counts(results, pair)
    return 100 * max(counts.values()) / sum(counts.values()) if sum(counts.values()) else None


def largest_class(results: Results, pair: Pair) -> dict[str, float]:
    """Accuracy, balanced accuracy and macro-F1 in percent of always answering the largest class.

    That class has recall 1 and precision p, its share; so F1 = 2p / (1 + p), and every other class has 0. Means are
    over the classes with enough test images.
    """
    share = largest_class_share(results, pair)
    if share is None:
        return {}
    classes = len(class_counts(results, pair)) - len(rare_classes(results, pair))
    if not classes:
        return {"accuracy": share}
    f1 = 200 * share / (100 + share)
    return {"accuracy": share, "balanced_accuracy": 100 / classes, "macro_f1": f1 / classes}


def uniform(results: Results, pair: Pair) -> dict[str, float]:
    """Expected accuracy, balanced accuracy and recall in percent of an answer drawn evenly from all classes."""
    share = 100 / len(results.expressions(pair.test_dataset))
    return {"accuracy": share, "balanced_accuracy": share, "recall": share}
