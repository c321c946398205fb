"""params.yaml as one validated, frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from fer_bench import registry, trials
from fer_bench.errors import InputError, unknown
from fer_bench.evaluate_settings import EvaluateSettings
from fer_bench.hygiene_settings import HygieneSettings
from fer_bench.model_settings import ModelSettings
from fer_bench.sections import merge
from fer_bench.settings import Settings
from fer_bench.train_settings import RuntimeSettings, TrainSettings
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml

# A name ends up in stage names, folders and cell identities, where a dash separates and a dot means nesting to DVC.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
GridName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)?$")
]  # may lie in a folder
RESERVED_GRIDS = ("runs", "metrics", "hygiene", "provenance", "private")
SECTIONS = ("grid", "datasets", "landmarks", "heatmaps", "models", "guidance", "train", "evaluate")
OPTIONAL_SECTIONS = ("hygiene", "tables", "runtime")


class Block(Settings):
    """A part of the product of models and guidance."""

    models: list[Name] = Field(min_length=1)
    guidance: list[Name] = Field(min_length=1)


class Grid(Settings):
    """The cells of the active grid: the product of four lists, each scored on every test dataset."""

    name: GridName
    protocol: Literal["clean", "paper"] = "clean"
    datasets: list[Name] = Field(min_length=1)
    models: list[Name] = Field(min_length=1)
    guidance: list[Name] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    test_datasets: list[Name] = Field(min_length=1)
    blocks: list[Block] = []  # pairs of model and guidance that are meant; empty: all of them
    train: dict[str, Any] = {}  # overrides of the section `train` for this grid
    evaluate: dict[str, Any] = {}  # overrides of the section `evaluate` for this grid

    def has(self, model: str, guidance: str) -> bool:
        """Whether a model is meant to be trained with a guidance."""
        return not self.blocks or any(model in block.models and guidance in block.guidance for block in self.blocks)


class HeatmapSettings(Settings):
    """Which map variants are stored."""

    variants: list[str] = Field(["paper", "facs"], min_length=1)
    # Side of the image on which the regions of `paper` are drawn: they have radii in pixels, made for 224.
    paper_side: int | None = Field(224, ge=28)  # None: the stored image's own


class TableSettings(Settings):
    """Layout of tables and figures; nothing here changes a number."""

    explainers: list[str] = []  # rows of Table 1; empty: every explainer that was scored
    target: str = "paper"  # map variant of the main tables
    faces_per_expression: int = Field(1, ge=1)  # rows of the overlay figure


@dataclass(frozen=True)
class Params:
    """Every choice that a result depends on; sections of plug-ins are objects of the plug-in's own `Settings`."""

    grid: Grid
    datasets: dict[str, Any]
    landmarks: dict[str, Any]
    heatmaps: HeatmapSettings
    models: dict[str, ModelSettings]
    guidance: dict[str, Any]
    train: TrainSettings
    evaluate: EvaluateSettings
    hygiene: HygieneSettings
    tables: TableSettings
    runtime: RuntimeSettings
    raw: dict[str, Any]
    source: str

    def train_of(self, dataset: str, model: str) -> TrainSettings:
        """Resolve the training settings of a cell: `train`, overridden by the dataset, the model and the grid."""
        layers = [
            self.raw["train"],
            self.raw["datasets"][dataset].get("train") or {},
            self.raw["models"][model].get("train") or {},
            self.grid.train,
        ]
        source = f"{self.source}: train of dataset {dataset}, model {model}, grid {self.grid.name}"
        return validate(TrainSettings, merge(layers), source)

    def hygiene_of(self, dataset: str) -> HygieneSettings:
        """Resolve what is asked of a dataset: the section `hygiene`, overridden by its entry of the dataset."""
        shared = {key: value for key, value in (self.raw.get("hygiene") or {}).items() if key != "datasets"}
        layers = [shared, self.hygiene.datasets.get(dataset) or {}]
        return validate(HygieneSettings, merge(layers), f"{self.source}: hygiene.datasets.{dataset}")

    def guidance_plugin(self, guidance: str) -> str:
        """File name of the plug-in behind an entry of the section `guidance`."""
        return str((self.raw["guidance"][guidance] or {}).get("plugin") or guidance)

    def model_of(self, dataset: str, model: str, guidance: str) -> ModelSettings:
        """Resolve the model of a cell: its section, overridden by what it says of that cell."""
        return self.models[model].of_cell(dataset, guidance)

    def guidance_of(self, guidance: str, model: str, dataset: str = "") -> Any:
        """Resolve the guidance settings of a cell: the guidance's own, overridden by the model if it uses maps."""
        plugin, overrides = self.guidance_plugin(guidance), self.model_of(dataset, model, guidance).guidance
        if not overrides or not registry.plugin("guidance", plugin).needs_maps:
            return self.guidance[guidance]
        own = {key: value for key, value in self.raw["guidance"][guidance].items() if key != "plugin"}
        source = f"{self.source}: models.{model}.guidance"
        return validate(registry.settings("guidance", plugin), merge([own, overrides]), source)


def load(path: Path = Path("params.yaml")) -> Params:
    """Read and validate params.yaml as a whole.

    Raises:
        InputError: one line naming file, key, value and what would work.
    """
    return parse(read_yaml(path), str(path))


def parse(raw: dict[str, Any], source: str = "params.yaml") -> Params:
    """Validate the sections of params.yaml given as plain data."""
    _check_sections(raw, source)
    raw = {**raw, "models": trials.inherit(dict(_mapping(raw["models"], f"{source}: models")), source)}
    params = Params(
        grid=validate(Grid, raw["grid"], f"{source}: grid"),
        datasets=_plugins("datasets", raw["datasets"], source),
        landmarks=_plugins("landmarks", raw["landmarks"], source),
        heatmaps=validate(HeatmapSettings, raw["heatmaps"], f"{source}: heatmaps"),
        models={name: _model(name, value, source) for name, value in _mapping(raw["models"], f"{source}: models")},
        guidance=_plugins("guidance", raw["guidance"], source),
        train=validate(TrainSettings, raw["train"], f"{source}: train"),
        evaluate=_evaluate(raw, source),
        hygiene=validate(HygieneSettings, raw.get("hygiene") or {}, f"{source}: hygiene"),
        tables=validate(TableSettings, raw.get("tables") or {}, f"{source}: tables"),
        runtime=validate(RuntimeSettings, raw.get("runtime") or {}, f"{source}: runtime"),
        raw=raw,
        source=source,
    )
    _check_grid(params)
    _check_references(params)
    trials.check(params)
    return params


def _check_sections(raw: Mapping[str, Any], source: str) -> None:
    for name in raw:
        if name not in SECTIONS + OPTIONAL_SECTIONS:
            raise unknown("section", name, source, SECTIONS + OPTIONAL_SECTIONS)
    missing = [name for name in SECTIONS if name not in raw]
    if missing:
        raise InputError(f"{source}: section {missing[0]!r} is missing; needed: {', '.join(SECTIONS)}")


def _mapping(section: Any, source: str) -> list[tuple[str, Any]]:
    if not isinstance(section, Mapping) or not section:
        raise InputError(f"{source}: given {section!r}, expected entries `name: {{...}}`")
    return [(str(name), value or {}) for name, value in section.items()]


def _plugins(kind: str, section: Any, source: str) -> dict[str, Any]:
    """Validate each entry of a kind with its plug-in's settings; the plug-in is `plugin:`, else the entry's name."""
    entries = {}
    for name, value in _mapping(section, f"{source}: {kind}"):
        where = f"{source}: {kind}.{name}"
        if not isinstance(value, Mapping):
            raise InputError(f"{where}: given {value!r}, expected a section of keys")
        plugin = value.get("plugin") or name
        settings = registry.settings(kind, plugin, f"{where}.plugin" if "plugin" in value else where)
        own = {key: item for key, item in value.items() if key != "plugin"}
        entries[name] = validate(settings, own, where)
    return entries


def _model(name: str, value: Any, source: str) -> ModelSettings:
    where = f"{source}: models.{name}"
    settings = validate(ModelSettings, value, where)
    _check_plugins(settings, where)
    for dataset, arms in settings.cells.items():
        for guidance in arms:
            _check_plugins(settings.of_cell(dataset, guidance), f"{where}.cells.{dataset}.{guidance}")
    return settings


def _check_plugins(settings: ModelSettings, where: str) -> None:
    """Validate the keys that belong to a model's method and to its checkpoint."""
    method = registry.settings("methods", settings.method, f"{where}.method")
    validate(method, settings.method_kwargs, f"{where}.method_kwargs")
    if settings.checkpoint is not None:
        given = dict(settings.checkpoint)
        plugin = str(given.pop("plugin", ""))
        validate(registry.settings("checkpoints", plugin, f"{where}.checkpoint.plugin"), given, f"{where}.checkpoint")


def _evaluate(raw: dict[str, Any], source: str) -> EvaluateSettings:
    """Validate the section `evaluate` by itself, then with the grid's overrides."""
    validate(EvaluateSettings, raw["evaluate"], f"{source}: evaluate")
    overrides = raw["grid"].get("evaluate") or {}
    return validate(EvaluateSettings, merge([raw["evaluate"], overrides]), f"{source}: grid.evaluate")


def _check_grid(params: Params) -> None:
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


def _check_expressions(params: Params, where: str) -> None:
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


def _check_references(params: Params) -> None:
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


def _check_cells(params: Params, model: str) -> None:
    """The keys of a model's `cells` must be datasets and guidances."""
    where = f"{params.source}: models.{model}.cells"
    for dataset, arms in params.models[model].cells.items():
        _check_names([dataset], params.datasets, where, "datasets")
        _check_names(list(arms), params.guidance, f"{where}.{dataset}", "guidance")
        for guidance in arms:
            params.guidance_of(guidance, model, dataset)
