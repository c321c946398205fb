"""Everything that tables and figures of one grid are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.report import collect as _collect
from fer_bench.report import hygiene as _hygiene
from fer_bench.report import labels
from fer_bench.report.ablations import Ablation, ablations, left_out
from fer_bench.report.collect import OK, SCORE, Document
from fer_bench.report.hygiene import Hygiene
from fer_bench.report.value import Value

BASELINE = "none"  # the guidance that every other one is compared with
SUBJECT = "au"  # the plug-in whose effect the others, its controls, explain
PAIRS = 6  # of datasets that have figures of their own
COLOURS = 6  # trainings that can be told apart in one figure by their colour


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


@dataclass(frozen=True, eq=False)
class Results:
    """The plan of a grid, its tidy table, the documents behind it, and the folder that they lie in."""

    plan: dict[str, Any]
    documents: tuple[Document, ...]
    frame: pd.DataFrame
    fingerprint: str
    root: Path = Path()
    hygiene: Mapping[str, Hygiene] = field(default_factory=dict)  # test dataset -> what was found in it

    @property
    def grid(self) -> str:
        """Name of the grid."""
        return str(self.plan["name"])

    @cached_property
    def pairs(self) -> list[Pair]:
        """Training and test datasets, those that are tested where they were trained first."""
        pairs = [Pair(name, test) for name in self.unique("dataset") for test in self.plan["test_datasets"]]
        return sorted(pairs, key=lambda pair: pair.dataset != pair.test_dataset)

    @property
    def drawn_pairs(self) -> list[Pair]:
        """Pairs that figures show: of very many, those that are tested where they were trained."""
        if len(self.pairs) <= PAIRS:
            return self.pairs
        return [pair for pair in self.pairs if pair.dataset == pair.test_dataset]

    @property
    def all_guidances(self) -> list[str]:
        """Guidances in the order of the plan, the baseline first."""
        return sorted(self.unique("guidance"), key=lambda name: name != BASELINE)

    @cached_property
    def ablations(self) -> list[Ablation]:
        """Guidances that differ in one setting alone."""
        return ablations(self.plan["guidance"], self.all_guidances)

    @cached_property
    def trials(self) -> dict[str, str]:
        """Models that are another recipe for a model of the grid: name -> that model."""
        given = {name: str(self.plan["models"].get(name, {}).get("trial_of") or "") for name in self.unique("model")}
        return {name: base for name, base in given.items() if base}

    @property
    def models(self) -> list[str]:
        """Models of the main tables and figures: all but trials, which have a table of their own."""
        return [name for name in self.unique("model") if name not in self.trials]

    @cached_property
    def guidances(self) -> list[str]:
        """Guidances of the main tables and figures: all but those that an ablation's own table shows."""
        elsewhere = left_out(self.ablations, self.all_guidances)
        return [name for name in self.all_guidances if name not in elsewhere]

    @property
    def leading_guidances(self) -> list[str]:
        """Guidances of figures that tell trainings apart by colour: where there are too many, controls are left out."""
        if len(self.guidances) <= COLOURS:
            return self.guidances
        plugins = {name: self.plan["guidance"].get(name, {}).get("plugin", name) for name in self.guidances}
        return [name for name in self.guidances if plugins[name] in (BASELINE, SUBJECT)][:COLOURS]

    @property
    def seeds(self) -> list[int]:
        """Seeds the grid asks for."""
        return self.unique("seed")

    @property
    def target(self) -> str:
        """The map that the main tables score against."""
        return str(self.plan.get("tables", {}).get("target", "paper"))

    @property
    def chosen_explainers(self) -> list[str]:
        """Explainers that params.yaml asks tables for; empty when it leaves the choice to us."""
        return list(self.plan.get("tables", {}).get("explainers") or [])

    @cached_property
    def explainers(self) -> list[str]:
        """Explainers that were scored, in the order that the plan gives them."""
        found = sorted(set(self.frame["explainer"]) - {""})
        wanted = self.chosen_explainers
        order = wanted or self.plan.get("evaluate", {}).get("explainers") or found
        return [name for name in order if name in found] + ([] if wanted else [n for n in found if n not in order])

    @cached_property
    def layers(self) -> list[str]:
        """Layers whose attention was scored, the last one last."""
        return sorted(set(self.frame["layer"]) - {""})

    @cached_property
    def _by_model(self) -> dict[tuple[Pair, str], pd.DataFrame]:
        models = self.unique("model")
        return {(pair, name): select(self.of_pair(pair), model=name) for pair in self.pairs for name in models}

    def unique(self, key: str) -> list[Any]:
        """Distinct values of a field of the plan's cells, in order."""
        return list(dict.fromkeys(entry[key] for entry in self.plan["cells"]))

    def method(self, model: str) -> str:
        """Plug-in that a model is trained with."""
        return str(self._of_model(model)["method"])

    def backbone(self, model: str) -> str:
        """Backbone of a model as timm names it."""
        return str(self._of_model(model)["backbone"])

    def own_explainers(self, model: str) -> list[str] | None:
        """Explainers that a model asks for itself; None when it takes those of the grid."""
        chosen = self.plan["models"].get(model, {}).get("explainers")
        return None if chosen is None else list(chosen)

    def cell(self, dataset: str, model: str, guidance: str) -> dict[str, Any]:
        """What the plan says of a cell, whatever its seed."""
        wanted = {"dataset": dataset, "model": model, "guidance": guidance}
        return next(entry for entry in self.plan["cells"] if all(entry[key] == wanted[key] for key in wanted))

    def guidance_settings(self, dataset: str, model: str, guidance: str) -> dict[str, Any]:
        """Settings of a cell's guidance: the grid's, and what this cell has otherwise."""
        given = {"plugin": guidance, **self.plan["guidance"].get(guidance, {})}
        return given | self.cell(dataset, model, guidance)["guided_otherwise"]

    def _of_model(self, model: str) -> dict[str, Any]:
        return next(entry for entry in self.plan["cells"] if entry["model"] == model)

    def model_label(self, name: str) -> str:
        """Word for a model."""
        return labels.of(self.plan["models"], name)

    def guidance_label(self, name: str) -> str:
        """Word for a guidance: its label if it alone has it, of the main tables if it stands there; else its name."""
        own = self._given_label(name)
        rivals = self.guidances if name in self.guidances else self.all_guidances
        unique = all(self._given_label(other) != own for other in rivals if other != name)
        return labels.guidance(name, own if unique else "")

    def _given_label(self, name: str) -> str:
        return str(self.plan["guidance"].get(name, {}).get("label") or "")

    def plugin(self, dataset: str) -> str:
        """Plug-in that reads a dataset; an entry that names none bears the plug-in's name."""
        return str(self.plan["datasets"].get(dataset, {}).get("plugin") or dataset)

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
        return self._by_pair[pair]

    def of_model(self, pair: Pair, model: str) -> pd.DataFrame:
        """Rows of the tidy table that hold scores of a model on a pair."""
        return self._by_model[pair, model]

    @cached_property
    def _by_pair(self) -> dict[Pair, pd.DataFrame]:
        """Every table asks for these again and again, row by row."""
        kept = ["model", "guidance", "seed", *SCORE, "optimised"]
        texts = {name: "category" for name in kept if self.frame[name].dtype == "str"}  # compared by number
        frame = select(self.frame, status=OK)
        return {
            pair: select(frame, dataset=pair.dataset, test_dataset=pair.test_dataset)[kept].astype(texts)
            for pair in self.pairs
        }

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
    frame, fingerprint = _collect.frame(plan, read), _collect.fingerprint(plan, read)
    return Results(plan, tuple(read), frame, fingerprint, root, _hygiene.read(plan, root))


def select(frame: pd.DataFrame, **equal: Any) -> pd.DataFrame:
    """Rows whose columns have the given values; a list or tuple means any of them."""
    chosen = np.ones(len(frame), dtype=bool)
    for column, wanted in equal.items():
        several = isinstance(wanted, Sequence) and not isinstance(wanted, str)
        chosen &= (frame[column].isin(list(wanted)) if several else frame[column] == wanted).to_numpy(dtype=bool)
    return frame[chosen]


def cosine_rows(frame: pd.DataFrame, metric: str, **equal: Any) -> pd.DataFrame:
    """Rows of a map score over the macro average, or over the only average that was written."""
    rows = select(frame, metric=metric, **equal)
    macro = rows[rows["average"] == "macro"]
    return macro if len(macro) else rows
