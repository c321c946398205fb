"""Faithfulness: do the pixels that a map ranks highest matter to the network; does the map depend on its weights."""

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble, content
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.results import BASELINE, Pair, Results, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value

TEXTS = ("Dataset", "Network", "Map", TRAINING)
ATTENTION = "attention, last layer"
MODES = {"deletion": "Deletion", "insertion": "Insertion"}
COLUMNS = {"": "map", "_chance": "random patches", "_gain": "gain", "_gain_deviation": "deviation over images"}
CURVES = (
    "Faithfulness of maps: area under the curve of the true class's probability (%) while pixels are replaced by the "
    "blurred image (deletion, smaller is better) or come back into it (insertion, larger is better), the highest of "
    "the map first, a tenth of the image at a time. Random patches: the chance level, cells of the map's own grid in "
    "random order (mean of five). Gain: better than those by so much, negative where worse, with its deviation "
    "between images; the gain of the logit beside. Attention belongs to no class. Half blurred images are none that a "
    "network was trained on; that concerns map and random patches alike."
)
STEPS = {"head": "head", "upper_half": "head, upper half", "all": "all", "between_images": "other image"}
MEASURES = {"rank": "Rank correlation, weights drawn anew", "cosine": "Cosine, weights drawn anew"}
UNCHANGED = 0.9  # rank correlation from which a map counts as the same
RANDOMISED = (
    "Sanity check: likeness of the maps of the true class before and after weights are drawn at random, in the head "
    "alone, in head and upper half of the backbone, everywhere (mean of three draws); at the map's grid. Other image: "
    "likeness of the trained network's maps of different images, the level of maps that share nothing but where faces "
    f"lie. Changes: a map counts as the same where the rank correlation stays at {UNCHANGED} or above. The attention "
    "cannot change with the head. Constant maps have no likeness; constant: their share with all weights random."
)


def build_curves(results: Results) -> Table | None:
    """One row per training and map; None where no curves were followed."""
    groups = [
        *((f"{name}, probability (%)", word) for name in MODES.values() for word in COLUMNS.values()),
        *(("Gain, logit", name.lower()) for name in MODES.values()),
    ]
    columns = [*map(Column, TEXTS), *(Column(word, group) for group, word in groups)]
    rows = [row for pair in _having(results, "deletion_logit") for row in _rows(results, pair, _curve_cells)]
    if not rows:
        return None
    table = assemble(results, "faithfulness", "Faithfulness of maps", CURVES, columns, rows, len(TEXTS))
    return captions.add(table, *_probed(results, "deletion_logit"))


def build_randomised(results: Results) -> Table | None:
    """One row per training and map; None where no weights were drawn anew."""
    columns = [*map(Column, TEXTS)]
    columns += [Column(word, group) for group in MEASURES.values() for word in STEPS.values()]
    columns += [Column("constant (%)"), Column("changes")]
    rows = [row for pair in _having(results, "randomised_rank") for row in _rows(results, pair, _random_cells)]
    if not rows:
        return None
    table = assemble(results, "randomisation", "Sanity check of maps", RANDOMISED, columns, rows, len(TEXTS))
    return captions.add(table, *_probed(results, "randomised_constant"))


def _having(results: Results, metric: str) -> list[Pair]:
    return [pair for pair in results.pairs if len(select(results.of_pair(pair), metric=metric))]


def _probed(results: Results, metric: str) -> Iterator[str]:
    """How many test images these scores are about: fewer than the others."""
    for pair in _having(results, metric):
        count = int(select(results.of_pair(pair), metric=metric)["n"].max())
        yield f"{results.pair_label(pair)}: measured on {count} test images, drawn by their ids."


Line = tuple[Results, Pair, str, pd.DataFrame]  # results, pair, model, rows of one of its maps
Cells = Callable[[Line, str], Sequence[Content]]


def _rows(results: Results, pair: Pair, cells: Cells) -> Iterator[Row]:
    for network in methods.networks(results):
        for model in network.models:
            words = (results.pair_label(pair), network.label)
            for name, frame in _maps(results, pair, model):
                yield from _map_rows((results, pair, model, frame), (*words, name), cells)


def _maps(results: Results, pair: Pair, model: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Word and rows of each map of a model that was tested: its explainers, then the attention."""
    own = results.of_model(pair, model)
    tested = select(own, metric=("deletion_logit", "randomised_rank"))
    several = len(results.models) > len(methods.networks(results))
    ending = f" ({methods.training_word(results, model)})" if several else ""
    found = set(tested["explainer"]) - {""}
    for name in [name for name in results.explainers if name in found]:
        yield f"{labels.explainer(name)}{ending}", select(own, explainer=name)
    for layer in sorted(set(select(tested, explainer="")["layer"]) - {""}):
        yield f"{ATTENTION}{ending}", select(own, explainer="", layer=layer)


def _map_rows(line: Line, words: tuple[str, ...], cells: Cells) -> Iterator[Row]:
    results = line[0]
    arms = {arm: cells(line, arm) for arm in results.guidances}
    for arm, contents in arms.items():
        yield Row((*words, results.guidance_label(arm), *contents), " ".join(words))
    for title, arm in comparisons(results):
        both = [minus(after, before) for after, before in zip(arms[arm], arms[BASELINE], strict=True)]
        numbers = [cell if isinstance(cell, Value) else "" for cell in both]
        if any(numbers):
            yield Row((*words, title, *numbers), " ".join(words))


def _curve_cells(line: Line, arm: str) -> list[Content]:
    shown = [(f"{mode}_probability{suffix}", 1) for mode in MODES for suffix in COLUMNS]
    shown += [(f"{mode}_logit_gain", 2) for mode in MODES]
    return [_score(line, arm, metric, "all", digits) for metric, digits in shown]


def _random_cells(line: Line, arm: str) -> list[Content]:
    found = [_score(line, arm, f"randomised_{measure}", step, 2) for measure in MEASURES for step in STEPS]
    constant = _score(line, arm, "randomised_constant", "all", 0)
    rank = dict(zip(STEPS, found[: len(STEPS)], strict=True))
    return [*found, constant, _verdict(rank["head"], rank["all"])]


def _score(line: Line, arm: str, metric: str, subset: str, digits: int) -> Content:
    results, pair, model, frame = line
    return content(results, select(frame, metric=metric, subset=subset), pair, model, arm, digits)


def _verdict(head: Content, everywhere: Content) -> str:
    """Whether a map changes when the head's weights are random, and all; blank where that is not known."""
    ranks = [cell.mean for cell in (everywhere, head) if isinstance(cell, Value) and cell.by_seed]
    if len(ranks) < 2:
        return ""
    same = [rank >= UNCHANGED for rank in ranks]
    return "no" if same[0] else "not with the head" if same[1] else "yes"
