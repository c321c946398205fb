"""Is the difference real? Every difference of the main tables with its intervals, tests, effect sizes and a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass

from fer_bench import stats
from fer_bench.report import captions, compared
from fer_bench.report import significance_words as words
from fer_bench.report._builder import assemble
from fer_bench.report._layout import TRAINING, minus
from fer_bench.report.results import BASELINE, Results
from fer_bench.report.significance import Evidence, evidence
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value

WHAT = (
    "Each score with guidance minus the same score without it, paired by seed and by image. Intervals (95 %). Other "
    "trainings: paired t interval over seeds, on these faces. Other faces: bootstrap whose resamples are shared by all "
    "seeds and both trainings, for these networks. Both: the reaches of the two in quadrature."
)
TEXTS = ("Dataset", "Network", "Method", TRAINING, "Score")
COLUMNS = (
    Column("difference"),
    Column("other trainings", "95 % interval"),
    Column("other faces", "95 % interval"),
    Column("both", "95 % interval"),
    Column("trainings", "p (Holm)"),
    Column("faces", "p (Holm)"),
    Column("p (Holm)", "this trained model only"),
    Column("effect", "this trained model only"),
    Column("d over seeds"),
    Column("seeds needed"),
    Column("verdict"),
)


@dataclass(frozen=True, eq=False)
class _Line:
    """A comparison of two cells of a main table; `after` and `before` hold words where there is no number."""

    names: tuple[str, ...]
    after: Content
    before: Content

    @property
    def values(self) -> tuple[Value, Value] | None:
        """Both numbers, where there are any with a common seed."""
        after, before = self.after, self.before
        if isinstance(after, str) or isinstance(before, str) or not set(after.by_seed) & set(before.by_seed):
            return None
        return after, before


@dataclass(frozen=True)
class _Adjusted:
    """Holm's p values of a line."""

    trainings: float | None
    faces: float | None
    single: tuple[float, ...]


def build(results: Results) -> Table | None:
    """Every difference from the baseline in Tables 1 and 2; None for a grid that has no two trainings to compare."""
    lines = list(_lines(results))
    if not lines:
        return None
    numbered = {number: line.values for number, line in enumerate(lines) if line.values is not None}
    found = dict(zip(numbered, evidence(results, list(numbered.values())), strict=True))
    adjusted = _adjust(found)
    rows = [_row(line, found.get(number), adjusted.get(number)) for number, line in enumerate(lines)]
    head = [*map(Column, TEXTS), *COLUMNS]
    table = assemble(results, "significance", "Is the difference real?", WHAT, head, rows, len(TEXTS), TEXTS[2:4])
    return captions.add(table, *words.notes(list(found.values()), claims=len(adjusted)))


def _lines(results: Results) -> Iterator[_Line]:
    """Every compared score with guidance beside the same one without."""
    if BASELINE not in results.guidances:
        return
    for score in compared.scores(results):
        names = (results.pair_label(score.pair), score.network, score.training)
        for guidance, cell in score.cells.items():
            if guidance != BASELINE:
                yield _Line((*names, results.guidance_label(guidance), score.word), cell, score.cells[BASELINE])


def _adjust(found: dict[int, Evidence]) -> dict[int, _Adjusted]:
    """Holm over the lines; lines about an optimised quantity are no claim and stay outside.

    Tests of single trained models are adjusted seed by seed: the images of two seeds are the same ones.
    """
    claims = {number: one for number, one in found.items() if not one.difference.optimised}
    trainings = stats.holm({number: one.p for number, one in claims.items()})
    faces = stats.holm({number: one.faces.p if one.faces else None for number, one in claims.items()})
    seeds = sorted({seed for one in claims.values() if one.faces for seed in one.faces.seed_p})
    single = {
        seed: stats.holm({k: one.faces.seed_p.get(seed) for k, one in claims.items() if one.faces}) for seed in seeds
    }
    return {
        number: _Adjusted(trainings[number], faces[number], _known(single[seed].get(number) for seed in seeds))
        for number in claims
    }


def _known(p_values: Iterator[float | None]) -> tuple[float, ...]:
    return tuple(p for p in p_values if p is not None)


def _row(line: _Line, found: Evidence | None, adjusted: _Adjusted | None) -> Row:
    block = " ".join(line.names[:3])
    if found is None:
        return Row((*line.names, minus(line.after, line.before), *[""] * (len(COLUMNS) - 1)), block)
    faces, value = found.faces, found.difference
    cells: list[Content] = [
        value,
        words.interval(found.interval, value.digits),
        words.interval(faces.interval if faces else None, value.digits),
        words.interval(faces.both if faces else None, value.digits),
        words.p_value(adjusted.trainings if adjusted else None),
        words.p_value(adjusted.faces if adjusted else None),
        words.p_range(adjusted.single if adjusted else ()),
        words.effects(found),
        words.effect_size(found.differences),
        words.seeds_needed(value, words.POINTS if found.is_accuracy else words.COSINE),
        words.verdict(found, adjusted.trainings, adjusted.faces) if adjusted else words.OPTIMISED,
    ]
    return Row((*line.names, *cells), block)
