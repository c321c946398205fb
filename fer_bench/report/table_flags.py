"""Numbers that need a second look: networks and maps that an evaluation flagged, seed by seed."""

from collections.abc import Iterator

from fer_bench.report import flags, labels
from fer_bench.report.results import Pair, Results
from fer_bench.report.table import Column, Row, Table

_MEANING = (
    "Constant map: it has no shape, so its scores are what the metric gives by definition (a cosine of 0 for a class "
    "activation map, of the chance level for attention). One class predicted: the network answers alike whatever it is "
    "shown. Class not in selection: no image of the split that chose the checkpoint shows it. Seen in training: the "
    "very file of a test image is among the training images."
)
COLUMNS = tuple(Column(word) for word in ("Dataset", "Network", "Guidance", "Flag", "Where", "Images, by seed"))


def build(results: Results) -> Table | None:
    """One row per flag of a model and a guidance; None where nothing is flagged."""
    rows = [row for pair in results.pairs for row in _rows(results, pair)]
    if not rows:
        return None
    caption = f"What the evaluation of {len(flags.checked(results))} cells flagged. {_MEANING}"
    return Table(
        flags.FLAGS, "Flagged numbers", f"{caption} Results {results.fingerprint}.", COLUMNS, tuple(rows), len(COLUMNS)
    )


def _rows(results: Results, pair: Pair) -> Iterator[Row]:
    for model in results.unique("model"):
        for guidance in results.all_guidances:
            found: dict[tuple[str, str], list[str]] = {}
            for document in results.found(pair, model, guidance):
                for flag in flags.of(document):
                    told = f"{flag['count']} of {flag['of']} (seed {document.entry['seed']})"
                    found.setdefault((flag["flag"], flag["where"]), []).append(told)
            heads = (results.pair_label(pair), results.model_label(model), results.guidance_label(guidance))
            for (kind, where), counts in sorted(found.items()):
                yield Row((*heads, kind, _place(where), ", ".join(counts)), f"{heads[0]} {model}")


def _place(where: str) -> str:
    kind, _, name = where.partition(".")
    words = {"cam": labels.explainer, "att": lambda layer: f"attention, {labels.layer(layer)}"}
    return words[kind](name) if name and kind in words else where
