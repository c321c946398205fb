"""CAM-COS by the class whose map is asked for and the class whose action units are the reference."""

from collections.abc import Iterator

import pandas as pd

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble, content, hoist, is_chance
from fer_bench.report._layout import TRAINING
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table, text
from fer_bench.report.table_main import cam_references

PAIRINGS = ("true_true", "pred_pred", "pred_true")
# Subset -> pairings with a column: for correct images the predicted class is the true one.
SUBSETS = {"all": PAIRINGS, "correct": PAIRINGS[:1], "wrong": PAIRINGS}
COUNTED = ("correct", "wrong")  # the number of all images stands in the caption
TEXTS = ("Dataset", "Network", "Method", TRAINING)


def build(results: Results) -> Table:
    """CAM-COS of the class whose map is asked for against the class whose action units are the reference."""
    what = (
        "CAM-COS by pairing (class of the activation map / class of the action unit map), for all, correctly and "
        "wrongly classified images; mean over the expressions; n: images with a map, mean over seeds. "
        f"Reference map: {labels.target(results.target)}."
    )
    rows = [row for pair in results.pairs for row in _pair(results, pair)]
    head = [*map(Column, TEXTS), *_columns()]
    table = assemble(results, "pairing", "CAM-COS by pairing", what, head, rows, texts=len(TEXTS))
    return captions.add(table, *(note for pair in results.pairs for note in _undefined(results, pair)))


def _columns() -> Iterator[Column]:
    for subset, pairings in SUBSETS.items():
        group = f"{subset} images"
        if subset in COUNTED:
            yield Column("n", group)
        if len(pairings) == 1:
            yield Column("any pairing", group)
        else:
            yield from (Column(labels.pairing(pairing), group) for pairing in pairings)


def _pair(results: Results, pair: Pair) -> list[Row]:
    return hoist([list(_network(results, pair, network)) for network in methods.networks(results)])


def _network(results: Results, pair: Pair, network: Network) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label)
    shown = [row for row in methods.rows(results, network) if row.explainer]
    blank = [""] * (len(list(_columns())) - len(PAIRINGS))
    for suffix, word, cells in cam_references(results, pair, network, shown):
        if is_chance(suffix):  # that of all images; it is the same for every pairing up to the images that have a map
            for arm, cell in _distinct(results, cells):
                yield Row((*names, word, arm, *[cell] * len(PAIRINGS), *blank), " ".join(names), quiet=True)
    for row in shown:
        yield from _method(results, pair, row, names)


def _distinct(results: Results, cells: dict[str, Content]) -> list[tuple[str, Content]]:
    """Contents per training, or one for all of them where they are the same."""
    found = list(cells.items())
    if len({text(cell) for cell in cells.values()}) == 1:
        return [("", found[0][1])]
    return [(results.guidance_label(name), cell) for name, cell in found]


def _method(results: Results, pair: Pair, row: MethodRow, names: tuple[str, str]) -> Iterator[Row]:
    frame = select(results.of_model(pair, row.model), explainer=row.explainer, target=(results.target, ""))
    frame = select(frame, metric="cam_cos")
    if frame.empty and not any(results.found(pair, row.model, name) for name in results.guidances):
        return
    for arm in results.guidances:
        cells: list[Content] = []
        for subset, pairings in SUBSETS.items():
            own = select(frame, subset=subset)
            cells += [_mean_n(select(own, guidance=arm, pairing="true_true"))] * (subset in COUNTED)
            found = [cosine_rows(select(own, pairing=pairing), "cam_cos") for pairing in pairings]
            cells += [content(results, rows, pair, row.model, arm) for rows in found]
        yield Row((*names, row.word, results.guidance_label(arm), *cells), " ".join((*names, row.word)))


def _mean_n(rows: pd.DataFrame) -> str:
    """Mean number of images over seeds; macro averages leave rarely seen classes out, micro averages do not."""
    micro = select(rows, average="micro")
    chosen = micro if len(micro) else rows
    return f"{chosen['n'].mean():.1f}" if chosen["n"].notna().any() else ""


def _undefined(results: Results, pair: Pair) -> Iterator[str]:
    """Images whose predicted class has no map."""
    rows = select(results.of_pair(pair), metric="cam_cos_undefined", pairing="pred_pred", target=(results.target, ""))
    if len(rows):
        low, high = int(rows["value"].min()), int(rows["value"].max())
        shown = f"{low}" if low == high else f"{low} to {high}"
        where = results.pair_label(pair)
        yield f"{where}: predicted / predicted is undefined for images taken for neutral: {shown} per run."
