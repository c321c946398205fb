"""Result table of README.md and levels of docs/tables.md, as Markdown, from the tidy table of a grid."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tabulate import tabulate

from fer_bench.report import labels
from fer_bench.report.gain import gain
from fer_bench.report.results import select
from fer_bench.report.value import Value, constant

GRID = "default"
ARMS = ("none", "au")
HEAD = ["model", "score", "chance", "without AU", "with AU", "difference [95 %]", "ceiling"]


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


def scores(frame: pd.DataFrame, models: dict[str, Any]) -> str:
    """The result table, and the line above it, as Markdown.

    frame: metrics.csv, read with `keep_default_na=False`. models: the section of params.yaml, for labels.
    """
    frame = select(frame, status="ok")
    names = list(dict.fromkeys(frame["model"]))
    rows = [[name, *_line(select(frame, model=name), score)] for name in names for score in SCORES]
    for number, row in enumerate(rows):  # a model is named once
        row[0] = "" if number % len(SCORES) else labels.of(models, row[0])
    about = frame[frame["metric"] == "accuracy"].iloc[0]
    seeds = frame["seed"].nunique()
    above = (
        f"Grid `{GRID}`, protocol `{about['protocol']}`, {seeds} seeds, {about['n']} generated test faces; "
        "mean ± sample deviation over the seeds; differences paired by seed, intervals over other trainings."
    )
    return f"{above}\n\n{markdown(rows, HEAD, texts=2)}"


def levels(frame: pd.DataFrame, models: dict[str, Any]) -> str:
    """What scores how much against the `paper` map without being a network: arguments as above, the first model's."""
    first = frame["model"].iloc[0]
    frame = select(frame, status="ok", model=first)
    attention, activation = (score for score in SCORES if dict(score.where).get("target") == "paper")
    rows = []
    for suffix, word in labels.REFERENCES.items():
        cells = [_reference(frame, score, suffix) for score in (attention, activation)]
        if any(cell.n for cell in cells):
            rows.append([word, *(cell.text() if cell.n else "" for cell in cells)])
    rows += [
        [
            f"{labels.of(models, first)}, {labels.guidance(arm)}",
            *(_of(frame, score, arm) for score in (attention, activation)),
        ]
        for arm in ARMS
    ]
    return markdown(rows, ["what is scored", attention.word, activation.word], texts=1)


def markdown(rows: list[list[str]], head: list[str], texts: int) -> str:
    """A table; all columns but the first few hold numbers."""
    aligned = [*["left"] * texts, *["right"] * (len(head) - texts)]
    return str(tabulate(rows, head, "pipe", colalign=aligned, disable_numparse=True))


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


def _of(frame: pd.DataFrame, score: Score, arm: str) -> str:
    rows = select(frame, subset="all", guidance=arm, metric=score.metric, **dict(score.where))
    return _value(rows, frame, score).text()


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
    where: dict[str, Any] = {**dict(score.where), "metric": f"{score.metric}_{suffix}", "guidance": ARMS[-1]}
    for optional in ("layer", "explainer"):  # levels of an image alone have neither
        if optional in where:
            where[optional] = (where[optional], "")
    rows = select(frame, **where)
    by_seed = dict(zip(rows["seed"], rows["value"].astype(float), strict=True))
    return Value(by_seed, len(by_seed), score.digits, reference=True)
