"""How scores of several trainings are laid out: side by side while there are few, else one line per training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fer_bench.report.results import BASELINE, Results
from fer_bench.report.table import Column, Content, Row, text
from fer_bench.report.value import Value, difference

SIDE_BY_SIDE = 2  # trainings that fit beside one another on a page, with their difference
TRAINING = "Training"


@dataclass(frozen=True)
class Heading:
    """The columns of one score.

    before, after: columns that no training enters, e.g. a chance level. published: guidances that have a published
    number anywhere in the table.
    """

    name: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    published: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """One score of a line: a content per training, the contents of `before` and `after`, and published numbers."""

    arms: Mapping[str, Content] = field(default_factory=dict)
    before: tuple[Content, ...] = ()
    after: tuple[Content, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)


def comparisons(results: Results) -> list[tuple[str, str]]:
    """Heading and guidance of every difference from the baseline; none when the grid has no baseline."""
    others = [name for name in results.guidances if name != BASELINE]
    if BASELINE not in results.guidances:
        return []
    if len(others) == 1:
        return [("difference", others[0])]
    return [(f"difference, {results.guidance_label(name)}", name) for name in others]


def minus(after: Content, before: Content) -> Content:
    """Difference of two cells paired by seed, or the mark that one of them bears instead of a number."""
    if isinstance(after, Value) and isinstance(before, Value):
        return difference(after, before)
    return after if isinstance(after, str) else before


def columns(results: Results, texts: Sequence[str], headings: Iterable[Heading]) -> list[Column]:
    """Columns of words, then those of every score."""
    if _is_wide(results):
        return [*map(Column, texts), *(column for heading in headings for column in _wide_columns(results, heading))]
    return [*map(Column, (*texts, TRAINING)), *(column for heading in headings for column in _long_columns(heading))]


def lines(
    results: Results,
    words: Sequence[str],
    headings: Sequence[Heading],
    measures: Sequence[Measure],
    block: str,
    quiet: bool = False,
) -> list[Row]:
    """Rows of one line of scores: one row side by side, else one per training; quiet ones have no difference."""
    pairs = list(zip(headings, measures, strict=True))
    if _is_wide(results):
        cells = [cell for pair in pairs for cell in _wide_cells(results, *pair, quiet)]
        return [Row((*words, *cells), block, quiet)]
    return _long_rows(results, words, pairs, block, quiet)


def text_count(results: Results, texts: Sequence[str]) -> int:
    """Number of columns that hold words."""
    return len(texts) + (not _is_wide(results))


def _is_wide(results: Results) -> bool:
    return len(results.guidances) <= SIDE_BY_SIDE


def _wide_columns(results: Results, heading: Heading) -> list[Column]:
    arms = [results.guidance_label(name) for name in results.guidances]
    names = [*heading.before, *arms, *(title for title, _ in comparisons(results))]
    printed = [Column(results.guidance_label(name), f"{heading.name}, published") for name in heading.published]
    after = [Column(name, heading.name) for name in heading.after]
    return [*(Column(name, heading.name) for name in names), *printed, *after]


def _wide_cells(results: Results, heading: Heading, measure: Measure, quiet: bool) -> list[Content]:
    arms = [measure.arms.get(name, "") for name in results.guidances]
    differences = [_difference(measure, name, quiet) for _, name in comparisons(results)]
    printed = [measure.published.get(name, "") for name in heading.published]
    return [*_fill(measure.before, heading.before), *arms, *differences, *printed, *_fill(measure.after, heading.after)]


def _fill(cells: Sequence[Content], names: Sequence[str], shown: bool = True) -> list[Content]:
    return list(cells) if cells and shown else [""] * len(names)


def _difference(measure: Measure, name: str, quiet: bool) -> Content:
    if quiet or name == BASELINE or not {name, BASELINE} <= set(measure.arms):
        return ""
    return minus(measure.arms[name], measure.arms[BASELINE])


def _long_columns(heading: Heading) -> list[Column]:
    names = [*heading.before, "score", "difference", *(["published"] if heading.published else []), *heading.after]
    return [Column(name, heading.name) for name in names]


def _long_rows(
    results: Results, words: Sequence[str], pairs: Sequence[tuple[Heading, Measure]], block: str, quiet: bool
) -> list[Row]:
    def cells(name: str) -> list[Content]:
        first = name == results.guidances[0]
        return [cell for heading, measure in pairs for cell in _long_cells(heading, measure, name, quiet, first)]

    if quiet and all(_is_same(results, measure) for _, measure in pairs):
        return [Row((*words, "", *cells(results.guidances[0])), block, quiet)]
    return [Row((*words, results.guidance_label(name), *cells(name)), block, quiet) for name in results.guidances]


def _is_same(results: Results, measure: Measure) -> bool:
    return len({text(measure.arms.get(name, "")) for name in results.guidances}) == 1


def _long_cells(heading: Heading, measure: Measure, name: str, quiet: bool, first: bool) -> list[Content]:
    """Cells of one training; what no training enters stands in the first line alone."""
    printed = [measure.published.get(name, "")] if heading.published else []
    score = [measure.arms.get(name, ""), _difference(measure, name, quiet)]
    before, after = (_fill(*pair, first) for pair in ((measure.before, heading.before), (measure.after, heading.after)))
    return [*before, *score, *printed, *after]
