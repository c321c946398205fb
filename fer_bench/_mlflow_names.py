"""What parameters, metrics and pictures are called in MLflow.

MLflow's charts have a section for everything before the last slash, and its comparison page starts with the parameters
and the metric that come first in the alphabet, so names decide what is seen first.
"""

from collections.abc import Mapping
from typing import Any

_EPOCH_PREFIXES = {"train_": "train/", "val_": "val/"}
_EPOCH_NAMES = {"learning_rate": "train/learning_rate"}
_ONLY_LABELS = ("cell",)  # settings that are tags instead


def epoch(column: str) -> str:
    """A column of history.csv: `val_accuracy` -> `val/accuracy`."""
    for prefix, section in _EPOCH_PREFIXES.items():
        if column.startswith(prefix):
            return section + column.removeprefix(prefix)
    return _EPOCH_NAMES.get(column, column)


def headline(test: str, score: str) -> str:
    """A main score on a test dataset, as the training run shows it."""
    return f"test/{test}/{score}"


def picture(test: str, kind: str) -> str:
    """Faces of a test dataset under a kind of map, `attention` or `cam`."""
    return f"test/{test}/{kind}"


def scores(rows: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Name -> row of the scores that two runs are compared by.

    Over all test images, map scores of the true class only; the macro mean where there is one, else that over images.
    `cam_cos/gradcam paper` is the metric, then explainer or layer and the variant of the target map.
    """
    chosen = [row for row in rows if row["subset"] in ("all", "") and row["pairing"] in ("true_true", "")]
    found: dict[str, Mapping[str, Any]] = {}
    for row in sorted(chosen, key=lambda row: row["average"] == "macro"):
        found[_score(row)] = row
    return found


def _score(row: Mapping[str, Any]) -> str:
    layer = f"layer {row['layer']}" if row["layer"] else ""
    details = [str(part) for part in (layer, row["explainer"], row["target"]) if part]
    return f"{row['metric']}/{' '.join(details)}" if details else f"scores/{row['metric']}"


def parameters(settings: Mapping[str, Any]) -> dict[str, str]:
    """Nested settings as one level: `train.augmentation.rotation` -> `6.0`; the name of a section is its own value."""
    flat = _flat(settings, "")
    return {name.removesuffix(".name"): value for name, value in flat.items() if name not in _ONLY_LABELS}


def _flat(settings: Mapping[str, Any], prefix: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in settings.items():
        if key == "sources":  # hashes of files, the work of DVC
            continue
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": str(value)}
    return flat
