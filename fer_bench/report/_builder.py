"""What the builders of all tables share: columns per guidance, references beside the scores, caption and notes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from fer_bench.report import bold, captions, labels
from fer_bench.report.asked import without_unasked
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.score_key import score_key
from fer_bench.report.table import Column, Content, Row, Table, text
from fer_bench.report.value import Value

NOT_APPLICABLE = "n/a"
UNDEFINED = "undefined"
NO_MAP = "\N{EN DASH}"
ANY_NETWORK = "any network"
HEADED = 2  # leading columns, dataset and network, that LaTeX prints as a heading above their rows


def arms(
    results: Results, rows: pd.DataFrame, pair: Pair, model: str, digits: int = 3, contest: str = ""
) -> dict[str, Content]:
    """The score in `rows` per guidance."""
    return {name: content(results, rows, pair, model, name, digits, contest) for name in results.guidances}


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
    key = score_key(pair.dataset, pair.test_dataset, model, guidance, own)
    return replace(results.value(own, digits), contest=contest, key=key)


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


def shared(items: Iterable[tuple[str, Sequence[Content]]]) -> list[tuple[str, Sequence[Content]]]:
    """Join lines that read the same: (words in brackets, or nothing where all of them do; contents)."""
    groups: dict[tuple[str, ...], list[str]] = {}
    contents: dict[tuple[str, ...], Sequence[Content]] = {}
    for word, cells in items:
        key = tuple(text(cell) for cell in cells)
        groups.setdefault(key, []).append(word)
        contents.setdefault(key, cells)
    if len(groups) == 1:
        return [("", cells) for cells in contents.values()]
    return [(f" ({', '.join(words)})", contents[key]) for key, words in groups.items()]


def hoist(blocks: Sequence[list[Row]], network_column: int = 1) -> list[Row]:
    """Take references that read the same for every network that has them out of the networks' blocks; put them first.

    Args:
        blocks: the rows of each network.
        network_column: index of the column that names the network.
    """
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)  # words of a line -> how it reads
    for row in (row for block in blocks for row in block if row.quiet):
        found[_words_of(row, network_column)].append(_reading(row, network_column))
    common = {words for words, readings in found.items() if len(readings) > 1 and len(set(readings)) == 1}
    first: dict[tuple[str, ...], Row] = {}
    own = []
    for row in (row for block in blocks for row in block):
        words = _words_of(row, network_column)
        if row.quiet and words in common:
            first.setdefault(words, _any_network(row, network_column))
        else:
            own.append(row)
    return [*first.values(), *own]


def _words_of(row: Row, network_column: int) -> tuple[str, ...]:
    kept = (item for index, item in enumerate(row.contents) if index != network_column)
    return tuple(item for item in kept if isinstance(item, str) and item)


def _reading(row: Row, network_column: int) -> tuple[str, ...]:
    return tuple(text(item) for index, item in enumerate(row.contents) if index != network_column)


def _any_network(row: Row, column: int) -> Row:
    contents = (*row.contents[:column], ANY_NETWORK, *row.contents[column + 1 :])
    return replace(row, contents=contents, block=f"{text(row.contents[0])} {ANY_NETWORK}")


def assemble(
    results: Results,
    name: str,
    title: str,
    what: str,
    columns: Sequence[Column],
    rows: Iterable[Row],
    texts: int,
    optional: Sequence[str] = (),
) -> Table:
    """Finish a table: mark the best, caption it, drop columns of words that say one thing only.

    Args:
        results: of the grid.
        name: of the files.
        title: short name.
        what: what the table shows.
        columns: the first one names the dataset, the second one the network.
        rows: contents for the columns.
        texts: leading columns that hold words.
        optional: columns of words besides the dataset's that are dropped where they say one thing only.
    """
    body = bold.mark(results, without_unasked(results, rows, texts))
    pairs = [pair for pair in results.pairs if any(row.contents[0] == results.pair_label(pair) for row in body)]
    values = [item for row in body for item in row.contents if isinstance(item, Value)]
    contested, marked = (any(getattr(v, name) for v in values) for name in ("contest", "bold"))
    noted = captions.notes(results, pairs, any(v.optimised for v in values), contested, marked)
    noted += _words({item for row in body for item in row.contents if isinstance(item, str)})
    dropped = [index for index in range(texts) if _says_nothing(columns[index].name, index, body, optional)]
    kept = [index for index in range(len(columns)) if index not in dropped]
    body = [replace(row, contents=tuple(row.contents[index] for index in kept)) for row in body]
    used = tuple(columns[index] for index in kept)
    headed = HEADED - sum(index < HEADED for index in dropped)
    what = captions.caption(results, what, pairs)
    return Table(name, title, what, used, tuple(body), texts - len(dropped), noted, headed)


def _says_nothing(name: str, index: int, rows: Sequence[Row], optional: Sequence[str]) -> bool:
    if index and name not in optional:
        return False
    return len({row.contents[index] for row in rows if not row.quiet}) <= 1


def _words(words: set[str]) -> tuple[str, ...]:
    notes = []
    if NOT_APPLICABLE in words:
        notes.append(f"{NOT_APPLICABLE}: the backbone has no such layer, or the explainer does not fit it.")
    if UNDEFINED in words:
        notes.append(f"{UNDEFINED}: no image enters this score.")
    if NO_MAP in words:
        notes.append(f"{NO_MAP}: the method has no map of a class (APViT: token weights, the same for every class).")
    return tuple(notes)
