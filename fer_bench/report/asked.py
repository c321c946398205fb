"""Lines of trainings that a grid never asked for: its blocks may give networks different guidances."""

from collections.abc import Iterable

from fer_bench.report import methods
from fer_bench.report.labels import MISSING
from fer_bench.report.results import Results
from fer_bench.report.table import Content, Row
from fer_bench.report.value import Value


def without_unasked(results: Results, rows: Iterable[Row], texts: int) -> list[Row]:
    """Leave out empty lines of trainings that the plan has no cell of; one that is asked for and missing stays.

    Args:
        results: of the grid.
        rows: of a table.
        texts: leading contents that are words.
    """
    absent = _absent(results)
    return [row for row in rows if not (_is_empty(row.contents[texts:]) and _names(row.contents[:texts], absent))]


def _absent(results: Results) -> list[tuple[str, str]]:
    """Words of networks and guidances that no cell of the plan combines."""
    planned = {(entry["model"], entry["guidance"]) for entry in results.plan["cells"]}
    return [
        (network.label, results.guidance_label(guidance))
        for network in methods.networks(results)
        for guidance in results.guidances
        if not any((model, guidance) in planned for model in network.models)
    ]


def _is_empty(contents: tuple[Content, ...]) -> bool:
    return all(item.n == 0 if isinstance(item, Value) else item in ("", MISSING) for item in contents)


def _names(words: tuple[Content, ...], absent: list[tuple[str, str]]) -> bool:
    return any(
        network in words and any(word in words for word in (guidance, f"difference, {guidance}"))
        for network, guidance in absent
    )
