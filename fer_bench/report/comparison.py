"""The paper's numbers beside ours: which of them have a counterpart in a grid, and whether they agree.

A published number is a single run. It agrees with ours when it lies where one more run of ours would be expected, which
only runs under the protocol `paper` on the same test images can say. A network that is not the paper's has no
counterpart there at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fer_bench.report import methods
from fer_bench.report._statistics import prediction_interval
from fer_bench.report.ablations import layers_of
from fer_bench.report.labels import LAST_LAYER
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.published import IMAGES, Claim, architecture, claims
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.value import Value

INSIDE, OUTSIDE, OPEN = "inside", "outside", "not judged"
TARGET = "paper"  # the map that the paper scores against
# Settings of the published alignment term; a setting that an entry leaves out has this value.
TERM: Mapping[str, Any] = {
    "plugin": "au", "variant": "paper", "loss": "cosine", "attention": "avg", "normalise": "none",
    "scale_to": "attention",
}  # fmt: skip
# The published evaluation expects CutMix to be guided at layer 4, and every other method at its last layer.
LAYERS = {"CutMix": ((4,), (5,))}


@dataclass(frozen=True)
class Judgement:
    """A published number and its counterpart: the scores of a model, an explainer and a guidance.

    reason: why the two are not judged; empty when they are.
    """

    claim: Claim
    pair: Pair
    network: str
    row: MethodRow
    guidance: str
    value: Value
    reason: str

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % prediction interval for one run."""
        return prediction_interval(self.value)

    @property
    def verdict(self) -> str:
        """`inside` or `outside` the interval, or `not judged`."""
        if self.reason or self.interval is None:
            return OPEN
        return INSIDE if self.claim.printed.meets(*self.interval) else OUTSIDE

    @property
    def alike(self) -> int:
        """Number of our runs that would be printed like the published number."""
        return sum(self.claim.printed.matches(value) for value in self.value.by_seed.values())


@cache
def comparable(results: Results) -> list[Pair]:
    """Pairs of a grid that the paper has numbers for: trained and tested on RAF-DB, or on AffectNet."""
    return [
        pair for pair in results.pairs if pair.dataset == pair.test_dataset and results.plugin(pair.dataset) in IMAGES
    ]


def judgements(results: Results) -> list[Judgement]:
    """Every published number with a counterpart in the grid, in the order of the paper."""
    return [
        Judgement(claim, pair, network.label, row, guidance, value, _reason(results, claim, pair, row, guidance, value))
        for pair in comparable(results)
        for claim in claims()
        if claim.dataset == results.plugin(pair.dataset)
        for network, row, guidance in _counterparts(results, claim, pair)
        for value in [_value(results, claim, pair, row, guidance)]
    ]


def printed(results: Results, pair: Pair, row: MethodRow, metric: str) -> dict[str, str]:
    """What the paper's Tables 1 and 2 print for a row: guidance -> number; nothing for other data or networks."""
    if pair not in comparable(results) or not is_published(results, pair, row):
        return {}
    return {
        guidance: claim.printed.text
        for claim in claims()
        if claim.source in ("Table 1", "Table 2")
        and (claim.dataset, claim.method, claim.metric) == (results.plugin(pair.dataset), row.published, metric)
        for guidance in _arms(results, claim, pair, row.model)
    }


def printed_arms(results: Results) -> tuple[str, ...]:
    """Guidances that the paper's Tables 1 and 2 have numbers for; none when the grid has other data or networks."""
    rows = [row for network in methods.networks(results) for row in methods.rows(results, network)]
    found = {
        guidance for pair in comparable(results) for row in rows for guidance in printed(results, pair, row, "accuracy")
    }
    return tuple(name for name in results.guidances if name in found)


def is_published(results: Results, pair: Pair, row: MethodRow) -> bool:
    """Whether the paper has numbers for a row and its network: the same backbone, sizes and input, in every cell."""
    cells = [
        entry for entry in results.plan["cells"] if (entry["dataset"], entry["model"]) == (pair.dataset, row.model)
    ]
    return bool(row.published) and all(map(architecture(row.published).is_that_of, cells))


def other_networks(results: Results) -> list[str]:
    """Say which rows of the paper have another network here, and so no published number beside them."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for pair in comparable(results):
        for network in methods.networks(results):
            for row in methods.rows(results, network):
                if row.published and not is_published(results, pair, row):
                    found.setdefault((network.label, str(architecture(row.published))), {})[row.published] = None
    return [
        f"{network}: no published number beside {', '.join(words)}, because the paper's network is {theirs}."
        for (network, theirs), words in found.items()
    ]


def _counterparts(results: Results, claim: Claim, pair: Pair) -> Iterator[tuple[Network, MethodRow, str]]:
    for network in methods.networks(results):
        for row in methods.rows(results, network):
            if row.published == claim.method and is_published(results, pair, row):
                yield from ((network, row, guidance) for guidance in _arms(results, claim, pair, row.model))


@cache
def _arms(results: Results, claim: Claim, pair: Pair, model: str) -> list[str]:
    """Guidances of the grid with which a model is the counterpart of a published number."""
    setting = {"Table 3": "layers", "Figure 5": "weight"}.get(claim.source)
    if setting is None:
        names = results.guidances
    else:
        found = [one for one in results.ablations if one.setting == setting]
        names = [name for one in found for name in (BASELINE, *one.values)]
    known = [name for name in dict.fromkeys(names) if name in results.all_guidances]
    return [name for name in known if fits(results, claim, pair, model, name)]


def fits(results: Results, claim: Claim, pair: Pair, model: str, guidance: str) -> bool:
    """Whether a cell's guidance is the one that a published number was trained with, as far as the paper tells."""
    if guidance == BASELINE or not claim.guided:
        return guidance == BASELINE and not claim.guided
    settings = results.guidance_settings(pair.dataset, model, guidance)
    published = all(settings.get(key, value) == value for key, value in TERM.items())
    usual = settings.get("codebook") in (None, "drawn") and settings.get("resize") in (None, "paper")
    if claim.source == "Figure 5" and settings.get("weight") != claim.weight:
        return False
    return published and usual and layers_of(settings) in LAYERS.get(claim.method, (claim.layers,))


def _value(results: Results, claim: Claim, pair: Pair, row: MethodRow, guidance: str) -> Value:
    frame = select(results.of_model(pair, row.model), guidance=guidance, metric=claim.metric)
    if claim.metric == "accuracy":
        return results.value(select(frame, subset=("all", "")), digits=2)
    own = {"explainer": row.explainer or ""} if claim.metric == "cam_cos" else {"layer": LAST_LAYER}
    scored = cosine_rows(frame, claim.metric, target=TARGET, pairing="true_true", subset="all", **own)
    return results.value(scored)


def _reason(results: Results, claim: Claim, pair: Pair, row: MethodRow, guidance: str, value: Value) -> str:
    """The first reason why a number cannot be judged."""
    if not value.n:
        return "no result"
    if results.plan["protocol"] != "paper":
        return f"protocol {results.plan['protocol']}"
    if _images(results, pair) != {IMAGES[claim.dataset]}:
        return f"published on {IMAGES[claim.dataset]} test images"
    weight = results.guidance_settings(pair.dataset, row.model, guidance).get("weight")
    if claim.weight is not None and weight != claim.weight:
        return f"published with λ = {claim.weight:g}"
    return "one run" if value.n == 1 else ""


def _images(results: Results, pair: Pair) -> set[int]:
    return {int(n) for n in select(results.of_pair(pair), metric="accuracy")["n"]}
