"""fer-bench: a reproducible benchmark of interpretable facial expression recognition."""

from importlib import import_module
from typing import Any

from fer_bench.telemetry import switch_off

_FUNCTIONS = {"explain": "fer_bench.explanation"}  # function of the package -> module that holds it

switch_off()


def __getattr__(name: str) -> Any:
    """Import `fer_bench.explain` when it is asked for: no stage pays for it, and none runs again when it changes."""
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
