"""The result table of README.md, made from the committed results/GRID/metrics.csv of the default grid."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from fer_bench.errors import InputError
from fer_bench.report import labels
from fer_bench.report.gain import gain
from fer_bench.report.results import select
from fer_bench.report.value import Value, constant
from fer_bench.yaml_file import read_yaml

GRID = "default"
BEGIN = "<!-- result table: `make readme` writes it -->"
END = "<!-- end of the result table -->"
ARMS = ("none", "au")
HEAD = ["model", "score", "chance", "without AU", "with AU", "difference [95 % interval]", "ceiling"]


@dataclass(frozen=True)
class Score:
    """A line of the table for every model: which rows of metrics.csv it prints, and what they are read against."""

    word: str
    metric: str
    chance: str = ""  # suffix of the metric that holds the chance level
    where: tuple[tuple[str, str], ...] = ()  # column and value of the rows
    digits: int = 3


def _cosine(word: str, metric: str, chance: str, target: str, **where: str) -> Score:
    return Score(word, metric, chance, (("average", "macro"), ("target", target), *where.items()))


SCORES = (
    Score("accuracy (%)", "accuracy", digits=1),
    _cosine("ATT-COS, last layer", "att_cos", "chance_constant", "paper", layer=labels.LAST_LAYER),
    _cosine("CAM-COS", "cam_cos", "chance_random", "paper", explainer="cam"),
    _cosine("CAM-COS, FACS map", "cam_cos", "chance_random", "facs", explainer="cam"),
    _cosine("CAM-COS, AUs present", "cam_cos", "chance_random", "present", explainer="cam"),
)


def block(frame: pd.DataFrame, models: dict[str, Any]) -> str:
    """The table and the line above it.

    frame: metrics.csv, read with `keep_default_na=False`. models: the section of params.yaml, for labels.
    """
    frame = select(frame, status="ok")
    names = list(dict.fromkeys(frame["model"]))
    rows = [[labels.of(models, name), *_line(select(frame, model=name), score)] for name in names for score in SCORES]
    about = frame[frame["metric"] == "accuracy"].iloc[0]
    seeds = frame["seed"].nunique()
    above = (
        f"Grid `{GRID}`, protocol `{about['protocol']}`, {seeds} seeds, {about['n']} generated test faces; "
        "mean ± sample deviation over the seeds; differences paired by seed, intervals over other trainings."
    )
    aligned = ("left", "left", *["right"] * (len(HEAD) - 2))
    return f"{above}\n\n{tabulate(rows, HEAD, 'github', colalign=aligned, disable_numparse=True)}"


def update(text: str, made: str) -> str:
    """Put a table between the two marks of a page; InputError where it has not one of each, in this order."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"README.md: expected the lines {BEGIN!r} and {END!r}, in this order")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def made(root: Path) -> str:
    """The table of the results that lie below a folder, the root of the repository."""
    path = root / "results" / GRID / "metrics.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; `make repro` with the grid {GRID} writes it")
    return block(pd.read_csv(path, keep_default_na=False), read_yaml(root / "params.yaml")["models"])


def _line(frame: pd.DataFrame, score: Score) -> Iterator[str]:
    """Cells after the model's name."""
    rows = select(frame, subset="all", **dict(score.where))
    before, after = (_value(select(rows, guidance=arm, metric=score.metric), frame, score) for arm in ARMS)
    yield score.word + (" †" if after.optimised else "")
    yield _chance(frame, score).text()
    yield before.text()
    yield after.text().removesuffix("†")
    yield gain(after, before).text().removesuffix("†")
    ceiling = _reference(frame, score, "ceiling")
    yield ceiling.text() if ceiling.n else ""


def _value(rows: pd.DataFrame, frame: pd.DataFrame, score: Score) -> Value:
    rows = select(rows, pairing=("", "true_true"))
    if rows["seed"].duplicated().any():
        raise ValueError(f"several rows per seed:\n{rows.to_string()}")
    by_seed = dict(zip(rows["seed"], rows["value"].astype(float), strict=True))
    optimised = rows["optimised"].astype(str).eq("True").any()
    return Value(by_seed, frame["seed"].nunique(), score.digits, optimised=bool(optimised))


def _chance(frame: pd.DataFrame, score: Score) -> Value:
    """Of a cosine its chance level; of an accuracy the share of the largest class."""
    if score.chance:
        return _reference(frame, score, score.chance)
    recalls = frame[frame["metric"].str.startswith("recall_")].drop_duplicates("metric")["n"].astype(int)
    return constant(100 * recalls.max() / recalls.sum(), score.digits)


def _reference(frame: pd.DataFrame, score: Score, suffix: str) -> Value:
    """A level that stands beside a score; mean over the guided cells' seeds, which have the same images."""
    where = dict(score.where) | {"metric": f"{score.metric}_{suffix}", "guidance": ARMS[-1]}
    for optional in ("layer", "explainer"):  # levels of an image alone have neither
        if optional in where:
            where[optional] = (where[optional], "")
    rows = select(frame, **where)
    by_seed = dict(zip(rows["seed"], rows["value"].astype(float), strict=True))
    return Value(by_seed, len(by_seed), score.digits, reference=True)


if __name__ == "__main__":
    page = Path("README.md")
    page.write_text(update(page.read_text(encoding="utf-8"), made(Path())), encoding="utf-8")
