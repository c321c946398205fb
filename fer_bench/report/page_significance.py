"""Differences of docs/statistics.md with their intervals, as Markdown, from the table `significance` of a grid."""

import pandas as pd

from fer_bench.report.page_tables import markdown
from fer_bench.report.value import constant

SCORES = {"CL (%)": ("accuracy (%)", 2), "CAM-COS, CAM": ("CAM-COS (CAM)", 3)}  # name there -> name here, digits
INTERVALS = ("other trainings", "other faces", "both")
HEAD = ["model", "score", "difference", *INTERVALS, "p trainings", "p faces", "seeds needed"]


def significance(frame: pd.DataFrame) -> str:
    """The headline differences of every network.

    frame: significance.csv; p values are those after Holm over all lines of that table.
    """
    rows = [_row(line) for _, line in frame.iterrows() if line["Score"] in SCORES]
    return markdown(rows, HEAD, texts=2)


def _row(line: pd.Series) -> list[str]:
    word, digits = SCORES[line["Score"]]
    intervals = [
        " to ".join(_number(line[f"95 % interval, {name}, {end}"], digits) for end in ("low", "high"))
        for name in INTERVALS
    ]
    tests = [_number(line[f"p (Holm), {name}"], 3) for name in ("trainings", "faces")]
    difference = _number(line["difference"], digits)
    signed = difference if line["difference"] < 0 else f"+{difference}"
    return [line["Network"], word, signed, *intervals, *(_small(one) for one in tests), str(int(line["seeds needed"]))]


def _number(value: float, digits: int) -> str:
    return constant(value, digits).text()


def _small(text: str) -> str:
    """A p value that rounds to nothing is not 0."""
    return "< 0.001" if float(text) == 0 else text
