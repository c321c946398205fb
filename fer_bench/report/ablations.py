"""Guidances of a grid that differ in one setting alone: guided layers (the paper's Table 3) or weight λ (Figure 5)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fer_bench.report.labels import LAST_LAYER

FROM = 3  # values from which guidances that differ in one setting are an ablation, with a table of its own
SETTINGS: tuple[Literal["layers", "weight"], ...] = ("layers", "weight")


@dataclass(frozen=True)
class Ablation:
    """Guidances that share every setting but one.

    setting: what differs. values: guidance -> value in ascending order, layers as numbers from the deepest on.
    """

    setting: Literal["layers", "weight"]
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For file names: the paper's own name."""
        return {"layers": "table3", "weight": "figure5"}[self.setting]


def ablations(guidance: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[Ablation]:
    """Find the ablations among the guidances `names`; `guidance` holds their settings."""
    found = []
    for setting in SETTINGS:
        families: dict[str, dict[str, Any]] = {}
        for name in names:
            settings = {"plugin": name, **guidance.get(name, {})}
            if setting in settings:
                families.setdefault(others(settings, setting), {})[name] = _value(settings, setting)
        found += [Ablation(setting, _ascending(family)) for family in families.values() if _differ(family)]
    return found


def layers_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Guided layers of a guidance's settings as numbers, the deepest first; none for a guidance without layers."""
    given = settings.get("layers") or ()
    named = [int(LAST_LAYER) if layer == "last" else int(layer) for layer in given]
    return tuple(sorted(set(named), reverse=True))


def left_out(found: Sequence[Ablation], names: Sequence[str]) -> dict[str, str]:
    """Guidances that the main tables leave to the table of an ablation: name -> that table.

    One member of each ablation stays in the main tables: its representative.
    """
    kept = {representative(one.values, names) for one in found}
    return {name: one.name for one in found for name in one.values if name not in kept}


def representative(members: Iterable[str], names: Sequence[str]) -> str:
    """The one of several guidances that stands for all of them: the one called `au`, else the first of the grid."""
    given = list(members)
    return "au" if "au" in given else min(given, key=list(names).index)


def others(settings: Mapping[str, Any], setting: str) -> str:
    """Everything that members of one ablation share, as one text."""
    shared = {key: value for key, value in settings.items() if key not in (setting, "label")}
    if "layers" in shared:
        shared["layers"] = layers_of(settings)
    return json.dumps(shared, sort_keys=True)


def _value(settings: Mapping[str, Any], setting: str) -> Any:
    return layers_of(settings) if setting == "layers" else float(settings[setting])


def _differ(family: Mapping[str, Any]) -> bool:
    return len(set(family.values())) == len(family) >= FROM


def _ascending(family: Mapping[str, Any]) -> dict[str, Any]:
    """Weights by size; layers in the paper's order: single ones first, then growing sets."""
    if any(isinstance(value, tuple) for value in family.values()):
        return dict(sorted(family.items(), key=lambda item: (len(item[1]), item[1])))
    return dict(sorted(family.items(), key=lambda item: item[1]))
