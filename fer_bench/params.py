"""params.yaml as one validated, frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_bench import registry, trials
from fer_bench.errors import InputError, unknown
from fer_bench.evaluate_settings import EvaluateSettings
from fer_bench.grid_settings import Grid
from fer_bench.heatmap_settings import HeatmapSettings
from fer_bench.hygiene_settings import HygieneSettings
from fer_bench.model_settings import ModelSettings
from fer_bench.params_checks import check_grid, check_references
from fer_bench.resources import Resources, resources
from fer_bench.sections import merge
from fer_bench.table_settings import TableSettings
from fer_bench.train_settings import RuntimeSettings, TrainSettings
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml

SECTIONS = ("grid", "datasets", "landmarks", "heatmaps", "models", "guidance", "train", "evaluate")
OPTIONAL_SECTIONS = ("hygiene", "tables", "runtime", "engines", "resources")


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
    engines: dict[str, Any]
    resources: dict[str, Resources]
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

    def plugin_of(self, kind: str, name: str) -> str:
        """File name of the plug-in behind an entry of a section of plug-ins."""
        return str((self.raw[kind][name] or {}).get("plugin") or name)

    def guidance_plugin(self, guidance: str) -> str:
        """File name of the plug-in behind an entry of the section `guidance`."""
        return self.plugin_of("guidance", guidance)

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
    runtime = validate(RuntimeSettings, raw.get("runtime") or {}, f"{source}: runtime")
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
        runtime=runtime,
        engines=_plugins("engines", raw["engines"], source) if raw.get("engines") else {},
        resources=resources(raw.get("resources"), runtime.device, f"{source}: resources"),
        raw=raw,
        source=source,
    )
    check_grid(params)
    check_references(params)
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
