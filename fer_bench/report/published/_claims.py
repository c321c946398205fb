"""Every published number as one record, whichever table or figure prints it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from fer_bench.report.published import _figure5, _table1, _table2, _table3
from fer_bench.report.published._printed import Printed, counted, read_off, share, truncated

CITATION = "Belharbi et al., FG 2024, arXiv 2402.00281"
IMAGES = {"rafdb": 3068, "affectnet": 3500}  # test images
LAST = 5  # what the paper calls layer 5 of a transformer is its last layer
# λ of the CAM rows, the only ones that are told: Fig. 5 for RAF-DB, the published training command for AffectNet.
WEIGHTS = {("CAM", "rafdb"): 4.0, ("CAM", "affectnet"): 9.0}


@dataclass(frozen=True)
class Claim:
    """One published number.

    source: where it is printed. dataset: plug-in that reads the data. method: row of the paper's Table 1.
    metric: accuracy (percent), cam_cos, or att_cos of the last layer. layers: guided layers, empty without guidance.
    weight: λ where the paper tells it.
    """

    source: str
    dataset: str
    method: str
    metric: str
    layers: tuple[int, ...]
    printed: Printed
    weight: float | None = None

    @property
    def guided(self) -> bool:
        """Whether the run was trained with guidance."""
        return bool(self.layers)


@cache
def claims() -> tuple[Claim, ...]:
    """All published numbers, in the order of the paper."""
    return (*_of_table1(), *_of_table2(), *_of_table3(), *_of_figure5())


def _of_table1() -> Iterator[Claim]:
    for (method, dataset), arms in _table1.ROWS.items():
        for layers, (accuracy, correct, cosine) in zip(((), (LAST,)), arms, strict=True):
            weight = WEIGHTS.get((method, dataset)) if layers else None
            printed = share(accuracy, correct, IMAGES[dataset])
            yield Claim("Table 1", dataset, method, "accuracy", layers, printed, weight)
            if cosine is not None:
                yield Claim("Table 1", dataset, method, "cam_cos", layers, truncated(cosine), weight)


def _of_table2() -> Iterator[Claim]:
    for (method, dataset), arms in _table2.ROWS.items():
        for layers, cosine in zip(((), (LAST,)), arms, strict=True):
            weight = WEIGHTS.get((method, dataset)) if layers else None
            yield Claim("Table 2", dataset, method, "att_cos", layers, truncated(cosine), weight)


def _of_table3() -> Iterator[Claim]:
    for layers, accuracy, correct, cosine in _table3.ROWS:
        yield Claim("Table 3", "rafdb", "CAM", "accuracy", layers, share(accuracy, correct, IMAGES["rafdb"]))
        yield Claim("Table 3", "rafdb", "CAM", "cam_cos", layers, truncated(cosine))


def _of_figure5() -> Iterator[Claim]:
    for weight, correct, attention, activation in ((0.0, *_figure5.WITHOUT), *_figure5.ROWS):
        layers, known = ((LAST,), weight) if weight else ((), None)
        accuracy = counted(correct, IMAGES["rafdb"])
        yield Claim("Figure 5", "rafdb", "CAM", "accuracy", layers, accuracy, known)
        for metric, value in (("att_cos", attention), ("cam_cos", activation)):
            yield Claim("Figure 5", "rafdb", "CAM", metric, layers, read_off(value, _figure5.READING_ERROR), known)
