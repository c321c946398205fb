"""What a dataset leaves beside its index: excluded rows and a manifest."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import PIL

from fer_bench.datasets._folder_settings import FolderSettings
from fer_bench.datasets._index import SPLITS
from fer_bench.datasets.base import DatasetSettings

# these say where a folder lies or how it is called, not what is in the result
_NEUTRAL = {"plugin", "root", "fingerprint", "landmarks", "label", "licence", "citation"}


def across_splits(frame: pd.DataFrame, groups: np.ndarray) -> list[list[str]]:
    """List the groups of near-duplicates (N,) that lie in more than one split, each as its sorted ids."""
    spread = frame["split"].groupby(groups).transform("nunique").to_numpy() > 1
    found = frame["id"][spread].groupby(groups[spread]).agg(sorted)
    return sorted(found.tolist())


def count_enlarged(frame: pd.DataFrame, settings: FolderSettings) -> int:
    """Count the images (width, height in pixels) that storing at `settings.size` enlarges along some axis."""
    if settings.size is None:
        return 0
    sides = frame[["width", "height"]]
    side = sides.max(axis=1) if settings.fit == "pad" else sides.min(axis=1)
    return int((side < settings.size).sum())


def write_excluded(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows left out, with their reasons; only the header when there is none."""
    excluded = rows.loc[rows["reason"] != "", ["image", "label", "split", "subject", "reason"]]
    excluded.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def write_manifest(path: Path, settings: DatasetSettings, frame: pd.DataFrame, **facts: Any) -> None:
    """Write what was made of which folder by which settings; no time, host or path."""
    counts = pd.crosstab(frame["split"], frame["label"])
    manifest = {
        "settings": settings.model_dump(mode="json", exclude=_NEUTRAL),
        "counts": {split: counts.loc[split].to_dict() for split in SPLITS if split in counts.index},
        "versions": {"opencv": cv2.__version__, "pillow": PIL.__version__, "numpy": np.__version__},
        **facts,
    }
    path.write_text(json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
