"""Table 3 and the numbers of Figure 5: guidances that differ in their layers or in their weight λ alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble
from fer_bench.report._layout import minus
from fer_bench.report.ablation_scores import (
    DIGITS,
    METRICS,
    PUBLISHED,
    SUMMARY,
    main_rows,
    published,
    scores,
    summarise,
    summarise_numbers,
)
from fer_bench.report.ablations import Ablation, layers_of
from fer_bench.report.comparison import comparable, is_published, other_networks
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.published import Printed
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import constant

TEXTS = ("Dataset", "Network", "Method", "Layers", "λ", "Guidance")
OPTIONAL = ("Method", "Guidance")
TITLES = {"layers": "Table 3: guided layers", "weight": "Figure 5: weight of the guidance"}
WHAT = {
    "layers": "Layers whose attention is aligned with the action unit map, all else being equal.",
    "weight": "Weight λ of the alignment term, all else being equal.",
}
MAXIMUM = (
    "Expected maximum: what the best of so many runs would score if λ made no difference: mean over λ + c · s, c the "
    "expected maximum of so many standard normal numbers, s the deviation of a mean over seeds "
    "(without repeated seeds: the deviation over λ)."
)


def build(results: Results) -> list[Table]:
    """A table for guided layers and one for weights, each where the grid has such an ablation."""
    return [table for setting in TITLES if (table := _table(results, setting)) is not None]


def _table(results: Results, setting: str) -> Table | None:
    found = [one for one in results.ablations if one.setting == setting]
    if not found:
        return None
    columns = [*map(Column, TEXTS), *_columns(results, setting)]
    rows = [row for pair in results.pairs for row in _pair(results, pair, found)]
    what = f"{WHAT[setting]} ATT-COS: last layer. Reference map: {labels.target(results.target)}."
    table = assemble(results, found[0].name, TITLES[setting], what, columns, rows, len(TEXTS), OPTIONAL)
    notes = [*other_networks(results), *[captions.PUBLISHED] * _has_published(results)]
    return captions.add(table, *notes, *([MAXIMUM] if setting == "weight" else []))


def _columns(results: Results, setting: str) -> Iterator[Column]:
    for metric in METRICS:
        group = labels.metric(metric) + (" (%)" if metric == "accuracy" else "")
        names = ["score", "difference", *["published"] * _is_told(results, setting, metric)]
        yield from (Column(name, group) for name in names)


def _is_told(results: Results, setting: str, metric: str) -> bool:
    """Whether a column holds what the paper prints."""
    return metric in PUBLISHED[setting] and _has_published(results)


def _has_published(results: Results) -> bool:
    """Whether the grid holds a network of the paper, trained and tested on its data."""
    networks = methods.networks(results)
    rows = [row for network in networks for row in main_rows(results, network)]
    return any(is_published(results, pair, row) for pair in comparable(results) for row in rows)


def _pair(results: Results, pair: Pair, found: Sequence[Ablation]) -> Iterator[Row]:
    for network in methods.networks(results):
        for row in main_rows(results, network):
            for number, one in enumerate(found):
                yield from _ablation(results, pair, network, row, one, str(number + 1) if len(found) > 1 else "")


@dataclass(frozen=True)
class Member:
    """One training of an ablation: the words of its line, its scores per metric, and what the paper prints for it."""

    words: tuple[str, str]
    scores: dict[str, Content]
    printed: dict[str, Printed]


def _ablation(
    results: Results, pair: Pair, network: Network, row: MethodRow, one: Ablation, number: str
) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label, row.word)
    block = " ".join((*names, number))
    wanted = (*([BASELINE] if BASELINE in results.all_guidances else []), *one.values)
    members = {name: _member(results, pair, row, one, name) for name in wanted}
    before = members.get(BASELINE)
    for name, member in members.items():
        cells = _cells(results, one, member, before if name != BASELINE else None)
        yield Row((*names, *member.words, number, *cells), block)
    if one.setting == "weight":
        for word, cells in _summary(results, one, [members[name] for name in one.values]):
            yield Row((*names, word, "", number, *cells), f"{block} summary", quiet=True)


def _member(results: Results, pair: Pair, row: MethodRow, one: Ablation, name: str) -> Member:
    settings = results.plan["guidance"].get(name, {})
    layers = "+".join(map(str, layers_of(settings))) or results.guidance_label(name)
    weight = f"{settings['weight']:g}" if "weight" in settings else ""
    return Member((layers, weight), scores(results, pair, row, name), published(results, pair, row, one, name))


def _cells(results: Results, one: Ablation, member: Member, before: Member | None) -> list[Content]:
    cells: list[Content] = []
    for metric in METRICS:
        score = member.scores[metric]
        cells += [score, minus(score, before.scores[metric]) if before else ""]
        printed = member.printed[metric].text if metric in member.printed else ""
        cells += [printed] * _is_told(results, one.setting, metric)
    return cells


def _summary(results: Results, one: Ablation, members: list[Member]) -> Iterator[tuple[str, list[Content]]]:
    """Lines below the members: mean and deviation over λ and over seeds, the best, and what chance makes of it."""
    for word in SUMMARY:
        cells: list[Content] = []
        for metric in METRICS:
            ours = summarise(member.scores[metric] for member in members)
            theirs = summarise_numbers([m.printed[metric].middle for m in members if metric in m.printed])
            cells += [_constant(ours, word, metric), ""]
            cells += [_constant(theirs, word, metric)] * _is_told(results, one.setting, metric)
        yield word.format(count=len(members)), cells


def _constant(found: dict[str, float], word: str, metric: str) -> Content:
    return constant(found[word], DIGITS[metric]) if word in found else ""
