"""The certificate of a grid: what was compared, what came out, on what machine, and one line of verdict."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.verify.compare import KEYS, STATUSES, differences
from fer_bench.verify.lock import Stages

RESULTS = Path("results")
NAME = "certificate.json"
_SHOWN = 20


@dataclass(frozen=True)
class Certificate:
    """Outcome of one verification.

    mode: `rerun` (the commit's pipeline run again from nothing in a clone) or `check` (the files that lie here).
    cells: the cells compared, `all` for the whole grid. scores: number of scores per status. largest: the greatest
    differences. outdated: stages whose files here are not what settings and code would make (mode `check`).
    """

    grid: str
    mode: str
    commit: str
    cells: list[str] | str
    tolerance: float
    scores: dict[str, int]
    largest: list[dict[str, Any]]
    stages: Stages
    outdated: list[str]
    environment: dict[str, str]
    environment_differences: list[str]

    @property
    def holds(self) -> bool:
        """Whether every committed score came out again within the tolerance, from files that are up to date."""
        wrong = sum(self.scores[status] for status in ("beyond", "new", "gone"))
        return wrong == 0 and not self.outdated and sum(self.scores.values()) > 0

    @property
    def verdict(self) -> str:
        """One line: what was done and what came out."""
        counts = self.scores
        told = [f"{counts['identical']:,} of {sum(counts.values()):,} scores identical"]
        told += [f"{counts['within']:,} within {self.tolerance:g} points"] if counts["within"] else []
        told += [f"{counts['beyond']:,} further away"] if counts["beyond"] else []
        told += [f"{counts[status]:,} {status}" for status in ("new", "gone") if counts[status]]
        told += [f"{len(self.outdated)} stages out of date"] if self.outdated else []
        done = {"rerun": "run again from nothing", "check": "files here"}[self.mode]
        part = "" if self.cells == "all" else f", {len(self.cells)} cells"
        state = "REPRODUCED" if self.holds else "NOT REPRODUCED"
        return f"{state}: {self.grid} at {self.commit[:10]}{part}, {done}: {', '.join(told)}"

    def write(self, root: Path = Path()) -> Path:
        """Write results/GRID/certificate.json and return its path."""
        path = root / RESULTS / self.grid / NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"verdict": self.verdict, **asdict(self)}
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return path


def counts(found: pd.DataFrame) -> dict[str, int]:
    """Number of scores per status, every status named."""
    return {status: int((found["status"] == status).sum()) for status in STATUSES}


def largest(found: pd.DataFrame) -> list[dict[str, Any]]:
    """The greatest differences as plain records, without the keys that are empty."""
    return [_record(row) for row in differences(found).head(_SHOWN).to_dict("records")]


def _record(row: Mapping[Any, Any]) -> dict[str, Any]:
    numbers = {name: None if pd.isna(row[name]) else float(row[name]) for name in ("committed", "here", "difference")}
    return {**{key: row[key] for key in KEYS if row[key] != ""}, **numbers, "status": row["status"]}


def environment_of(text: str | None) -> dict[str, Any]:
    """Surroundings that a committed certificate names; nothing without one."""
    return dict(json.loads(text).get("environment", {})) if text else {}


def listed(lines: Sequence[str]) -> str:
    """Lines as an indented list for the screen."""
    return "\n".join(f"  {line}" for line in lines)
