"""What the findings mean: a warning, or a stop, by the switches of params.yaml."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.hygiene.findings import Findings

logger = logging.getLogger(__name__)
_SHOWN = 3  # examples in a message; the list has them all
FAIL = "fail"


def judge(findings: Findings, dataset: str, settings: Mapping[str, Any], folder: Path) -> None:
    """Warn of every problem, and stop at those whose switch says so.

    Args:
        findings: of the dataset.
        dataset: its name.
        settings: a plan file's `hygiene`: protocol, leaks, near, conflicts, landmark_failures.
        folder: where the lists lie, for the messages.

    Raises:
        InputError: one line with every problem that stops: images, list and switch.
    """
    stops = []
    for switch, problem in _problems(findings, settings, folder):
        if switch == FAIL:
            stops.append(problem)
        else:
            logger.warning("dataset %s: %s", dataset, problem)
    if stops:
        raise InputError(f"dataset {dataset}: {'; '.join(stops)}")


def _problems(findings: Findings, settings: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Every problem: its switch and what to say."""
    leaks, switch = settings["leaks"], f"hygiene.leaks.{settings['protocol']}"
    kinds = [
        ("identical", "leak", "are one file in several splits", leaks, switch),
        ("shared_subjects", None, "show subjects that are in several splits", leaks, switch),
        ("near_identical", "leak", "look alike in several splits", settings["near"], "hygiene.near"),
        ("identical", "conflict", "are one file with several labels", settings["conflicts"], "hygiene.conflicts"),
    ]
    for name, mark, words, chosen, key in kinds:
        rows = findings.lists[name]
        rows = rows if mark is None else rows[rows[mark]]
        if len(rows):
            told = f"{len(rows)} images {words}: {_examples(rows)}; list: {folder / f'{name}.csv'}"
            way = f"; leave some out, or set {key}: warn" if chosen == FAIL else f" ({key}: warn)"
            yield chosen, told + way
    yield from _landmarks(findings, settings["landmark_failures"], folder)


def _examples(rows: pd.DataFrame) -> str:
    shown = [f"{row.path} ({row.split}, {row.label})" for row in rows.head(_SHOWN).itertuples()]
    return ", ".join(shown) + (", ..." if len(rows) > _SHOWN else "")


def _landmarks(findings: Findings, limit: float, folder: Path) -> Iterator[tuple[str, str]]:
    """Classes whose faces are found too seldom: what is left of them is no fair sample."""
    above = [
        f"{name} {100 * lost / images:.1f} % ({lost} of {images})"
        for name, (lost, images) in _failures(findings).items()
        if lost > limit * images
    ]
    if above:
        yield (
            FAIL,
            f"faces without landmarks: {', '.join(above)}, more than {100 * limit:g} % of a class; list: "
            f"{folder / 'without_landmarks.csv'}; look at them, choose another landmark backend, "
            "or raise hygiene.landmark_failures",
        )


def _failures(findings: Findings) -> dict[str, tuple[int, int]]:
    """Expression -> images without landmarks, images; over all splits."""
    found: dict[str, tuple[int, int]] = {}
    for facts in findings.facts.values():
        for name, images in facts["classes"].items():
            lost, before = found.get(name, (0, 0))
            found[name] = lost + facts["no_landmarks"][name], before + images
    return found
