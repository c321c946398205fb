"""Tables that look at the map scores from other sides: other reference maps, and Pearson correlation."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from fer_bench.report import labels, methods
from fer_bench.report._builder import arms, assemble, reference, reference_rows
from fer_bench.report._layout import Heading, Measure, columns, lines, text_count
from fer_bench.report.methods import Network
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Content, Row, Table


class Map(NamedTuple):
    """A scored map of a model: its metric, the column that names it, its name, and the words for it."""

    model: str
    method: str
    metric: str
    field: str
    name: str
    word: str


def build_cross_map(results: Results) -> Table | None:
    """Every map scored against the reference maps that the main tables do not use; None when there is none."""
    targets = sorted(set(results.frame["target"]) - {"", results.target})
    what = (
        "Maps scored against other reference maps than the main tables use: what training on one map does to the "
        "agreement with another is not the optimised quantity. Chance is the constant map for attention and random "
        "smooth maps for class activation maps."
    )
    texts = ("Dataset", "Network", "Method", "Map", "Reference map")
    heading = [Heading("Cosine", before=("chance",), after=("ceiling",))]
    rows = [row for pair in results.pairs for row in _cross_rows(results, pair, targets, heading)]
    if not targets:
        return None
    head, count = columns(results, texts, heading), text_count(results, texts)
    return assemble(results, "cross_map", "Other reference maps", what, head, rows, count, optional=("Method",))


def _cross_rows(results: Results, pair: Pair, targets: list[str], heading: list[Heading]) -> Iterator[Row]:
    for network in methods.networks(results):
        names = (results.pair_label(pair), network.label)
        for target in targets:
            for one in _last_maps(results, pair, network):
                frame = results.of_model(pair, one.model)
                own = select(frame, **{one.field: (one.name, "")})
                rows = cosine_rows(own, one.metric, target=target, pairing="true_true", subset="all")
                chance, ceiling = (_bound(results, own, one.metric, target, key) for key in ("chance", "ceiling"))
                measure = Measure(arms(results, rows, pair, one.model), (chance,), (ceiling,))
                words = (*names, one.method, one.word, labels.target(target))
                yield from lines(results, words, heading, [measure], " ".join((*names, target)))


def _last_maps(results: Results, pair: Pair, network: Network) -> Iterator[Map]:
    """The last attention of every training, and the class activation maps of Table 1."""
    frame = results.of_pair(pair)
    for model in network.models:
        layers = set(select(frame, model=model, metric="att_cos")["layer"])
        for name in [name for name in results.layers if name in layers][-1:]:
            word = f"attention, {labels.layer(name)}"
            yield Map(model, methods.training_word(results, model), "att_cos", "layer", name, word)
    yield from _activation(results, network, "cam_cos")


def _activation(results: Results, network: Network, metric: str) -> Iterator[Map]:
    for row in methods.rows(results, network):
        if row.explainer:
            word = labels.explainer(row.explainer)
            method = methods.training_word(results, row.model)
            yield Map(row.model, method, metric, "explainer", row.explainer, word)


def _bound(results: Results, frame: pd.DataFrame, metric: str, target: str, kind: str) -> Content:
    """First chance level, or ceiling, of a map; blank when it was not computed."""
    for suffix, rows in reference_rows(frame, metric, target).items():
        if suffix.startswith(kind):
            one_arm = select(rows, guidance=rows["guidance"].iloc[0])
            return reference(results, one_arm)
    return ""


def build_pearson(results: Results) -> Table:
    """Pearson correlation of every map: its chance level is 0, and layers and explainers may be compared by it."""
    what = (
        "Pearson correlation of every map with the action unit map of the true class (chance: 0, unlike the cosine it "
        f"ignores a map's offset); mean over the expressions. Reference map: {labels.target(results.target)}."
    )
    texts, heading = ("Dataset", "Network", "Method", "Map"), [Heading("Pearson correlation")]
    rows = [row for pair in results.pairs for row in _pearson_rows(results, pair, heading)]
    head, count = columns(results, texts, heading), text_count(results, texts)
    return assemble(results, "pearson", "Pearson correlation", what, head, rows, count, optional=("Method",))


def _pearson_rows(results: Results, pair: Pair, heading: list[Heading]) -> Iterator[Row]:
    frame = select(results.of_pair(pair), target=results.target, pairing="true_true", subset="all")
    for network in methods.networks(results):
        names = (results.pair_label(pair), network.label)
        for one in (*_layers(results, network), *_activation(results, network, "cam_pearson")):
            own = cosine_rows(select(frame, model=one.model, **{one.field: one.name}), one.metric)
            if len(own):
                measure = Measure(arms(results, own, pair, one.model))
                yield from lines(results, (*names, one.method, one.word), heading, [measure], " ".join(names))


def _layers(results: Results, network: Network) -> Iterator[Map]:
    for model in network.models:
        for name in results.layers:
            word = f"attention, {labels.layer(name)}"
            yield Map(model, methods.training_word(results, model), "att_pearson", "layer", name, word)
