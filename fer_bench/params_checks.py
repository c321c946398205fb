"""Names that sections of params.yaml borrow from each other, and overrides, which must be valid where they are used."""

from collections.abc import Mapping
from typing import Any

from fer_bench import registry
from fer_bench.errors import InputError, unknown
from fer_bench.grid_settings import RESERVED_GRIDS
from fer_bench.sections import merge
from fer_bench.train_settings import TrainSettings
from fer_bench.validation import validate


def check_grid(params: Any) -> None:
    """Every name in the grid must be an entry of its section, and every training dataset must be a test dataset too."""
    grid, where = params.grid, f"{params.source}: grid"
    if grid.name.split("/")[0] in RESERVED_GRIDS:
        raise InputError(f"{where}.name: {grid.name!r} is a folder of results; any other name works")
    for key, section in (("datasets", "datasets"), ("models", "models"), ("guidance", "guidance")):
        _check_names(getattr(grid, key), getattr(params, section), f"{where}.{key}", section)
    _check_names(grid.test_datasets, params.datasets, f"{where}.test_datasets", "datasets")
    for key in ("models", "guidance"):
        for number, block in enumerate(grid.blocks):
            _check_names(
                getattr(block, key), dict.fromkeys(getattr(grid, key)), f"{where}.blocks.{number}.{key}", "grid"
            )
    if len(set(grid.seeds)) < len(grid.seeds):
        raise InputError(f"{where}.seeds: given {grid.seeds}; each seed may stand there once")
    untested = [name for name in grid.datasets if name not in grid.test_datasets]
    if untested:
        raise InputError(f"{where}.test_datasets: {untested[0]!r} is trained on, so it must be listed here too")
    _check_expressions(params, where)


def _check_expressions(params: Any, where: str) -> None:
    """A network answers with the expressions that it was trained on, so every dataset of a grid has as many."""
    counts = {name: getattr(params.datasets[name], "expressions", 7) for name in params.grid.test_datasets}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise InputError(f"{where}.test_datasets: {listed} expressions; all datasets of a grid need the same number")


def _check_names(given: list[str], entries: Mapping[str, Any], where: str, section: str) -> None:
    for name in given:
        if name not in entries:
            raise unknown(f"entry of the section `{section}`", name, where, entries)
    if len(set(given)) < len(given):
        raise InputError(f"{where}: given {given}; each name may stand there once")


def check_references(params: Any) -> None:
    """Names inside sections: landmark backends of datasets, explainers, map variants, overrides of `train`."""
    for name, dataset in params.datasets.items():
        if dataset.landmarks not in params.landmarks:
            raise unknown(
                "landmark backend", dataset.landmarks, f"{params.source}: datasets.{name}.landmarks", params.landmarks
            )
    for kind in ("explainers", "metrics", "probes"):
        _check_known(kind, getattr(params.evaluate, kind), f"{params.source}: evaluate.{kind}")
    for name, described in params.models.items():
        _check_known("explainers", described.explainers or [], f"{params.source}: models.{name}.explainers")
        _check_cells(params, name)
    for kind in ("datasets", "models"):
        for name, section in params.raw[kind].items():
            overrides = (section or {}).get("train") or {}
            validate(TrainSettings, merge([params.raw["train"], overrides]), f"{params.source}: {kind}.{name}.train")
    validate(TrainSettings, merge([params.raw["train"], params.grid.train]), f"{params.source}: grid.train")
    _check_names(list(params.hygiene.datasets), params.datasets, f"{params.source}: hygiene.datasets", "datasets")
    for name in params.hygiene.datasets:
        params.hygiene_of(name)
    for guidance in params.guidance:
        for model in params.models:
            params.guidance_of(guidance, model)


def _check_known(kind: str, names: list[str], where: str) -> None:
    for name in names:
        if name not in registry.names(kind):
            raise unknown(kind[:-1], name, where, registry.names(kind))


def _check_cells(params: Any, model: str) -> None:
    """The keys of a model's `cells` must be datasets and guidances."""
    where = f"{params.source}: models.{model}.cells"
    for dataset, arms in params.models[model].cells.items():
        _check_names([dataset], params.datasets, where, "datasets")
        _check_names(list(arms), params.guidance, f"{where}.{dataset}", "guidance")
        for guidance in arms:
            params.guidance_of(guidance, model, dataset)
