"""A tuning of both arms: the trials of each, their validation scores, and the one that these choose."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from fer_bench.errors import InputError
from fer_bench.report import ablations, labels
from fer_bench.report.collect import Document
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.value import Value

# What a cell says of its selection rule -> column of its history. A last epoch is kept unseen, and judged by accuracy.
SCORES = {
    "best accuracy on the val split": "val_accuracy",
    "best macro f1 on the val split": "val_macro_f1",
    "last epoch": "val_accuracy",
}
PRECISION = 1e-4  # points; histories hold six digits, so closer means over the seeds are equal


@dataclass(frozen=True)
class Trial:
    """One setting of an arm: a model and a guidance, in words, with the validation score of each seed's checkpoint."""

    model: str
    guidance: str
    setting: str
    validation: Value


@dataclass(frozen=True)
class Arm:
    """Trials that compete with each other; fixed: the one that was meant before any was trained."""

    word: str
    guidance: str
    trials: tuple[Trial, ...]
    fixed: Trial

    @cached_property
    def chosen(self) -> Trial | None:
        """The trial with the highest mean validation score; of equal ones the first; None while a seed is missing."""
        if any(trial.validation.n < trial.validation.expected for trial in self.trials):
            return None
        best = max(trial.validation.mean for trial in self.trials)
        return next(trial for trial in self.trials if trial.validation.mean >= best - PRECISION)


@cache
def arms(results: Results, pair: Pair, base: str) -> tuple[Arm, ...]:
    """Arms of a model that has trials, the one without guidance first; guidances that differ in λ alone are one arm.

    Raises:
        InputError: the choice would be made on the test split, or a cell has no validation score.
    """
    if results.plan["protocol"] != "clean":
        raise InputError(
            f"grid {results.grid}: protocol {results.plan['protocol']} chooses on the test split; trials need `clean`"
        )
    models = [base, *(name for name, of in results.trials.items() if of == base)]
    planned = {(cell["model"], cell["guidance"]) for cell in results.plan["cells"] if cell["dataset"] == pair.dataset}
    families = [[(m, g) for m in models for g in names if (m, g) in planned] for names in _families(results)]
    return tuple(_arm(results, pair, base, members) for members in families if members)


def tuned_models(results: Results) -> list[str]:
    """Models of the grid that have trials."""
    return [name for name in results.models if name in results.trials.values()]


def _families(results: Results) -> list[list[str]]:
    """Guidances that differ in the weight λ alone, in the order of the grid."""
    families: dict[str, list[str]] = {}
    for name in results.all_guidances:
        settings = {"plugin": name, **results.plan["guidance"].get(name, {})}
        families.setdefault(ablations.others(settings, "weight"), []).append(name)
    return list(families.values())


def _arm(results: Results, pair: Pair, base: str, members: list[tuple[str, str]]) -> Arm:
    several = len({model for model, _ in members}) > 1
    found = {member: _trial(results, pair, *member, several) for member in members}
    shown = ablations.representative([guidance for _, guidance in members], results.all_guidances)
    trials = tuple(found.values())
    return Arm(results.guidance_label(shown), shown, trials, found.get((base, shown), trials[0]))


def _trial(results: Results, pair: Pair, model: str, guidance: str, several: bool) -> Trial:
    scores = {document.entry["seed"]: _score(document) for document in results.found(pair, model, guidance)}
    setting = ", ".join(_words(results, pair, model, guidance, several))
    return Trial(model, guidance, setting, Value(scores, len(results.seeds), digits=2))


def _words(results: Results, pair: Pair, model: str, guidance: str, several: bool) -> Iterator[str]:
    """What tells a trial from the others of its arm."""
    weight = results.plan["guidance"].get(guidance, {}).get("weight")
    if guidance != BASELINE and weight is not None:
        yield f"λ = {weight:g}"
    recipe = results.plan["models"][model].get("recipe", {}).get(pair.dataset, {})
    if several:
        yield from (f"{labels.spaced(key)} {_number(value)}" for key, value in recipe.items())
    elif weight is None or guidance == BASELINE:
        yield "one recipe"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _score(document: Document) -> float:
    """Validation score of the epoch whose weights were kept."""
    cell, rule = document.entry["cell"], str(document.facts.get("selection", ""))
    if rule not in SCORES:
        raise InputError(f"{cell}: selection rule {rule!r} names no validation score; trials need {', '.join(SCORES)}")
    path = document.files.get("history.csv")
    if path is None:
        raise InputError(
            f"{cell}: its scores name no history.csv, which trials are chosen by; run `dvc repro evaluate`"
        )
    return _kept(path, SCORES[rule], cell)


def _kept(path: Path, column: str, cell: str) -> float:
    history = pd.read_csv(path)
    absent = sorted({"best", column} - set(history))
    if absent:
        raise InputError(f"{cell}: history.csv has no column {absent[0]!r}; run `dvc repro train`")
    kept = history.loc[history["best"] == 1, column]
    if len(kept) != 1 or kept.isna().any():
        raise InputError(
            f"{cell}: history.csv marks {len(kept)} epochs with a {column} as kept, expected one; run `dvc repro train`"
        )
    return float(kept.iloc[0])
