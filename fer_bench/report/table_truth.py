"""Known truth: do explanations find the pixels that changed a logit, and does the network need the action units."""

from collections.abc import Iterator, Mapping

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import ANY_NETWORK, assemble, content
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.results import BASELINE, Pair, Results, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value, constant

TEXTS = ("Dataset", "Network", "Explainer", TRAINING)
SCORES = {"energy": "energy (%)", "precision": "AP (%)", "pointing": "pointing (%)"}
CHANCE, REFERENCE = "chance: share of changed pixels", "reference: the truth at the map's grid"
PAIRS = (
    "Attribution with known truth: pairs of generated faces that differ in one action unit alone, of which those count "
    "whose logit of the expression moves by at least 1 (pairs kept). The explained difference of the logit against the "
    "pixels that the rendered change touches: share of energy on them, area under precision-recall (AP), "
    "and how often the largest value lies on them."
)
DROPS = {"occlusion_probability": ("Probability (points)", 1), "occlusion_logit": ("Logit", 2)}
COLUMNS = {"": "AU regions", "_chance": "face patches", "_excess": "regions minus patches"}
OCCLUSION = (
    "Occlusion: drop of the true class when its action unit regions are blurred, and when as many pixels of the "
    "visible face are blurred in patches in random order (chance; mean of five orders)."
)


def build_pairs(results: Results) -> Table | None:
    """One row per training and explainer; None where no pairs were tested."""
    rows = [row for pair in _having(results, "pair_kept") for row in _pair_rows(results, pair)]
    if not rows:
        return None
    columns = [*map(Column, TEXTS), *map(Column, SCORES.values()), Column("pairs kept")]
    table = assemble(results, "known_truth", "Attribution with known truth", PAIRS, columns, rows, len(TEXTS))
    return captions.add(table, *_totals(results))


def build_occlusion(results: Results) -> Table | None:
    """One row per training; None where no regions were occluded."""
    rows = [row for pair in _having(results, "occlusion_logit") for row in _occlusion_rows(results, pair)]
    if not rows:
        return None
    words = [Column(name) for name in TEXTS if name != "Explainer"]
    drops = [Column(name, group) for group, _ in DROPS.values() for name in COLUMNS.values()]
    return assemble(results, "occlusion", "Occlusion of action units", OCCLUSION, [*words, *drops], rows, len(words))


def _having(results: Results, metric: str) -> list[Pair]:
    return [pair for pair in results.pairs if len(select(results.of_pair(pair), metric=metric))]


def _totals(results: Results) -> Iterator[str]:
    """How many pairs there are, and how many are kept over all networks."""
    for name in dict.fromkeys(pair.test_dataset for pair in _having(results, "pair_kept")):
        rows = select(results.frame, test_dataset=name, metric="pair_kept")
        low, high = int(rows["value"].min()), int(rows["value"].max())
        yield f"{results.dataset_label(name)}: {low} to {high} pairs kept, of {int(rows['n'].iloc[0])}."


def _pair_rows(results: Results, pair: Pair) -> Iterator[Row]:
    for network in methods.networks(results):
        for line in methods.rows(results, network):
            if line.explainer:
                words = (results.pair_label(pair), network.label, labels.explainer(line.explainer))
                yield from _explainer_rows(results, pair, line.model, line.explainer, words)


def _explainer_rows(
    results: Results, pair: Pair, model: str, explainer: str, words: tuple[str, str, str]
) -> Iterator[Row]:
    frame = results.of_model(pair, model)

    def score(arm: str, suffix: str) -> list[Content]:
        own = [select(frame, metric=f"pair_{name}{suffix}", explainer=explainer) for name in SCORES]
        return [content(results, rows, pair, model, arm, 1) for rows in own]

    arms: dict[str, list[Content]] = {}
    for arm in results.guidances:
        trained = results.guidance_label(arm)
        chance = content(results, select(frame, metric="pair_chance"), pair, model, arm, 1)
        kept = content(results, select(frame, metric="pair_kept"), pair, model, arm, 0)
        yield Row((*words, f"{trained}, {CHANCE}", *[chance] * len(SCORES), ""), " ".join(words), quiet=True)
        yield Row((*words, f"{trained}, {REFERENCE}", *score(arm, "_reference"), ""), " ".join(words), quiet=True)
        arms[arm] = score(arm, "")
        yield Row((*words, trained, *arms[arm], kept), " ".join(words))
    yield from _differences(results, words, arms, ("",))


def _occlusion_rows(results: Results, pair: Pair) -> Iterator[Row]:
    frame = results.of_pair(pair)
    area = select(frame, metric="occlusion_area")
    if len(area):
        blank = [""] * (len(DROPS) * len(COLUMNS) - 1)
        share = constant(float(area["value"].iloc[0]), 1)
        label = results.pair_label(pair)
        yield Row((label, ANY_NETWORK, "share of the image occluded (%)", share, *blank), label, quiet=True)
    for network in methods.networks(results):
        for model in network.models:
            own, words = results.of_model(pair, model), (results.pair_label(pair), network.label)
            arms: dict[str, list[Content]] = {}
            for arm in results.guidances:
                arms[arm] = [
                    content(results, select(own, metric=f"{metric}{suffix}"), pair, model, arm, digits)
                    for metric, (_, digits) in DROPS.items()
                    for suffix in COLUMNS
                ]
                yield Row((*words, results.guidance_label(arm), *arms[arm]), " ".join(words))
            yield from _differences(results, words, arms, ())


def _differences(
    results: Results, words: tuple[str, ...], arms: Mapping[str, list[Content]], more: tuple[str, ...]
) -> Iterator[Row]:
    """Differences from the training without guidance, paired by seed."""
    for title, arm in comparisons(results):
        both = [minus(after, before) for after, before in zip(arms[arm], arms[BASELINE], strict=True)]
        if any(isinstance(cell, Value) for cell in both):
            yield Row((*words, title, *both, *more), " ".join(words))
