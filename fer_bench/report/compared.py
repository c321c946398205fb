"""The headline scores of a grid: what stands on the first screen and is tested for being a real difference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fer_bench.report import labels, methods
from fer_bench.report._builder import content
from fer_bench.report.labels import LAST_LAYER
from fer_bench.report.results import Pair, Results, cosine_rows, select
from fer_bench.report.table import Content


@dataclass(frozen=True, eq=False)
class Score:
    """One score of a trained network under every guidance.

    pair: training and test dataset. network, training: words of the tables. model: name in the grid. metric: accuracy,
    att_cos or cam_cos. place: the layer or the explainer, empty for accuracy. word: what is printed. cells: guidance ->
    content, as the main tables print it.
    """

    pair: Pair
    network: str
    training: str
    model: str
    metric: str
    place: str
    word: str
    cells: Mapping[str, Content]


def scores(results: Results) -> Iterator[Score]:
    """Accuracy once per trained network, attention of the last layer, every explainer that has a row in Table 1."""
    for pair in results.pairs:
        for network in methods.networks(results):
            for model in network.models:
                names = (pair, network.label, methods.training_word(results, model), model)
                for metric, place, word, cells in _of_model(results, pair, network, model):
                    yield Score(*names, metric, place, word, cells)


def _of_model(
    results: Results, pair: Pair, network: methods.Network, model: str
) -> Iterator[tuple[str, str, str, dict[str, Content]]]:
    """Metric, place, word for the score, and its content per guidance."""
    frame = results.of_model(pair, model)
    rows = select(frame, metric="accuracy", subset=("all", ""))
    cells = {name: content(results, rows, pair, model, name, digits=2) for name in results.guidances}
    yield "accuracy", "", "CL (%)", cells
    maps = select(frame, target=results.target, pairing="true_true", subset="all")
    last = cosine_rows(maps, "att_cos", layer=LAST_LAYER)
    if len(last):
        word = f"ATT-COS, {labels.layer(LAST_LAYER)}"
        cells = {name: content(results, last, pair, model, name) for name in results.guidances}
        yield "att_cos", LAST_LAYER, word, cells
    for row in methods.rows(results, network):
        if row.model == model and row.explainer:
            rows = cosine_rows(maps, "cam_cos", explainer=row.explainer)
            cells = {name: content(results, rows, pair, model, name) for name in results.guidances}
            yield "cam_cos", row.explainer, f"CAM-COS, {labels.explainer(row.explainer)}", cells
