"""Scores of an ablation's members, ours and the published ones, and what chance makes of the best of them."""

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from fer_bench.report import labels, methods
from fer_bench.report._builder import content
from fer_bench.report._statistics import expected_maximum, pooled_deviation
from fer_bench.report.ablations import Ablation
from fer_bench.report.comparison import comparable, fits, is_published
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.published import Printed, claims
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Content
from fer_bench.report.value import Value

METRICS = ("accuracy", "att_cos", "cam_cos")
DIGITS = {"accuracy": 2, "att_cos": 3, "cam_cos": 3}
SOURCES = {"layers": "Table 3", "weight": "Figure 5"}
PUBLISHED = {"layers": ("accuracy", "cam_cos"), "weight": METRICS}  # what the paper prints of each
SUMMARY = (
    "mean over λ",
    "deviation over λ",
    "deviation over seeds",
    "best",
    "expected maximum of {count} equal runs",
)


def main_rows(results: Results, network: Network) -> list[MethodRow]:
    """One row per training: its first explainer."""
    first: dict[str, MethodRow] = {}
    for row in methods.rows(results, network):
        first.setdefault(row.model, row)
    return list(first.values())


def scores(results: Results, pair: Pair, row: MethodRow, guidance: str) -> dict[str, Content]:
    """Accuracy, last ATT-COS and CAM-COS of a training."""
    frame = results.of_model(pair, row.model)
    maps = {"target": results.target, "pairing": "true_true", "subset": "all"}
    rows = {
        "accuracy": select(frame, metric="accuracy", subset=("all", "")),
        "att_cos": cosine_rows(frame, "att_cos", layer=labels.LAST_LAYER, **maps),
        "cam_cos": cosine_rows(frame, "cam_cos", explainer=row.explainer or "", **maps),
    }
    return {name: content(results, rows[name], pair, row.model, guidance, DIGITS[name]) for name in METRICS}


def published(results: Results, pair: Pair, row: MethodRow, one: Ablation, guidance: str) -> dict[str, Printed]:
    """What the paper prints for a member of an ablation: metric -> number."""
    if pair not in comparable(results) or not is_published(results, pair, row):
        return {}
    where = (SOURCES[one.setting], results.plugin(pair.dataset), row.published)
    return {
        claim.metric: claim.printed
        for claim in claims()
        if (claim.source, claim.dataset, claim.method) == where and fits(results, claim, pair, row.model, guidance)
    }


def summarise(contents: Iterable[Content]) -> dict[str, float]:
    """Numbers of SUMMARY for our scores over several weights; empty when fewer than two have a score."""
    values = [item for item in contents if isinstance(item, Value) and item.n]
    found = summarise_numbers([value.mean for value in values])
    pooled = pooled_deviation(values)
    if found and pooled is not None:
        spread = pooled / min(value.n for value in values) ** 0.5
        found[SUMMARY[2]] = pooled
        found[SUMMARY[4]] = found[SUMMARY[0]] + spread * expected_maximum(len(values))
    return found


def summarise_numbers(numbers: Sequence[float]) -> dict[str, float]:
    """Numbers of SUMMARY for one run per weight: all spread over the weights may be chance."""
    if len(numbers) < 2:
        return {}
    mean, spread = fmean(numbers), stdev(numbers)
    best = mean + spread * expected_maximum(len(numbers))
    return {SUMMARY[0]: mean, SUMMARY[1]: spread, SUMMARY[3]: max(numbers), SUMMARY[4]: best}
