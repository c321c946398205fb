"""The section of params.yaml that describes a model: backbone, weights, method, input."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from fer_bench.settings import Settings
from fer_bench.validation import validate


class CellOverrides(Settings):
    """Keys of a model that are different in one of its cells."""

    kwargs: dict[str, Any] = Field(default_factory=dict)
    normalisation: Literal["auto", "imagenet"] = "auto"
    method_kwargs: dict[str, Any] = Field(default_factory=dict)
    input_size: int = Field(default=224, ge=16, le=1024)
    self_attention: tuple[Literal[1, 2, 3, 4, 5, "last"], ...] = ()
    guidance: dict[str, Any] = Field(default_factory=dict)
    checkpoint: dict[str, Any] | None = None


class ModelSettings(Settings):
    """One model: a backbone of timm, its initial weights, and the method that is trained on it."""

    label: str = ""  # how tables call it; the method and the backbone when empty
    trial_of: str = ""  # the model that this one is another recipe for, in a grid that tunes both arms alike
    backbone: str  # a timm name, with a pretrained tag where `weights: timm` needs one
    kwargs: dict[str, Any] = Field(default_factory=dict)  # for timm.create_model; and `large_maps: true` for ResNets
    weights: str = "random"  # random, timm, file:PATH, package:NAME
    # what images in [0, 1] are normalised with. auto: what the weights expect, nothing for random ones; imagenet: the
    # ImageNet mean and deviation (a transformer with random weights hardly learns from images that are not centred)
    normalisation: Literal["auto", "imagenet"] = "auto"
    method: str = "cam"  # a file of fer_bench/methods
    method_kwargs: dict[str, Any] = Field(default_factory=dict)  # the method's own Settings
    input_size: int = Field(default=224, ge=16, le=1024)  # side of the square input, pixels
    layers: tuple[Literal[1, 2, 3, 4, 5, "last"], ...] | None = None  # feature maps to return; None: all that exist
    # layers whose features are multiplied by their channel mean before the next layer: an option of arXiv 2402.00281's
    # code that its commands leave off; networks in stages only
    self_attention: tuple[Literal[1, 2, 3, 4, 5, "last"], ...] = ()
    train: dict[str, Any] = Field(default_factory=dict)  # overrides of the section `train` for this model
    # overrides of every guidance that uses maps, for this model: the layers that it aligns, for instance
    guidance: dict[str, Any] = Field(default_factory=dict)
    explainers: list[str] | None = None  # that this model is scored with; None: those of the section `evaluate`
    # a trained network from elsewhere, backbone and head; `plugin`: a file of fer_bench/checkpoints, the rest its keys
    checkpoint: dict[str, Any] | None = None
    # training dataset -> guidance -> keys that are different in that cell; with them the model has no other cells
    cells: dict[str, dict[str, CellOverrides]] = Field(default_factory=dict)

    def of_cell(self, dataset: str, guidance: str) -> "ModelSettings":
        """Resolve `cells`: the section as it is for one cell."""
        own = self.cells.get(dataset, {}).get(guidance)
        changed: dict[str, Any] = {"cells": {}}
        for key in sorted(own.model_fields_set) if own else ():
            value, shared = getattr(own, key), getattr(self, key)
            both = isinstance(value, dict) and isinstance(shared, dict)
            changed[key] = {**shared, **value} if both else value
        return self.model_copy(update=changed)

    def network(self) -> "ModelSettings":
        """Only the keys that decide how the network is built: the same for models that differ in anything else."""
        kept = {"backbone", "kwargs", "weights", "normalisation", "method", "method_kwargs", "input_size", "layers"}
        return ModelSettings(**{key: getattr(self, key) for key in sorted(kept | {"self_attention"})})


def read(section: Mapping[str, Any] | ModelSettings, source: str) -> ModelSettings:
    """Validate a section as params.yaml holds it; InputError names key, value and what would work."""
    if isinstance(section, ModelSettings):
        return section
    return validate(ModelSettings, section, source)
