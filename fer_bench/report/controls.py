"""Controls of a grid: guidances by other maps, each with the weight λ that validation chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fer_bench.report import labels, validation_scores
from fer_bench.report.ablations import others
from fer_bench.report.results import BASELINE, SUBJECT, Pair, Results

CHOOSING = "clean"  # the protocol whose validation images are not the test images


@dataclass(frozen=True, eq=False)
class Family:
    """Guidances that differ in λ alone.

    word: what is printed. knows: what the map says. weights: guidance -> λ, in the order of the grid. chosen: the
    guidance that stands for them; empty where a validation score is missing.
    """

    word: str
    plugin: str
    knows: str
    weights: Mapping[str, float]
    chosen: str

    @property
    def weight(self) -> str:
        """The chosen λ, and among which."""
        found = f"{self.weights[self.chosen]:g}" if self.chosen else "not chosen"
        listed = ", ".join(f"{value:g}" for value in sorted(self.weights.values()))
        return f"{found} of {listed}" if len(self.weights) > 1 else found


def has_controls(results: Results) -> bool:
    """Whether a grid holds the run without guidance and a control."""
    plugins = {_plugin(results, name) for name in results.all_guidances if _facts(results, name).get("knows")}
    return BASELINE in results.all_guidances and bool(plugins - {SUBJECT})


def is_subject(results: Results, *names: str) -> bool:
    """Whether guidances are `au` itself, or no control is known for them: a grid of another plug-in alone."""
    return not has_controls(results) or all(_plugin(results, name) == SUBJECT for name in names)


@cache
def families(results: Results, pair: Pair, model: str) -> list[Family]:
    """Group guidances of a model that have a map by everything but λ, in the order of the grid, and choose λ of each.

    Raises:
        InputError: a cell has no history to choose by.
    """
    groups: dict[str, list[str]] = {}
    asked = {entry["guidance"] for entry in results.plan["cells"] if entry["model"] == model}
    for name in results.all_guidances:
        if name in asked and _facts(results, name).get("knows"):
            groups.setdefault(others(_facts(results, name), "weight"), []).append(name)
    words = [_word(results, names) for names in groups.values()]
    return [
        Family(
            word if words.count(word) == 1 else results.guidance_label(names[0]),
            _plugin(results, names[0]),
            str(_facts(results, names[0])["knows"]),
            {name: float(_facts(results, name)["weight"]) for name in names},
            _choose(results, pair, model, names),
        )
        for word, names in zip(words, groups.values(), strict=True)
    ]


def subject(found: list[Family]) -> Family | None:
    """The family of `au`; None where the grid has none."""
    return next((family for family in found if family.plugin == SUBJECT), None)


def is_chosen_on_validation(results: Results) -> bool:
    """Whether the protocol has images to choose λ on that are not the test images."""
    return bool(results.plan["protocol"] == CHOOSING)


def _choose(results: Results, pair: Pair, model: str, names: list[str]) -> str:
    """The guidance with the highest mean over seeds of its kept epochs' validation scores; of equal ones the first."""
    if len(names) == 1 or not is_chosen_on_validation(results):
        return names[0]
    found = {name: validation_scores.over_seeds(results, pair, model, name) for name in names}
    return validation_scores.best(found) or ""


def _facts(results: Results, name: str) -> dict[str, Any]:
    return dict(results.plan["guidance"].get(name, {}))


def _plugin(results: Results, name: str) -> str:
    return str(_facts(results, name).get("plugin", name))


def _word(results: Results, names: list[str]) -> str:
    return labels.guidance(names[0], str(_facts(results, names[0]).get("label") or ""))
