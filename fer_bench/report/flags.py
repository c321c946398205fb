"""What evaluations flagged as not to be trusted without a second look, as tables need it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from fer_bench.report.collect import OK, Document
from fer_bench.report.results import Pair, Results

FLAGS = "flags"  # the key in the scores of a cell, and the name of the table


def scored(results: Results) -> list[Document]:
    """Documents with scores."""
    return [document for document in results.documents if document.status == OK]


def checked(results: Results) -> list[Document]:
    """Documents with scores whose evaluation looked for flags; those written before it did are left out."""
    return [document for document in scored(results) if FLAGS in (document.content or {})]


def of(document: Document) -> list[dict[str, Any]]:
    """Flags of one document: flag, where, count, of."""
    return list((document.content or {}).get(FLAGS, []))


def note(results: Results, pairs: Iterable[Pair]) -> list[str]:
    """One line on the flagged cells of these pairs, none where nothing is flagged."""
    used = list(pairs)
    documents = [one for one in checked(results) if Pair(one.entry["dataset"], one.test_dataset) in used]
    flagged = [one for one in documents if of(one)]
    if not flagged:
        return []
    kinds = Counter(kind for one in flagged for kind in {flag["flag"] for flag in of(one)})
    told = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    return [f"Flagged, see table {FLAGS}: {len(flagged)} of {len(documents)} cells: {told}."]
