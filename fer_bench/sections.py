"""Sections of params.yaml that override one another."""

from collections.abc import Mapping, Sequence
from typing import Any


def merge(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge sections from left to right; nested sections are merged, everything else is replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = merge([merged[key], value]) if both else value
    return merged
