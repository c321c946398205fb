"""The guidance of a cell, built from its entry in a plan file."""

from typing import Any

from fer_bench import registry
from fer_bench.cells import seed_of
from fer_bench.guidance.base import GuidanceBase
from fer_bench.protocols import PROTOCOLS
from fer_bench.validation import validate


def guidance_of(entry: dict[str, Any]) -> GuidanceBase:
    """Build the guidance of a plan entry."""
    name, plugin, protocol = entry["guidance"]["name"], entry["guidance"]["plugin"], PROTOCOLS[entry["protocol"]]
    settings = registry.settings("guidance", plugin)
    where = f"params.yaml: guidance.{name}"
    chosen = validate(settings, entry["guidance"]["settings"], where)
    guidance: GuidanceBase = registry.plugin("guidance", plugin)(
        chosen,
        resize=protocol.resize,
        shift=protocol.shift_in_loss,
        seed=seed_of(entry["seed"], "guidance"),
    )
    return guidance
