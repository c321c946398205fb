"""What the effect of guidance is due to: the gain of every map over none, and of `au` over every control."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble, content
from fer_bench.report.ablation_scores import main_rows
from fer_bench.report.controls import Family, families, has_controls, is_chosen_on_validation, subject
from fer_bench.report.gain import gain
from fer_bench.report.methods import MethodRow
from fer_bench.report.results import BASELINE, Pair, Results, cosine_rows, select
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import Value

TEXTS = ("Dataset", "Network", "Method", "Difference", "Map", "It knows", "λ")
OPTIONAL = ("Method",)
TARGETS = ("paper", "facs", "present")
OVERLAP = "guidance_overlap"
WHAT = (
    "What the effect of guidance is due to. First the gain of each map: the network trained with it minus the same "
    "network without guidance. Then au minus each other map: what au has beyond it. All maps act on the same training "
    "faces. Where au is not ahead of a map, nothing shows that what this map leaves out matters. Wrong class and class "
    "code know the class but not its units: class information. All units, landmarks, face mask and centre do not know "
    "the class: looking at the face. The map of another face of the same class knows the units but not this face."
)
INTERVALS = (
    "In brackets: 95 % t interval of the mean over seeds, differences paired by seed, from three seeds on; what other "
    "seeds would give on the same test images. One interval in twenty misses by chance, and the table has many."
)
CHOSEN = (
    "λ of each map: the one with the highest mean over seeds of the validation score of the kept epochs, of equal ones "
    "the first in the grid; the test images took no part."
)
NOT_CHOSEN = "λ: the first of the grid for each map; this protocol would choose it on the test images."
OVERLAPS = (
    "Overlap: mean cosine, over the test faces with a map, of the map that guides and the paper map of the true "
    "expression. CAM-COS and ATT-COS are compared with the paper map unless the heading names another one. Class "
    "specificity: cosine with the own class's map less the mean cosine with the other classes' maps of the same face. "
    "Pixel AP: average precision of the map's ranking of pixels for those of the region."
)


@dataclass(frozen=True)
class Score:
    """A column: its heading, digits, and where the rows of its score are found."""

    heading: str
    digits: int
    metric: str
    target: str = ""


SCORES = (
    Score("CL (%)", 2, "accuracy"),
    *(Score(f"CAM-COS, {labels.target(name)}", 3, "cam_cos", name) for name in TARGETS),
    Score("CAM, class specificity, FACS map", 3, "cam_class_specificity", "facs"),
    Score("CAM, pixel AP, FACS map", 3, "cam_pixel_average_precision", "facs"),
    Score("ATT-COS", 3, "att_cos", "paper"),
)


def build(results: Results) -> Table | None:
    """Make the table; None for a grid without controls."""
    if not has_controls(results):
        return None
    shown = [score for score in SCORES if _is_known(results, score)]
    columns = [*map(Column, TEXTS), Column("overlap"), *(Column(score.heading) for score in shown)]
    rows = [row for pair in results.pairs for row in _pair(results, pair, shown)]
    table = assemble(results, "controls", "Controls of guidance", WHAT, columns, rows, len(TEXTS), OPTIONAL)
    rule = CHOSEN if is_chosen_on_validation(results) else NOT_CHOSEN
    return captions.add(table, INTERVALS, rule, OVERLAPS)


def _is_known(results: Results, score: Score) -> bool:
    return bool(len(select(results.frame, metric=score.metric, target=score.target)))


def _pair(results: Results, pair: Pair, shown: list[Score]) -> Iterator[Row]:
    for network in methods.networks(results):
        for row in main_rows(results, network):
            names = (results.pair_label(pair), network.label, row.word)
            yield from _Trainings(results, pair, row, names, shown).rows()


@dataclass(frozen=True)
class _Trainings:
    """The trainings of one model on a dataset; names: the words that lead its rows."""

    results: Results
    pair: Pair
    row: MethodRow
    names: tuple[str, str, str]
    shown: list[Score]

    def rows(self) -> Iterator[Row]:
        """Every map minus none, then `au` minus every other map."""
        found = families(self.results, self.pair, self.row.model)
        scores = {family: self._scores(family.chosen) for family in found}
        without, own = self._scores(BASELINE), subject(found)
        for family in found:
            yield self._row("minus no guidance", family, _minus(scores[family], without))
        for family in found if own else ():
            if own and family != own:
                yield self._row(f"{own.word} minus it", family, _minus(scores[own], scores[family]))

    def _row(self, what: str, family: Family, cells: list[Content]) -> Row:
        words = (*self.names, what, family.word, family.knows, family.weight)
        return Row((*words, self._overlap(family), *cells), " ".join((*self.names, what)))

    def _scores(self, guidance: str) -> list[Content]:
        """A content per column; a dash where no λ could be chosen."""
        if not guidance:
            return [labels.MISSING] * len(self.shown)
        return [scored(self.results, self.pair, self.row, guidance, score) for score in self.shown]

    def _overlap(self, family: Family) -> Content:
        """Computed where a network is tested on the dataset that it was trained on."""
        frame = self.results.of_model(self.pair, self.row.model)
        rows = cosine_rows(frame, OVERLAP, target="paper", guidance=family.chosen)
        return self.results.value(rows, digits=2, reference=True) if len(rows) else ""


def scored(results: Results, pair: Pair, row: MethodRow, guidance: str, score: Score) -> Content:
    """A score of one training, or the word that stands in its place."""
    found = _rows(results.of_model(pair, row.model), score, row.explainer or "")
    return content(results, found, pair, row.model, guidance, score.digits)


def _rows(frame: pd.DataFrame, score: Score, explainer: str) -> pd.DataFrame:
    if score.metric == "accuracy":
        return select(frame, metric="accuracy", subset=("all", ""))
    place = {"layer": labels.LAST_LAYER} if score.metric.startswith("att_") else {"explainer": explainer}
    return cosine_rows(frame, score.metric, **place, target=score.target, pairing="true_true", subset="all")


def _minus(after: list[Content], before: list[Content]) -> list[Content]:
    return [
        gain(value, other) if isinstance(value, Value) and isinstance(other, Value) else _mark(value, other)
        for value, other in zip(after, before, strict=True)
    ]


def _mark(*contents: Content) -> Content:
    """The first word that stands in place of a number."""
    return next(content for content in contents if isinstance(content, str))
