"""Table 1: classification and CAM-COS of every method, without and with guidance, and the explainers beyond it."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import captions, labels, methods, power_notes
from fer_bench.report._builder import NO_MAP, arms, assemble, hoist, is_chance, reference, reference_rows, shared
from fer_bench.report._guess import largest_class_share
from fer_bench.report._layout import Heading, Measure, columns, lines, text_count
from fer_bench.report.comparison import other_networks, printed, printed_arms
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Content, Row, Table
from fer_bench.report.value import constant

WHAT = (
    "Classification accuracy (CL) and cosine similarity of the class activation map of the true class with the action "
    "unit map of the true class (CAM-COS, mean over the expressions with a map)."
)
WHAT_MORE = "CAM-COS of the explainers that Table 1 leaves out, on the same trainings."
UNTRAINED = "chance_untrained"
TEXTS = ("Dataset", "Network", "Method")


def build(results: Results) -> Table:
    """Table 1 of a grid (Belharbi et al., Table 1, with chance levels, references and ceilings)."""
    published = printed_arms(results)
    headings = [Heading("CL (%)", published=published), Heading("CAM-COS", ("untrained",), published=published)]
    what = f"{WHAT} Reference map: {labels.target(results.target)}. Untrained: the network before training."
    found = [row for pair in results.pairs for row in _pair(results, pair, headings)]
    head = columns(results, TEXTS, headings)
    table = assemble(results, "table1", "Table 1: CL and CAM-COS", what, head, found, text_count(results, TEXTS))
    return captions.add(table, *_notes(results, bool(published)))


def build_explainers(results: Results) -> Table | None:
    """CAM-COS of every scored explainer that Table 1 leaves out; None when there is none."""
    heading = [Heading("CAM-COS", ("untrained",))]
    found = [row for pair in results.pairs for row in _more(results, pair, heading)]
    if not found:
        return None
    head = columns(results, TEXTS, heading)
    what = f"{WHAT_MORE} Reference map: {labels.target(results.target)}. Untrained: the network before training."
    return assemble(results, "explainers", "Other explainers", what, head, found, text_count(results, TEXTS))


def cam_references(
    results: Results, pair: Pair, network: Network, rows: list[MethodRow]
) -> list[tuple[str, str, dict[str, Content]]]:
    """Chance levels, references and ceilings of CAM-COS as (suffix, words, guidance -> content).

    Rows of a network with the same numbers share a line. The untrained network differs from row to row: a column.
    """
    items: dict[str, list[tuple[str, list[Content]]]] = {}
    for row in rows:
        frame = results.of_model(pair, row.model)
        for suffix, found in reference_rows(frame, "cam_cos", results.target).items():
            if suffix != UNTRAINED and row.explainer is not None:
                own = select(found, explainer=(row.explainer, ""))
                cells = [reference(results, select(own, guidance=name)) for name in results.guidances]
                items.setdefault(suffix, []).append((row.word, cells))
    ordered = [suffix for suffix in (*labels.REFERENCES, *items) if suffix in items]
    return [
        (suffix, labels.reference(suffix) + words, dict(zip(results.guidances, cells, strict=True)))
        for suffix in dict.fromkeys(ordered)
        for words, cells in shared(items[suffix])
        if any(cells)
    ]


def untrained(results: Results, frame: pd.DataFrame, explainer: str) -> Content:
    """CAM-COS of an explainer on the network before training, which no guidance enters."""
    rows = cosine_rows(select(frame, explainer=explainer, target=results.target), f"cam_cos_{UNTRAINED}", subset="all")
    return reference(results, select(rows, guidance=rows["guidance"].iloc[0]) if len(rows) else rows)


def _pair(results: Results, pair: Pair, headings: list[Heading]) -> list[Row]:
    return hoist([list(_network(results, pair, one, headings)) for one in methods.networks(results)])


def _network(results: Results, pair: Pair, network: Network, headings: list[Heading]) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label)
    block, shown = " ".join(names), methods.rows(results, network)

    def quiet(word: str, *measures: Measure) -> list[Row]:
        return lines(results, (*names, word), headings, measures, block, quiet=True)

    share = largest_class_share(results, pair)
    if share is not None:
        guess = Measure(dict.fromkeys(results.guidances, constant(share, 2)))
        yield from quiet("chance: always the largest class", guess, Measure())
    references = cam_references(results, pair, network, shown)
    for suffix, word, cells in references:
        if is_chance(suffix):
            yield from quiet(word, Measure(), Measure(cells))
    for row in shown:
        measures = (_accuracy(results, pair, row), _activation(results, pair, row))
        yield from lines(results, (*names, row.word), headings, measures, block)
    for suffix, word, cells in references:
        if not is_chance(suffix):
            yield from quiet(word, Measure(), Measure(cells))


def _accuracy(results: Results, pair: Pair, row: MethodRow) -> Measure:
    rows = select(results.of_model(pair, row.model), metric="accuracy", subset=("all", ""))
    scores = arms(results, rows, pair, row.model, digits=2, contest=f"{pair.name} CL")
    return Measure(scores, published=printed(results, pair, row, "accuracy"))


def _activation(results: Results, pair: Pair, row: MethodRow) -> Measure:
    if row.explainer is None:
        return Measure(dict.fromkeys(results.guidances, NO_MAP))
    frame = results.of_model(pair, row.model)
    own = select(frame, explainer=row.explainer, target=results.target, subset="all")
    rows = cosine_rows(own, "cam_cos", pairing="true_true")
    scores = arms(results, rows, pair, row.model, contest=f"{pair.name} {row.explainer}")
    before = (untrained(results, frame, row.explainer),)
    return Measure(scores, before, published=printed(results, pair, row, "cam_cos"))


def _more(results: Results, pair: Pair, heading: list[Heading]) -> list[Row]:
    """Rows of every network, with the chance levels of their explainers."""
    blocks = []
    for network in methods.networks(results):
        shown = methods.others(results, network)
        names = (results.pair_label(pair), network.label)
        found = [(word, cells) for _, word, cells in cam_references(results, pair, network, shown)]
        block = [
            line
            for word, cells in found
            for line in lines(results, (*names, word), heading, [Measure(cells)], " ".join(names), quiet=True)
        ]
        for row in shown:
            block += lines(results, (*names, row.word), heading, [_activation(results, pair, row)], " ".join(names))
        blocks.append(block)
    return hoist(blocks) if any(blocks) else []


def _notes(results: Results, published: bool) -> Iterator[str]:
    """Rows that share a training, and where the published numbers come from."""
    for network in methods.networks(results):
        for model in network.models:
            words = [row.word for row in methods.rows(results, network) if row.model == model]
            if len(words) > 1:
                yield f"{network.label}: {'; '.join(words)} explain one training and share its CL."
    yield from power_notes.build(results)
    yield from captions.elsewhere(results)
    yield from other_networks(results)
    if published:
        yield captions.PUBLISHED
