"""What the builders of all tables share: columns per guidance, references beside the scores, caption and notes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from fer_bench.report import captions, labels
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table, text
from fer_bench.report.value import BOLD_FROM, Value, difference

NOT_APPLICABLE = "n/a"
UNDEFINED = "undefined"
ANY_MODEL = "any model"


def arm_columns(results: Results, group: str) -> list[Column]:
    """One column per guidance, then one difference per guidance other than the baseline."""
    names = [labels.guidance(name) for name in results.guidances]
    return [Column(name, group) for name in (*names, *(title for title, _ in comparisons(results)))]


def comparisons(results: Results) -> list[tuple[str, str]]:
    """Heading and guidance of every difference from the baseline; none when the grid has no baseline."""
    others = [name for name in results.guidances if name != BASELINE]
    if BASELINE not in results.guidances:
        return []
    if len(others) == 1:
        return [("difference", others[0])]
    return [(f"difference, {labels.guidance(name)}", name) for name in others]


def arms(
    results: Results, rows: pd.DataFrame, pair: Pair, model: str, digits: int = 3, contest: str = ""
) -> list[Content]:
    """Contents for `arm_columns`: the score in `rows` per guidance, then the differences paired by seed."""
    values = {name: content(results, rows, pair, model, name, digits, contest) for name in results.guidances}
    return [*values.values(), *(minus(values[name], values[BASELINE]) for _, name in comparisons(results))]


def minus(after: Content, before: Content) -> Content:
    """Difference of two cells paired by seed, or the mark that one of them bears instead of a number."""
    if isinstance(after, Value) and isinstance(before, Value):
        return difference(after, before)
    return after if isinstance(after, str) else before


def content(
    results: Results, rows: pd.DataFrame, pair: Pair, model: str, guidance: str, digits: int = 3, contest: str = ""
) -> Content:
    """The score in `rows` of a model and a guidance, or the mark that says why there is none.

    Values of one `contest` are comparable: the best of them may be marked.
    """
    own = select(rows, model=model, guidance=guidance)
    if own.empty and results.found(pair, model, guidance):
        return NOT_APPLICABLE
    if len(own) and own["value"].isna().all():
        return UNDEFINED
    return replace(results.value(own, digits), contest=contest)


def reference(results: Results, rows: pd.DataFrame) -> Content:
    """The chance level, reference or ceiling in `rows`; blank where none was computed."""
    if rows.empty:
        return ""
    return UNDEFINED if rows["value"].isna().all() else results.value(rows, reference=True)


def reference_rows(frame: pd.DataFrame, metric: str, target: str) -> dict[str, pd.DataFrame]:
    """Chance levels, references and ceilings of a metric against a target: suffix -> rows, in the order of print."""
    frame = select(frame, subset=("all", ""), target=("", target))
    names = [name for name in frame["metric"].unique() if name.startswith(f"{metric}_")]
    suffixes = [name.removeprefix(f"{metric}_") for name in names]
    known = [suffix for suffix in labels.REFERENCES if suffix in suffixes]
    others = sorted(suffix for suffix in suffixes if suffix not in known and suffix.startswith(("chance", "reference")))
    return {suffix: cosine_rows(frame, f"{metric}_{suffix}") for suffix in (*known, *others)}


def is_chance(suffix: str) -> bool:
    """Whether a reference is a chance level, which stands before the scores."""
    return suffix.startswith("chance")


def hoist(rows: dict[str, list[Row]], model_column: int) -> list[Row]:
    """Take rows that read the same for every model out of the models' blocks and put them first, once.

    Args:
        rows: model -> its rows, contents of `model_column` naming the model.
        model_column: index of the column that names the model.
    """
    if len(rows) < 2:
        return [row for block in rows.values() for row in block]

    def key(row: Row) -> tuple[str, ...]:
        return tuple(text(item) for index, item in enumerate(row.contents) if index != model_column)

    quiet = [block for block in rows.values() if any(row.quiet for row in block)]  # others have no results at all
    common = set.intersection(*({key(row) for row in block if row.quiet} for block in quiet)) if quiet else set()
    first = quiet[0] if quiet else []
    shared = [_any_model(row, model_column) for row in first if row.quiet and key(row) in common]
    own = [row for block in rows.values() for row in block if not (row.quiet and key(row) in common)]
    return shared + own


def _any_model(row: Row, column: int) -> Row:
    contents = (*row.contents[:column], ANY_MODEL, *row.contents[column + 1 :])
    return replace(row, contents=contents, block=f"{row.contents[0]} {ANY_MODEL}")


def assemble(
    results: Results, name: str, title: str, what: str, columns: Sequence[Column], rows: Iterable[Row], texts: int
) -> Table:
    """Finish a table: mark the best, drop the dataset column (the first) where it says one thing only, caption it."""
    body = _embolden(list(rows))
    pairs = [pair for pair in results.pairs if any(row.contents[0] == results.pair_label(pair) for row in body)]
    values = [item for row in body for item in row.contents if isinstance(item, Value)]
    noted = captions.notes(results, pairs, any(v.optimised for v in values), any(v.contest for v in values))
    words = {item for row in body for item in row.contents if isinstance(item, str)}
    noted += _words(words)
    used = list(columns)
    if len(pairs) == 1:
        used, texts = used[1:], texts - 1
        body = [replace(row, contents=row.contents[1:]) for row in body]
    return Table(name, title, captions.caption(results, what, pairs), tuple(used), tuple(body), texts, noted)


def _words(words: set[str]) -> tuple[str, ...]:
    notes = []
    if NOT_APPLICABLE in words:
        notes.append(f"{NOT_APPLICABLE}: the backbone has no such layer, or the explainer does not fit it.")
    if UNDEFINED in words:
        notes.append(f"{UNDEFINED}: no image enters this score.")
    return tuple(notes)


def _embolden(rows: list[Row]) -> list[Row]:
    """Mark the best value of each contest: at least two values, all of enough seeds, none of them optimised."""
    contests: dict[str, list[Value]] = defaultdict(list)
    for row in rows:
        for item in row.contents:
            if isinstance(item, Value) and item.contest and not item.optimised and item.by_seed:
                contests[item.contest].append(item)
    best = {name: _best(values) for name, values in contests.items()}

    def mark(item: Content) -> Content:
        fits = isinstance(item, Value) and item.contest and item.by_seed and not item.optimised
        return item.emboldened() if isinstance(item, Value) and fits and item.mean == best[item.contest] else item

    return [replace(row, contents=tuple(mark(item) for item in row.contents)) for row in rows]


def _best(values: list[Value]) -> float | None:
    if len(values) < 2 or min(value.n for value in values) < BOLD_FROM:
        return None
    means = [value.mean for value in values]
    return min(means) if values[0].lower_is_better else max(means)
