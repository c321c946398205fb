"""The first screen: the headline scores without and with guidance, their difference, chance level and ceiling."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fer_bench.report import compared, labels
from fer_bench.report._builder import is_chance, reference, reference_rows
from fer_bench.report._guess import largest_class_share
from fer_bench.report.compared import Score
from fer_bench.report.gain import gain
from fer_bench.report.results import BASELINE, Results, select
from fer_bench.report.table import Content, Table, text
from fer_bench.report.value import Value, constant

LARGEST = "chance_largest"  # the chance level of an accuracy


@dataclass(frozen=True)
class Marks:
    """Places between 0 and 100 of what a line of the plot marks; None: not there."""

    chance: float | None
    ceiling: float | None
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Line:
    """A score: its word, the training compared, chance level, scores, difference with interval, ceiling, verdict."""

    word: str
    training: str
    chance: str
    chance_word: str
    before: str
    after: str
    difference: str
    interval: str
    ceiling: str
    verdict: str
    marks: Marks


@dataclass(frozen=True)
class Block:
    """The lines of one trained network on one pair of datasets."""

    words: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Summary:
    """Blocks, words for the two trainings, whether any two are compared, whether several are, and whether judged.

    left_out: guidances that stand in their own table alone, because they are too many.
    """

    blocks: tuple[Block, ...]
    before: str
    after: str
    paired: bool
    several: bool
    judged: bool
    left_out: int


def build(results: Results, tables: Sequence[Table]) -> Summary:
    """Accuracy, attention of the last layer and the first activation map of Table 1 of every trained network."""
    others = [name for name in results.guidances if name != BASELINE]
    paired, several = BASELINE in results.guidances and bool(others), len(others) > 1
    leading = results.leading_guidances
    judged = _verdicts(tables) if paired else []
    verdicts = iter(judged)
    found: list[tuple[str, Line]] = []
    shown: set[tuple[object, ...]] = set()
    for score in compared.scores(results):
        every = {arm: _line(results, score, arm, next(verdicts, "")) for arm in others}
        lines = [every[arm] for arm in others if arm in leading] if paired else _alone(results, score)
        key = (score.pair, score.model, score.metric)
        if key not in shown:
            found += [(_block(results, score), line) for line in lines]
        shown.add(key)
    blocks = [
        Block(words, tuple(line for _, line in members)) for words, members in groupby(found, key=lambda item: item[0])
    ]
    after = "with guidance" if several or not others else results.guidance_label(others[0])
    left_out = len(results.guidances) - len(leading)
    return Summary(tuple(blocks), results.guidance_label(BASELINE), after, paired, several, bool(judged), left_out)


def _verdicts(tables: Sequence[Table]) -> list[str]:
    """Verdicts in the order of the compared scores, which is that of the table's rows."""
    return [text(row.contents[-1]) for table in tables if table.name == "significance" for row in table.rows]


def _block(results: Results, score: Score) -> str:
    words = [score.network] if score.training in score.network else [score.network, score.training]
    return ", ".join([*words, *([results.pair_label(score.pair)] if len(results.pairs) > 1 else [])])


def _alone(results: Results, score: Score) -> list[Line]:
    """A line per training of a grid that compares none."""
    return [_line(results, score, arm, "") for arm in results.leading_guidances]


def _line(results: Results, score: Score, arm: str, verdict: str) -> Line:
    after = score.cells[arm]
    before = score.cells[BASELINE] if arm != BASELINE and BASELINE in score.cells else ""
    levels = _levels(results, score)
    chance = max(levels.items(), key=lambda item: item[1].mean) if levels else None
    ceiling, difference = _ceiling(results, score), _difference(after, before)
    return Line(
        word=score.word,
        training=results.guidance_label(arm),
        chance=text(chance[1]) if chance else "",
        chance_word=_chance_word(chance[0]) if chance else "",
        before=text(before),
        after=text(after),
        difference=difference.partition(" ")[0],
        interval=difference.partition(" ")[2],
        ceiling=text(ceiling),
        verdict=verdict,
        marks=Marks(*(_place(score, item) for item in (chance[1] if chance else "", ceiling, before, after))),
    )


def _chance_word(suffix: str) -> str:
    return "largest class" if suffix == LARGEST else labels.reference(suffix).removeprefix("chance: ")


def _difference(after: Content, before: Content) -> str:
    return text(gain(after, before)) if isinstance(after, Value) and isinstance(before, Value) else ""


def _levels(results: Results, score: Score) -> dict[str, Value]:
    """Chance levels of a score: suffix -> value."""
    if score.metric == "accuracy":
        share = largest_class_share(results, score.pair)
        return {} if share is None else {LARGEST: constant(share, 2)}
    return {name: value for name, value in _references(results, score) if is_chance(name) and value.by_seed}


def _ceiling(results: Results, score: Score) -> Content:
    return dict(_references(results, score)).get("ceiling", "") if score.metric != "accuracy" else ""


def _references(results: Results, score: Score) -> Iterator[tuple[str, Value]]:
    """References of a score's map, as the network without guidance has them, else the first training."""
    frame = results.of_model(score.pair, score.model)
    column = "layer" if score.metric == "att_cos" else "explainer"
    for suffix, rows in reference_rows(frame, score.metric, results.target).items():
        own = select(rows, **{column: (score.place, "")})
        arms = [name for name in results.guidances if len(select(own, guidance=name))]
        value = reference(results, select(own, guidance=arms[0])) if arms else ""
        if isinstance(value, Value):
            yield suffix, value


def _place(score: Score, content: Content) -> float | None:
    """Place on a line from 0 to the highest possible score."""
    if not isinstance(content, Value) or not content.by_seed:
        return None
    whole: Mapping[str, float] = {"accuracy": 1.0}
    return round(min(max(content.mean * whole.get(score.metric, 100.0), 0.0), 100.0), 1)
