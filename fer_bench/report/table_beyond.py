"""Scores of maps that say more than a cosine, each between its chance levels and what a perfect map reaches."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import labels, methods
from fer_bench.report._builder import assemble, content, reference, shared
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table

# Name of a score without `att_` or `cam_` -> its heading, in the order of print. Further metrics follow by their names.
SCORES = {
    "class_specificity": "class specificity",
    "cos_normalised": "COS above chance",
    "cos_normalised_blind": "COS above mean map",
    "energy": "energy",
    "pointing_game": "pointing game",
    "pixel_average_precision": "pixel AP",
    "otsu_iou": "Otsu IoU",
    "shuffled_auc": "shuffled AUC",
    "decision_rank": "rank with decision",
    "decision_share": "share in deciding channels",
}
ELSEWHERE = ("cos", "pearson")  # tables of their own
REFERENCES = ("chance_random", "chance_shuffled", "target_scored")
TEXTS = ("Dataset", "Network", "Method", "Map", TRAINING)


def build(results: Results) -> Table | None:
    """One line per map and training; None when nothing but cosines was scored."""
    scored = set(results.frame["metric"])
    words = {**SCORES, **{name: labels.spaced(name) for name in _added(scored)}}
    names = [name for name in words if {f"att_{name}", f"cam_{name}"} & scored]
    if not names:
        return None
    what = (
        "Scores of the last layer's attention and of class activation maps against the action unit map of the true "
        f"class ({labels.target(results.target)}), mean over the expressions; regions are its pixels from 0.5 on. "
        "Class specificity: cosine with the own class's map less the mean cosine with the other classes' maps of the "
        "same face. COS above chance, above mean map: (cosine - floor) / (ceiling - floor), the floor being the chance "
        "level or the mean map of all classes. Rank with decision and share in deciding channels compare the attention "
        "with what contributes to the true class's logit. Chance: a random smooth map; this network's map of another "
        "face."
    )
    columns = [*map(Column, TEXTS), *(Column(words[name]) for name in names)]
    rows = [row for pair in results.pairs for row in _pair(results, pair, names)]
    return assemble(results, "beyond", "Beyond the cosine", what, columns, rows, len(TEXTS), ("Method",))


def _added(scored: set[str]) -> list[str]:
    """Metrics of one's own: what is scored for attention or activation maps, and for what a perfect map reaches."""
    ends = [name.removesuffix("_target_scored") for name in scored if name.endswith("_target_scored")]
    return sorted({name[4:] for name in ends if name[:4] in ("att_", "cam_")} - SCORES.keys() - set(ELSEWHERE))


def _pair(results: Results, pair: Pair, names: list[str]) -> Iterator[Row]:
    for network in methods.networks(results):
        for model in network.models:
            frame = select(results.of_model(pair, model), target=("", results.target))
            head = (results.pair_label(pair), network.label, methods.training_word(results, model))
            for kind, field, source, word in _maps(results, frame, model):
                own = select(frame, **{field: (source, "")})
                yield from _lines(results, own, pair, model, names, kind, (*head, word))


def _maps(results: Results, frame: pd.DataFrame, model: str) -> Iterator[tuple[str, str, str, str]]:
    """The last attention and the class activation maps that Table 1 shows: prefix, column, name, words."""
    layers = sorted(set(select(frame, metric=("att_energy", "att_class_specificity", "att_cos"))["layer"]) - {""})
    for layer in layers[-1:]:
        yield "att", "layer", layer, f"attention, {labels.layer(layer)}"
    for network in methods.networks(results):
        for row in methods.rows(results, network):
            if row.model == model and row.explainer:
                yield "cam", "explainer", row.explainer, labels.explainer(row.explainer)


def _lines(
    results: Results, frame: pd.DataFrame, pair: Pair, model: str, names: list[str], kind: str, head: tuple[str, ...]
) -> Iterator[Row]:
    block = " ".join(head)
    scores = {
        arm: [_score(results, frame, pair, model, arm, f"{kind}_{n}") for n in names] for arm in results.guidances
    }
    for suffix in REFERENCES:
        lines = [(results.guidance_label(arm), _references(results, frame, arm, names, kind, suffix)) for arm in scores]
        for words, cells in shared([line for line in lines if any(line[1])]):
            yield Row((*head, labels.reference(suffix) + words, *cells), block, quiet=True)
    for arm, cells in scores.items():
        yield Row((*head, results.guidance_label(arm), *cells), block)
    for title, arm in comparisons(results):
        both = zip(scores[arm], scores[BASELINE], strict=True)
        yield Row((*head, title, *(minus(after, before) for after, before in both)), block)


def _score(results: Results, frame: pd.DataFrame, pair: Pair, model: str, arm: str, metric: str) -> Content:
    rows = cosine_rows(frame, metric, pairing=("true_true", ""), subset="all")
    return "" if rows.empty else content(results, rows, pair, model, arm)


def _references(
    results: Results, frame: pd.DataFrame, arm: str, names: list[str], kind: str, suffix: str
) -> list[Content]:
    own = select(frame, guidance=arm, subset="all")
    return [reference(results, cosine_rows(own, f"{kind}_{name}_{suffix}")) for name in names]
