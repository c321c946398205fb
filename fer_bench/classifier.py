"""Classifiers by their section of params.yaml: build one, ask what it will be like, save it, load it."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from fer_bench import backbones, registry
from fer_bench.backbones.taps import LAST
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8
from fer_bench.model_settings import ModelSettings, read
from fer_bench.network import Classifier
from fer_bench.validation import validate

__all__ = ["Classifier", "build", "initial_weights", "load", "load_folder", "map_sizes", "save", "unsuitable"]

SOURCE = "params.yaml: models"
WEIGHTS_FILE = "model.safetensors"
SETTINGS_FILE = "model.json"


def build(
    section: Mapping[str, Any] | ModelSettings, num_classes: int = 7, source: str = SOURCE, pretrained: bool = True
) -> Classifier:
    """Make a classifier; random initial weights come from torch's global generator, which the caller seeds.

    source: where the section stands, for error messages. pretrained: load the weights that the section names; without,
    all values are random, for a network that is filled as a whole or only measured. Raises InputError for anything that
    cannot work.
    """
    section = read(section, source)
    kind, options = _method(section, source)
    backbone = backbones.build(
        section.backbone,
        section.kwargs,
        section.weights if pretrained else "random",
        section.input_size,
        source,
        section.normalisation,
    )
    problem = kind.unsuitable(backbone, options)
    if problem:
        raise InputError(f"{source}: {problem}")
    _attend(backbone, section, source)
    layers = _layers(section, backbone, source)
    classifier = Classifier(section, backbone, kind.for_backbone(backbone, num_classes, options), layers)
    if pretrained:
        classifier.method.start(f"{source}.method_kwargs")
    return classifier


def initial_weights(section: Mapping[str, Any] | ModelSettings, source: str = SOURCE) -> dict[str, str]:
    """Key of the section -> form of the weights that training starts from: the backbone's, and the method's own."""
    section = read(section, source)
    kind, options = _method(section, source)
    own = {f"method_kwargs.{key}": form for key, form in kind.initial_weights(options).items()}
    return {"weights": section.weights, **own}


def unsuitable(section: Mapping[str, Any] | ModelSettings, source: str = SOURCE) -> str | None:
    """Say why method, backbone and options of a section do not go together, or None; no weights are read."""
    section = read(section, source)
    kind, options = _method(section, source)
    problem: str | None = kind.unsuitable(_skeleton(section.model_dump_json(), source), options)
    return problem or _no_self_attention(section, source)


def map_sizes(section: Mapping[str, Any] | ModelSettings, source: str = SOURCE) -> dict[int, tuple[int, int]]:
    """Layer -> (h, w) for every layer that exists at the section's input size; no weights are made or read."""
    return dict(_skeleton(read(section, source).model_dump_json(), source).map_sizes)


def save(classifier: Classifier, folder: Path) -> None:
    """Write model.safetensors and model.json (section, number and names of classes); same weights, same bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in classifier.state_dict().items()}
    partial = folder / f"{WEIGHTS_FILE}.partial"
    save_file(state, partial)
    partial.replace(folder / WEIGHTS_FILE)
    about = {
        "section": classifier.section.model_dump(mode="json"),
        "num_classes": classifier.num_classes,
        "expressions": _expressions(classifier.num_classes),
    }
    (folder / SETTINGS_FILE).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_folder(folder: Path) -> Classifier:
    """Read what `save` wrote, strictly: eval mode, on CPU. It needs no initial weights and uses no random state."""
    folder = Path(folder)
    try:
        about = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        state = load_file(folder / WEIGHTS_FILE)
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: no trained classifier here ({Path(error.filename or folder).name}); {_advice(folder)}"
        ) from error
    except (json.JSONDecodeError, SafetensorError) as error:
        raise InputError(f"{folder}: the saved classifier is damaged ({error}); train the cell again") from error
    section = read(about["section"], f"{folder / SETTINGS_FILE}: section")
    with torch.random.fork_rng(devices=[]):
        classifier = build(section, about["num_classes"], str(folder), pretrained=False)
    try:
        classifier.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"{folder}: weights and {SETTINGS_FILE} do not fit: {' '.join(str(error).split())[:300]}"
        ) from error
    return classifier.eval()


def load(cell: str, root: str | Path = ".") -> Classifier:
    """Return the trained classifier of a cell (DATASET-MODEL-GUIDANCE-sSEED) under a project root."""
    return load_folder(Path(root) / "results" / "runs" / cell / "weights")


def _method(section: ModelSettings, source: str) -> tuple[Any, Any]:
    """Return the method's class and its validated options."""
    kind = registry.plugin("methods", section.method, f"{source}.method")
    settings = registry.settings("methods", section.method)
    return kind, validate(settings, section.method_kwargs, f"{source}.method_kwargs")


def _attend(backbone: backbones.Backbone, section: ModelSettings, source: str) -> None:
    if not section.self_attention:
        return
    try:
        backbone.attend([LAST if layer == "last" else layer for layer in section.self_attention])
    except InputError as error:
        raise InputError(f"{source}.self_attention: {error}") from error


def _no_self_attention(section: ModelSettings, source: str) -> str | None:
    """Whether a layer can be multiplied is tried out, on a network with throw-away values."""
    if not section.self_attention:
        return None
    with torch.random.fork_rng(devices=[]):
        try:
            build(section, source=source, pretrained=False)
        except InputError as error:
            return str(error)
    return None


def _layers(section: ModelSettings, backbone: backbones.Backbone, source: str) -> tuple[int, ...]:
    if section.layers is None:
        return backbone.layers
    wanted = {LAST if layer == "last" else layer for layer in section.layers} | {LAST}
    absent = sorted(wanted - set(backbone.layers))
    if absent:
        raise InputError(
            f"{source}.layers: {section.backbone} has no layer {', '.join(map(str, absent))}; "
            f"it has {', '.join(map(str, backbone.layers))}"
        )
    return tuple(sorted(wanted))


@lru_cache(maxsize=64)
def _skeleton(section_json: str, source: str) -> backbones.Backbone:
    """Build the backbone without values (torch's meta device), or with throw-away ones where timm cannot do that."""
    section = ModelSettings.model_validate_json(section_json)
    arguments = (section.backbone, section.kwargs, "random", section.input_size, source)
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                return backbones.build(*arguments)
        except (InputError, RuntimeError, NotImplementedError):
            return backbones.build(*arguments)


def _expressions(num_classes: int) -> list[str] | None:
    known = {len(names): list(names) for names in (EXPRESSIONS, EXPRESSIONS_8)}
    return known.get(num_classes)


def _advice(folder: Path) -> str:
    reason = folder / "skipped.json"
    if reason.is_file():
        return f"the cell was skipped: {reason.read_text(encoding='utf-8').strip()}"
    return "`dvc repro` trains it, `dvc pull` fetches it"
