"""Names to plug-ins: a name in params.yaml is a file in the folder of its kind."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from fer_bench.errors import unknown

# kind (a folder of fer_bench) -> the class that each of its plug-in files defines
KINDS = {
    "datasets": "Dataset",
    "cues": "Site",
    "landmarks": "Backend",
    "methods": "Method",
    "guidance": "Guidance",
    "explainers": "Explainer",
    "metrics": "Metric",
    "probes": "Probe",
    "checkpoints": "Checkpoint",
    "engines": "Engine",
}
_HERE = Path(__file__).parent


def names(kind: str) -> list[str]:
    """List the plug-ins of a kind: its files, less `base.py` and those that start with an underscore."""
    stems = (path.stem for path in (_HERE / kind).glob("*.py"))
    return sorted(stem for stem in stems if stem != "base" and not stem.startswith("_"))


def module(kind: str, name: str, source: str = "registry") -> ModuleType:
    """Import a plug-in file; `source` says where the name came from, e.g. `params.yaml: models.x.method`."""
    if name not in names(kind):
        raise unknown(f"{kind} plug-in", name, source, names(kind))
    return import_module(f"fer_bench.{kind}.{name}")


def plugin(kind: str, name: str, source: str = "registry") -> Any:
    """Return the plug-in class of that kind and name."""
    return getattr(module(kind, name, source), KINDS[kind])


def settings(kind: str, name: str, source: str = "registry") -> Any:
    """Return the plug-in's `Settings` class: the keys its section of params.yaml may hold."""
    return module(kind, name, source).Settings
