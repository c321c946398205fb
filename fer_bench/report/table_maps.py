"""Tables that look at the map scores from other sides: other reference maps, other classes, Pearson correlation."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import labels
from fer_bench.report._builder import arm_columns, arms, assemble, content, hoist, is_chance, reference, reference_rows
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.table_main import cam_references
from fer_bench.report.value import Value

PAIRINGS = ("true_true", "pred_pred", "pred_true")
SUBSETS = ("all", "correct", "wrong")


def build_cross_map(results: Results) -> Table | None:
    """Every map scored against the reference maps that the main tables do not use; None when there is none."""
    targets = sorted(set(results.frame["target"]) - {"", results.target})
    what = (
        "Maps scored against other reference maps than the main tables use: what training on one map does to the "
        "agreement with another is not the optimised quantity. Chance is the constant map for attention and random "
        "smooth maps for class activation maps."
    )
    words = ("Dataset", "Model", "Map", "Reference map")
    columns = [*map(Column, words), Column("chance", "Cosine"), *arm_columns(results, "Cosine")]
    columns += [Column("ceiling", "Cosine")]
    rows = [row for pair in results.pairs for row in _cross_rows(results, pair, targets)]
    if not targets:
        return None
    return assemble(results, "cross_map", "Other reference maps", what, columns, rows, texts=4)


def _cross_rows(results: Results, pair: Pair, targets: list[str]) -> Iterator[Row]:
    for model in results.unique("model"):
        frame = select(results.of_pair(pair), model=model)
        names = (results.pair_label(pair), results.model_label(model))
        for target in targets:
            for metric, field, name, word in _maps(results, frame):
                own = select(frame, **{field: (name, "")})
                rows = cosine_rows(own, metric, target=target, pairing="true_true", subset="all")
                scores = arms(results, rows, pair, model)
                chance, ceiling = (_bound(results, own, metric, target, key) for key in ("chance", "ceiling"))
                contents = (*names, word, labels.target(target), chance, *scores, ceiling)
                yield Row(contents, " ".join((*names, target)))


def _maps(results: Results, frame: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Scored maps of a model: (metric, column that names the map, its name, its word)."""
    layers = set(select(frame, metric="att_cos")["layer"])
    explainers = set(select(frame, metric="cam_cos")["explainer"])
    attention = [
        ("att_cos", "layer", name, f"attention, {labels.layer(name)}") for name in results.layers if name in layers
    ]
    activation = [("cam_cos", "explainer", n, labels.explainer(n)) for n in results.explainers if n in explainers]
    return attention[-1:] + activation


def _bound(results: Results, frame: pd.DataFrame, metric: str, target: str, kind: str) -> Content:
    """First chance level, or ceiling, of a map; blank when it was not computed."""
    for suffix, rows in reference_rows(frame, metric, target).items():
        if suffix.startswith(kind):
            one_arm = select(rows, guidance=rows["guidance"].iloc[0])
            return reference(results, one_arm)
    return ""


def build_pairing(results: Results) -> Table:
    """CAM-COS of the class whose map is asked for against the class whose action units are the reference."""
    what = (
        "CAM-COS by pairing (class of the activation map / class of the action unit map), for all, correctly and "
        f"wrongly classified images; mean over the expressions. Reference map: {labels.target(results.target)}."
    )
    columns = [Column(word) for word in ("Dataset", "Model", "Explainer", "Pairing")]
    for subset in SUBSETS:
        columns += [Column(labels.guidance(name), f"{subset} images") for name in results.guidances]
    rows = [row for pair in results.pairs for row in [*_pairing_chance(results, pair), *_pairing_rows(results, pair)]]
    table = assemble(results, "pairing", "CAM-COS by pairing", what, columns, rows, texts=4)
    notes = [note for pair in results.pairs for note in _counts(results, pair)]
    return Table(table.name, table.title, table.caption, table.columns, table.rows, table.texts, (*table.notes, *notes))


def _pairing_chance(results: Results, pair: Pair) -> list[Row]:
    """Chance level of all images; it is the same for every pairing up to the images that have a map."""
    blocks: dict[str, list[Row]] = {}
    blank = [""] * len(results.guidances) * (len(SUBSETS) - 1)
    for model in results.unique("model"):
        frame = select(results.of_pair(pair), model=model)
        names = (results.pair_label(pair), results.model_label(model))
        found = [(word, cells) for suffix, word, cells in cam_references(results, frame) if is_chance(suffix)]
        blocks[model] = [Row((*names, word, "", *cells, *blank), " ".join(names), quiet=True) for word, cells in found]
    return hoist(blocks, model_column=1)


def _pairing_rows(results: Results, pair: Pair) -> Iterator[Row]:
    for model in results.unique("model"):
        frame = select(results.of_pair(pair), model=model, metric="cam_cos", target=(results.target, ""))
        names = (results.pair_label(pair), results.model_label(model))
        for explainer in [name for name in results.explainers if name in set(frame["explainer"])]:
            for pairing in PAIRINGS:
                cells = _pairing_cells(results, frame, pair, model, explainer, pairing)
                words = (*names, labels.explainer(explainer), labels.pairing(pairing))
                yield Row((*words, *cells), " ".join((*names, explainer)))


def _pairing_cells(
    results: Results, frame: pd.DataFrame, pair: Pair, model: str, explainer: str, pairing: str
) -> list[Content]:
    own = select(frame, explainer=explainer, pairing=pairing)
    rows = {subset: cosine_rows(own, "cam_cos", subset=subset) for subset in SUBSETS}
    return [content(results, rows[subset], pair, model, arm) for subset in SUBSETS for arm in results.guidances]


def _counts(results: Results, pair: Pair) -> Iterator[str]:
    """Images behind the columns, and predictions for which no map exists."""
    frame = select(results.of_pair(pair), target=(results.target, ""))
    for model in results.unique("model"):
        for arm in results.guidances:
            own = select(frame, model=model, guidance=arm)
            scored = select(own, metric="cam_cos", pairing="true_true")
            counts = {subset: _mean_n(select(scored, subset=subset)) for subset in SUBSETS}
            if not counts["all"]:
                continue
            undefined = select(own, metric="cam_cos_undefined", pairing="pred_pred", explainer=_first(scored))["value"]
            tail = f"; predicted / predicted undefined for {undefined.mean():.1f}" if len(undefined) else ""
            who = f"{results.pair_label(pair)}, {results.model_label(model)}, {labels.guidance(arm)}"
            shares = ", ".join(f"{count:.1f} {subset}" for subset, count in counts.items())
            yield f"Images with a map, mean over seeds: {who}: {shares}{tail}."


def _first(rows: pd.DataFrame) -> str:
    """Any one explainer: how many images have a map does not depend on it."""
    return str(rows["explainer"].min())


def _mean_n(rows: pd.DataFrame) -> float:
    return float(rows["n"].mean()) if len(rows) and rows["n"].notna().any() else 0.0


def build_pearson(results: Results) -> Table:
    """Pearson correlation of every map: its chance level is 0, and layers and explainers may be compared by it."""
    what = (
        "Pearson correlation of every map with the action unit map of the true class (chance: 0, unlike the cosine it "
        f"ignores a map's offset); mean over the expressions. Reference map: {labels.target(results.target)}."
    )
    columns = [*map(Column, ("Dataset", "Model", "Map")), *arm_columns(results, "Pearson correlation")]
    rows = [row for pair in results.pairs for row in _pearson_rows(results, pair)]
    return assemble(results, "pearson", "Pearson correlation", what, columns, rows, texts=3)


def _pearson_rows(results: Results, pair: Pair) -> Iterator[Row]:
    for model in results.unique("model"):
        frame = select(results.of_pair(pair), model=model, target=results.target, pairing="true_true", subset="all")
        names = (results.pair_label(pair), results.model_label(model))
        attention = select(frame, metric="att_pearson")
        activation = select(frame, metric="cam_pearson")
        maps = [(attention, "layer", name, f"attention, {labels.layer(name)}") for name in results.layers]
        maps += [(activation, "explainer", name, labels.explainer(name)) for name in results.explainers]
        for rows, field, name, word in maps:
            own = cosine_rows(select(rows, **{field: name}), str(rows["metric"].iloc[0])) if len(rows) else rows
            if len(own):
                scores = arms(results, own, pair, model)
                yield Row((*names, word, *scores), " ".join(names))


def has_values(table: Table) -> bool:
    """Whether a table holds a number at all."""
    return any(isinstance(item, Value) and item.by_seed for row in table.rows for item in row.contents)
