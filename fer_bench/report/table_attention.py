"""Table 2: ATT-COS of every layer, without and with guidance."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble, content, hoist, is_chance, reference, reference_rows, shared
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.comparison import other_networks, printed, printed_arms
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table

WHAT = (
    "Cosine similarity of a layer's attention (mean over its channels) with the action unit map of the true "
    "class (ATT-COS, mean over the expressions with a map), per layer. All maps are non-negative, so chance is high."
)
TEXTS = ("Dataset", "Network", "Method", TRAINING)


def build(results: Results) -> Table:
    """Table 2 of a grid (Belharbi et al., Table 2, for every layer)."""
    published = bool(printed_arms(results))
    columns = [*map(Column, TEXTS), *(Column(labels.layer(name), "ATT-COS") for name in results.layers)]
    columns += [Column("published", "ATT-COS")] * published
    rows = [row for pair in results.pairs for row in _pair(results, pair, published)]
    what = f"{WHAT} Reference map: {labels.target(results.target)}."
    title = "Table 2: ATT-COS per layer"
    table = assemble(results, "table2", title, what, columns, rows, texts=len(TEXTS), optional=("Method",))
    told = [captions.PUBLISHED, captions.PUBLISHED_LAYER] if published else []
    return captions.add(table, *captions.elsewhere(results), *other_networks(results), *told)


def _pair(results: Results, pair: Pair, published: bool) -> list[Row]:
    return hoist([list(_network(results, pair, one, published)) for one in methods.networks(results)])


def _network(results: Results, pair: Pair, network: Network, published: bool) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label)
    references = [
        (chance, Row((*names, "", word, *cells, *[""] * published), " ".join(names), True))
        for chance, word, cells in _references(results, pair, network)
    ]
    yield from (row for chance, row in references if chance)
    for model in network.models:
        yield from _training(results, pair, names, model, published)
    yield from (row for chance, row in references if not chance)


def _training(results: Results, pair: Pair, names: tuple[str, str], model: str, published: bool) -> Iterator[Row]:
    frame = results.of_model(pair, model)
    words = (*names, methods.training_word(results, model))
    scores = {name: _scores(results, frame, pair, model, name) for name in results.guidances}
    for name, cells in scores.items():
        extra = [_published(results, pair, model, name)] * published
        yield Row((*words, results.guidance_label(name), *cells, *extra), " ".join(words))
    for title, name in comparisons(results):
        cells = [minus(after, before) for after, before in zip(scores[name], scores[BASELINE], strict=True)]
        yield Row((*words, title, *cells, *[""] * published), " ".join(words))


def _scores(results: Results, frame: pd.DataFrame, pair: Pair, model: str, guidance: str) -> list[Content]:
    rows = cosine_rows(frame, "att_cos", target=results.target, pairing="true_true", subset="all")

    def cell(layer: str) -> Content:
        contest = f"{pair.name} {model} {layer}"  # the offset of the maps differs from model to model
        return content(results, select(rows, layer=layer), pair, model, guidance, contest=contest)

    return [cell(layer) for layer in results.layers]


def _published(results: Results, pair: Pair, model: str, guidance: str) -> str:
    """What the paper prints for a training: one number, or the range over the explainers that it trained apart."""
    rows = [MethodRow(model, word, None, word) for word in methods.training_rows(results, model)]
    texts = [printed(results, pair, row, "att_cos").get(guidance, "") for row in rows]
    found = sorted(set(texts) - {""})
    return found[0] if len(found) == 1 else f"{found[0]}\N{EN DASH}{found[-1]}" if found else ""


def _references(results: Results, pair: Pair, network: Network) -> Iterator[tuple[bool, str, list[Content]]]:
    """Lines of references with contents per layer; one per training where the training makes a difference."""
    items: dict[str, list[tuple[str, list[Content]]]] = {}
    for model in network.models:
        frame = results.of_model(pair, model)
        for suffix, rows in reference_rows(frame, "att_cos", results.target).items():
            for name in results.guidances:
                word = f"{methods.training_word(results, model)} {results.guidance_label(name)}"
                items.setdefault(suffix, []).append((word, _reference(results, select(rows, guidance=name))))
    for suffix, found in items.items():
        for words, cells in shared([item for item in found if any(item[1])]):
            yield is_chance(suffix), labels.reference(suffix) + words, list(cells)


def _reference(results: Results, rows: pd.DataFrame) -> list[Content]:
    """Contents per layer; a reference that names no layer holds for all of them."""
    return [reference(results, select(rows, layer=(layer, ""))) for layer in results.layers]
