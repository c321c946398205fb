"""Section `resources` of params.yaml: what each stage asks for when stages run side by side."""

from collections.abc import Mapping
from typing import Any

from fer_bench.engines.base import Resources
from fer_bench.validation import validate


def resources(section: Mapping[str, Any] | None, device: str, source: str) -> dict[str, Resources]:
    """Validate the section.

    Args:
        section: name of a stage in dvc.yaml, or `default` -> keys of `Resources`.
        device: `runtime.device`; where it is `cpu`, no stage gets a GPU.
        source: where the section stands.
    """
    asked = {name: validate(Resources, value or {}, f"{source}.{name}") for name, value in (section or {}).items()}
    if device == "cpu":
        return {name: one.model_copy(update={"gpus": 0.0}) for name, one in asked.items()}
    return asked
