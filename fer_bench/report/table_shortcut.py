"""Does a network follow a cue that gave the class away in training: accuracy, reliance, attention on the cue."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from fer_bench import stats
from fer_bench.report import captions, methods
from fer_bench.report._builder import ANY_NETWORK, assemble, content, reference
from fer_bench.report._guess import uniform
from fer_bench.report._layout import TRAINING, comparisons, minus
from fer_bench.report.methods import Network
from fer_bench.report.results import BASELINE, Pair, Results, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import MINUS, Value, constant

VIEWS = ("clean", "aligned", "random", "conflict")
TEXTS = ("Dataset", "Network", TRAINING)
RELIANCE, ACCURACY = "Reliance (CL points)", "CL (%), view"
MAPS = {"att": "ATT on cue (%)", "cam": "CAM on cue (%)"}
WHAT = (
    "Shortcuts: every training face bears a mark in the hue of a class, of its own class at the rate that is named, "
    "else of another. CL on the same test faces without a mark (clean), with that of their own class (aligned), of a "
    "random class, and of another class (conflict). Reliance: aligned minus conflict, 0 for a network that ignores "
    "marks, with its 95 % t interval over seeds. Followed: predictions that name the class of a conflicting mark. On "
    "cue: share of the energy of a map (attention of the last layer; class activation map of the predicted class; each "
    "min-max normalised) on the mark, and in the clean view on the same pixels without it; chance is the area."
)


@dataclass(frozen=True)
class _Score:
    """A column: heading, and which rows of the tidy table it shows."""

    column: Column
    metric: str
    subset: str
    digits: int = 1
    reference: str = ""  # metric of which `_chance` and `_ceiling` belong to the column

    def of(self, frame: pd.DataFrame, explainer: str) -> pd.DataFrame:
        """Rows of the score; a class activation map is that of the explainer."""
        wanted = (explainer,) if self.metric == "shortcut_cam" else ("",)
        return select(frame, metric=self.metric, subset=self.subset, explainer=wanted)


def _scores() -> list[_Score]:
    found = [_Score(Column(view, ACCURACY), "shortcut_accuracy", view) for view in VIEWS]
    found.append(_Score(Column("mean", RELIANCE), "shortcut_reliance", "all"))
    found.append(_Score(Column("conflict", "Followed (%)"), "shortcut_followed", "conflict"))
    for kind, group in MAPS.items():
        found += [_Score(Column(view, group), f"shortcut_{kind}", view, 2) for view in ("aligned", "conflict", "clean")]
    return found


def build(results: Results) -> Table | None:
    """One row per training and cue, those trained without any cue included; None where no cue was tested."""
    rows = [row for pair in _pairs(results) for row in _pair_rows(results, pair)]
    if not rows:
        return None
    columns = [*map(Column, TEXTS), *_with_interval([score.column for score in _scores()])]
    table = assemble(results, "shortcut", "Reliance on a cue", WHAT, columns, rows, len(TEXTS))
    return captions.add(table, *_notes(results))


def _with_interval(columns: list[Column]) -> list[Column]:
    place = next(index for index, column in enumerate(columns) if column.group == RELIANCE) + 1
    return [*columns[:place], Column("95 % interval", RELIANCE), *columns[place:]]


def _cued(results: Results) -> set[str]:
    """Test datasets whose cues were tested."""
    return set(select(results.frame, metric="shortcut_reliance")["test_dataset"])


def _pairs(results: Results) -> list[Pair]:
    """Each cue with the trainings that saw it and those that saw none."""
    cued = _cued(results)
    shown = [
        p for p in results.pairs if p.test_dataset in cued and (p.dataset == p.test_dataset or p.dataset not in cued)
    ]
    return sorted(shown, key=lambda pair: list(results.plan["test_datasets"]).index(pair.test_dataset))


def _pair_rows(results: Results, pair: Pair) -> Iterator[Row]:
    yield _chance_row(results, pair)
    for network in methods.networks(results):
        for model in network.models:
            yield from _model_rows(results, pair, network, model)


def _chance_row(results: Results, pair: Pair) -> Row:
    """A uniform guess; a constant map, whose share is that of the area."""
    frame, guess = results.of_pair(pair), constant(uniform(results, pair)["accuracy"], 1)
    cells: list[Content] = []
    for score in _scores():
        if score.metric in ("shortcut_accuracy", "shortcut_followed"):
            cells.append(guess)
        elif score.metric == "shortcut_reliance":
            cells += [constant(0.0, 1), ""]
        else:
            cells.append(_reference(results, frame, score, "chance"))
    label = results.pair_label(pair)
    return Row((label, ANY_NETWORK, "chance", *cells), f"{label} {ANY_NETWORK}", quiet=True)


def _reference(results: Results, frame: pd.DataFrame, score: _Score, suffix: str) -> Content:
    """Chance or ceiling of a map; it depends on the map's grid alone, so any row of it will do."""
    rows = select(frame, metric=f"{score.metric}_{suffix}")
    one = rows.drop_duplicates("seed")
    found = reference(results, one)
    return constant(found.mean, score.digits) if isinstance(found, Value) else found


def _model_rows(results: Results, pair: Pair, network: Network, model: str) -> Iterator[Row]:
    frame = results.of_model(pair, model)
    explainer = next((row.explainer for row in methods.rows(results, network) if row.model == model), None) or ""
    names = (results.pair_label(pair), network.label)
    ceilings = [_reference(results, frame, score, "ceiling") if score.metric[9:] in MAPS else "" for score in _scores()]
    yield Row((*names, "ceiling of the grid size", *_filled(ceilings)), " ".join(names), quiet=True)
    arms = {arm: _cells(results, frame, pair, model, arm, explainer) for arm in results.guidances}
    for arm, cells in arms.items():
        yield Row((*names, results.guidance_label(arm), *_filled(cells)), " ".join(names))
    for title, arm in comparisons(results):
        both = [minus(after, before) for after, before in zip(arms[arm], arms[BASELINE], strict=True)]
        yield Row((*names, title, *_filled(both)), " ".join(names))


def _cells(results: Results, frame: pd.DataFrame, pair: Pair, model: str, arm: str, explainer: str) -> list[Content]:
    return [content(results, s.of(frame, explainer), pair, model, arm, s.digits) for s in _scores()]


def _filled(cells: list[Content]) -> list[Content]:
    """Put the interval of the reliance behind it."""
    place = next(index for index, score in enumerate(_scores()) if score.metric == "shortcut_reliance") + 1
    return [*cells[:place], _interval(cells[place - 1]), *cells[place:]]


def _interval(cell: Content) -> str:
    found = stats.t_interval(list(cell.by_seed.values())) if isinstance(cell, Value) else None
    return "" if found is None else f"[{found[0]:.1f}, {found[1]:.1f}]".replace("-", MINUS)


def _notes(results: Results) -> Iterator[str]:
    yield "Not printed: networks trained with the cue of another site; metrics.csv has them."
    for name in sorted(_cued(results)):
        rows = select(results.frame, metric="shortcut_faces", test_dataset=name)
        used, total = int(rows["value"].iloc[0]), int(rows["n"].iloc[0])
        if used < total:
            label = results.dataset_label(name)
            yield f"{label}: {total - used} of {total} faces have no room for the cue and are left out."
