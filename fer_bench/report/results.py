"""Everything that tables and figures of one grid are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.report import collect as _collect
from fer_bench.report import labels
from fer_bench.report.collect import OK, Document
from fer_bench.report.value import Value

BASELINE = "none"  # the guidance that every other one is compared with


@dataclass(frozen=True)
class Pair:
    """A training dataset and the test dataset on which its cells are scored."""

    dataset: str
    test_dataset: str

    @property
    def name(self) -> str:
        """For file names."""
        same = self.dataset == self.test_dataset
        return self.dataset if same else f"{self.dataset}-on-{self.test_dataset}"


@dataclass(frozen=True)
class Results:
    """The plan of a grid, its tidy table, and the documents behind it."""

    plan: dict[str, Any]
    documents: tuple[Document, ...]
    frame: pd.DataFrame
    fingerprint: str

    @property
    def grid(self) -> str:
        """Name of the grid."""
        return str(self.plan["name"])

    @property
    def pairs(self) -> list[Pair]:
        """Training and test datasets, those that are tested where they were trained first."""
        pairs = [Pair(name, test) for name in self.unique("dataset") for test in self.plan["test_datasets"]]
        return sorted(pairs, key=lambda pair: pair.dataset != pair.test_dataset)

    @property
    def guidances(self) -> list[str]:
        """Guidances in the order of the plan, the baseline first."""
        return sorted(self.unique("guidance"), key=lambda name: name != BASELINE)

    @property
    def seeds(self) -> list[int]:
        """Seeds the grid asks for."""
        return self.unique("seed")

    @property
    def target(self) -> str:
        """The map that the main tables score against."""
        return str(self.plan.get("tables", {}).get("target", "paper"))

    @property
    def explainers(self) -> list[str]:
        """Explainers that were scored, in the order that the plan gives them."""
        found = sorted(set(self.frame["explainer"]) - {""})
        wanted = self.plan.get("tables", {}).get("explainers") or []
        order = wanted or self.plan.get("evaluate", {}).get("explainers") or found
        return [name for name in order if name in found] + ([] if wanted else [n for n in found if n not in order])

    @property
    def layers(self) -> list[str]:
        """Layers whose attention was scored, the last one last."""
        return sorted(set(self.frame["layer"]) - {""})

    def unique(self, key: str) -> list[Any]:
        """Distinct values of a field of the plan's cells, in order."""
        return list(dict.fromkeys(entry[key] for entry in self.plan["cells"]))

    def model_label(self, name: str) -> str:
        """Word for a model."""
        return labels.of(self.plan["models"], name)

    def dataset_label(self, name: str) -> str:
        """Word for a dataset."""
        return labels.of(self.plan["datasets"], name)

    def pair_label(self, pair: Pair) -> str:
        """Word for a pair: one name, or training → test."""
        if pair.dataset == pair.test_dataset:
            return self.dataset_label(pair.dataset)
        return f"{self.dataset_label(pair.dataset)} → {self.dataset_label(pair.test_dataset)}"

    def expressions(self, dataset: str) -> list[str]:
        """Expressions of a dataset in the order of their ids."""
        return list(self.plan["datasets"][dataset]["expressions"])

    def of_pair(self, pair: Pair) -> pd.DataFrame:
        """Rows of the tidy table that hold scores of a pair."""
        return select(self.frame, dataset=pair.dataset, test_dataset=pair.test_dataset, status=OK)

    def found(self, pair: Pair, model: str, guidance: str) -> list[Document]:
        """Documents with scores of a model and a guidance, one per seed, in the order of the plan."""
        wanted = (pair.dataset, model, guidance)
        return [
            document
            for document in self.documents
            if document.status == OK
            and document.test_dataset == pair.test_dataset
            and tuple(document.entry[key] for key in ("dataset", "model", "guidance")) == wanted
        ]

    def value(self, rows: pd.DataFrame, digits: int = 3, reference: bool = False) -> Value:
        """Make a printed number of rows that differ in the seed alone; undefined values count as missing."""
        rows = rows[rows["value"].notna()]
        if rows["seed"].duplicated().any():
            raise ValueError(f"several rows per seed:\n{rows.to_string()}")
        by_seed = dict(sorted(zip(rows["seed"].tolist(), rows["value"].tolist(), strict=True)))
        optimised = bool(rows["optimised"].any()) and not reference
        lower = bool((rows["direction"] == "lower").any())
        return Value(by_seed, len(self.seeds), digits, False, optimised, reference, lower_is_better=lower)


def load(plan: dict[str, Any], root: Path) -> Results:
    """Read the results of a plan's cells below `root`; errors as in `collect`."""
    read = _collect.documents(plan, root)
    return Results(plan, tuple(read), _collect.frame(plan, read), _collect.fingerprint(plan, read))


def select(frame: pd.DataFrame, **equal: Any) -> pd.DataFrame:
    """Rows whose columns have the given values; a list or tuple means any of them."""
    for column, wanted in equal.items():
        several = isinstance(wanted, Sequence) and not isinstance(wanted, str)
        frame = frame[frame[column].isin(list(wanted)) if several else frame[column] == wanted]
    return frame


def cosine_rows(frame: pd.DataFrame, metric: str, **equal: Any) -> pd.DataFrame:
    """Rows of a map score over the macro average, or over the only average that was written."""
    rows = select(frame, metric=metric, **equal)
    macro = rows[rows["average"] == "macro"]
    return macro if len(macro) else rows
