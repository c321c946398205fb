"""A tuning of both arms: the trials of each, their validation scores, and the one that these choose."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from fer_bench.errors import InputError
from fer_bench.report import ablations, labels, validation_scores
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.value import Value


@dataclass(frozen=True, eq=False)
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
        return validation_scores.best({trial: trial.validation for trial in self.trials})


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
    setting = ", ".join(_words(results, pair, model, guidance, several))
    return Trial(model, guidance, setting, validation_scores.over_seeds(results, pair, model, guidance))


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
