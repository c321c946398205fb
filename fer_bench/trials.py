"""Trials: models that are other recipes for a model of the same grid, and what makes a comparison of them fair."""

from collections.abc import Mapping
from typing import Any

from fer_bench.errors import InputError, unknown
from fer_bench.sections import merge

OWN = ("label", "trial_of", "train")  # what the section of a trial may hold; everything else is its model's


def inherit(models: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Complete the section `models`: a trial is its model's section with keys of `train` (and the label) replaced.

    Raises:
        InputError: a trial names no model, another trial, or keys that would make it another network.
    """
    return {name: _inherited(models, name, source) for name in models}


def _inherited(models: Mapping[str, Any], name: str, source: str) -> Any:
    own, where = models[name], f"{source}: models.{name}"
    if not isinstance(own, Mapping) or not own.get("trial_of"):
        return own
    base = own["trial_of"]
    if base not in models:
        raise unknown("model", str(base), f"{where}.trial_of", models)
    section = models[base] or {}
    if section.get("trial_of"):
        raise InputError(f"{where}.trial_of: {base!r} is a trial itself; name its model, {section['trial_of']!r}")
    foreign = sorted(set(own) - set(OWN))
    if foreign:
        raise InputError(f"{where}.{foreign[0]}: a trial has this from {base!r}; it may hold {', '.join(OWN)} alone")
    return {**section, **own, "train": merge([section.get("train") or {}, own.get("train") or {}])}


def check(params: Any) -> None:
    """Hold the trials of the active grid against their model and each other.

    Raises:
        InputError: the choice among them would not be a fair one.
    """
    for name in params.grid.models:
        if params.models[name].trial_of:
            _check_in_grid(params, name, params.models[name].trial_of)


def recipe(params: Any, dataset: str, name: str) -> dict[str, Any]:
    """Settings of `train` in which the recipes for one network differ within the grid, as this model has them.

    Nested keys are joined by dots. Empty for a model without trials in the grid.
    """
    base = params.models[name].trial_of or name
    family = [base, *(other for other in params.grid.models if params.models[other].trial_of == base)]
    recipes = [_flat(params.train_of(dataset, member).model_dump(mode="json")) for member in family]
    own = _flat(params.train_of(dataset, name).model_dump(mode="json"))
    return {key: value for key, value in own.items() if any(other[key] != value for other in recipes)}


def _check_in_grid(params: Any, name: str, base: str) -> None:
    """The choice is made on validation images, among recipes that differ, by one and the same score."""
    where = f"{params.source}: grid"
    if params.grid.protocol != "clean":
        raise InputError(
            f"{where}.protocol: {params.grid.protocol!r} would choose among trials ({name!r} is one) on the test "
            "split; `clean` chooses on validation images"
        )
    if base not in params.grid.models:
        raise InputError(f"{where}.models: {name!r} is a trial of {base!r}, which must be listed too")
    for dataset in params.grid.datasets:
        _check_recipe(params, dataset, name, base)


def _check_recipe(params: Any, dataset: str, name: str, base: str) -> None:
    where = f"{params.source}: grid.models"
    own = params.train_of(dataset, name)
    if own.selection != params.train_of(dataset, base).selection:
        raise InputError(f"{where}: {name!r} has another train.selection than {base!r}; one score compares all trials")
    for other in params.grid.models[: params.grid.models.index(name)]:
        if base in (other, params.models[other].trial_of) and params.train_of(dataset, other) == own:
            raise InputError(
                f"{where}: {name!r} is trained on {dataset!r} exactly like {other!r}, so it is no trial of its own; "
                "does the grid's own `train` override what the trial changes?"
            )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
