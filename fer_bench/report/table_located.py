"""Accuracy with and without the faces whose landmarks were not found."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fer_bench.report import methods
from fer_bench.report._builder import ANY_NETWORK, UNDEFINED, assemble
from fer_bench.report._layout import TRAINING, minus
from fer_bench.report.collect import Document
from fer_bench.report.results import Pair, Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value

TEXTS = ("Dataset", "Network", "Method", TRAINING)
PARTS = ("all images", "landmarks found", "not found")
PREDICTIONS = "predictions.parquet"


def build(results: Results) -> Table | None:
    """Accuracy of every training on all test images, on those with landmarks and on those without; None without facts.

    It is the one kind of score that both have: an image without landmarks has no map to be compared with.
    """
    rows = [row for pair in results.pairs if pair.test_dataset in results.hygiene for row in _pair(results, pair)]
    if not rows:
        return None
    what = (
        "Accuracy (CL, %) on all test images, on those whose landmarks were found and on those where they were not; "
        "difference: found minus all. Faces that cannot be found need not be missing at random, and scores of maps "
        "leave them out."
    )
    columns = [*map(Column, TEXTS), *(Column(part, "CL (%)") for part in PARTS), Column("difference")]
    return assemble(results, "located", "Scores by landmarks", what, columns, rows, len(TEXTS), ("Method",))


def _pair(results: Results, pair: Pair) -> Iterator[Row]:
    label, counts = results.pair_label(pair), _counts(results, pair)
    if counts is None:
        return
    yield Row((label, ANY_NETWORK, "", "test images", *map(str, counts), ""), label, quiet=True)
    for network in methods.networks(results):
        for model in network.models:
            names = (label, network.label, methods.training_word(results, model))
            for arm in results.guidances:
                found = results.found(pair, model, arm)
                yield Row((*names, results.guidance_label(arm), *_cells(results, found)), " ".join(names))


def _counts(results: Results, pair: Pair) -> tuple[int, int, int] | None:
    """Test images, those with and those without landmarks; they are the same for every training."""
    for document in results.documents:
        if Pair(document.entry["dataset"], document.test_dataset) == pair and PREDICTIONS in document.files:
            _, located = _judged(results, document)
            return len(located), int(located.sum()), int((~located).sum())
    return None


def _judged(results: Results, document: Document) -> tuple[np.ndarray, np.ndarray]:
    """Whether each test image (N,) was classified correctly, and whether it has landmarks."""
    frame = pd.read_parquet(document.files[PREDICTIONS], columns=["id", "label", "predicted"])
    lost = frame["id"].isin(results.hygiene[document.test_dataset].without_landmarks)
    return (frame["label"] == frame["predicted"]).to_numpy(), ~lost.to_numpy()


def _cells(results: Results, found: list[Document]) -> list[Content]:
    parts: list[dict[int, float]] = [{}, {}, {}]
    for document in (document for document in found if PREDICTIONS in document.files):
        correct, located = _judged(results, document)
        for part, chosen in zip(parts, (np.ones_like(located), located, ~located), strict=True):
            if chosen.any():
                part[document.entry["seed"]] = 100 * float(correct[chosen].mean())
    there = bool(parts[0])
    cells: list[Content] = [Value(part, len(results.seeds), 2) if part or not there else UNDEFINED for part in parts]
    return [*cells, minus(cells[1], cells[0])]
