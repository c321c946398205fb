"""What produced the results: grid, protocol, data, networks, guidance, seeds and fingerprints; no time and no host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fer_bench.report import captions, labels
from fer_bench.report.collect import OK
from fer_bench.report.results import Results


@dataclass(frozen=True)
class Entry:
    """A thing of the plan: its word, its name there, and facts as (word, content)."""

    words: str
    name: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Origin:
    """Everything that the page says about where its numbers come from."""

    grid: str
    protocol: str
    selection: str
    seeds: str
    data: str
    models: str
    generated: bool
    cells: int
    absent: int
    fingerprint: str
    settings: str
    target: str
    datasets: tuple[Entry, ...]
    networks: tuple[Entry, ...]
    guidances: tuple[Entry, ...]


def build(results: Results) -> Origin:
    """Read the plan of a grid."""
    plan = results.plan
    return Origin(
        grid=results.grid,
        protocol=str(plan["protocol"]),
        selection=captions.selection(results),
        seeds=", ".join(map(str, results.seeds)),
        data="; ".join(results.pair_label(pair) for pair in results.pairs),
        models="; ".join(results.model_label(name) for name in results.models),
        generated=any(captions.generated(results, pair) for pair in results.pairs),
        cells=len(results.documents),
        absent=sum(document.status != OK for document in results.documents),
        fingerprint=results.fingerprint,
        settings=str(plan["fingerprint"]),
        target=labels.target(results.target),
        datasets=tuple(_dataset(results, name) for name in plan["test_datasets"]),
        networks=tuple(_network(results, name) for name in results.unique("model")),
        guidances=tuple(_guidance(results, name) for name in results.all_guidances),
    )


def _dataset(results: Results, name: str) -> Entry:
    facts = results.plan["datasets"][name]
    told = {key: str(facts[key]) for key in ("plugin", "licence", "citation") if facts.get(key)}
    shown = "yes" if facts.get("publishable_images") else "no: this page shows no face of it"
    told |= {"images may be published": shown, "expressions": ", ".join(facts["expressions"])}
    return Entry(results.dataset_label(name), name, tuple(told.items()))


def _network(results: Results, name: str) -> Entry:
    cell = next(entry for entry in results.plan["cells"] if entry["model"] == name)
    told = {key: cell[key] for key in ("backbone", "method", "input_size")}
    told |= {key: cell[key] for key in ("kwargs", "method_kwargs") if cell[key]}
    return Entry(results.model_label(name), name, _facts(told))


def _guidance(results: Results, name: str) -> Entry:
    return Entry(results.guidance_label(name), name, _facts(results.plan["guidance"].get(name, {})))


def _facts(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = {key: _words(value) for key, value in settings.items() if key != "label"}
    return tuple((labels.spaced(key), words) for key, words in told.items() if words)


def _words(value: object) -> str:
    """A setting in words; empty where it is not set."""
    if isinstance(value, Mapping):
        return ", ".join(f"{labels.spaced(str(key))} {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
