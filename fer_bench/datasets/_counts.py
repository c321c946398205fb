"""Images per class and split, compared with the published ones."""

import logging
from collections import Counter
from collections.abc import Mapping

import pandas as pd

logger = logging.getLogger(__name__)


def warn_counts(frame: pd.DataFrame, published: Mapping[str, Mapping[str, int]], source: str) -> list[str]:
    """Log one warning that says which classes of which splits differ from the published counts; none when all agree.

    Rows of val count as train where nothing is published for val: it was taken from train.

    Args:
        frame: columns split and label.
        published: split -> expression -> number of images; what it does not name is expected to be absent.
        source: where the dataset stands, e.g. `params.yaml: datasets.rafdb`.

    Returns:
        The differences, each such as `test fear 73 (published 74)`.
    """
    split = frame["split"] if "val" in published else frame["split"].replace("val", "train")
    found = Counter(zip(split.astype(str), frame["label"].astype(str), strict=True))
    expected = {(name, label): count for name, classes in published.items() for label, count in classes.items()}
    cells = [*expected, *sorted(set(found) - set(expected))]
    differences = [
        f"{name} {label} {found[name, label]} (published {expected.get((name, label), 0)})"
        for name, label in cells
        if found[name, label] != expected.get((name, label), 0)
    ]
    if differences:
        total, wanted = len(frame), sum(expected.values())
        logger.warning(
            "%s: %d images, %d published; classes that differ: %s", source, total, wanted, ", ".join(differences)
        )
    return differences
