"""Crops on disk: PNG files that carry what was done to them, so that an interrupted run goes on where it stopped."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

_ENTRY = "fer_bench"  # name of the PNG text entry


def read_record(path: Path, key: str) -> dict[str, Any] | None:
    """Return the record of a stored crop, or None when there is none that was made under this key."""
    if not path.is_file():
        return None
    try:
        with Image.open(path, formats=("PNG",)) as image:
            record: dict[str, Any] = json.loads(image.info[_ENTRY])
            image.verify()
    except (OSError, SyntaxError, KeyError, ValueError):
        return None  # not one of ours, or damaged: it is made again
    return record if record.get("key") == key else None


def write_crop(path: Path, crop: np.ndarray, record: dict[str, Any]) -> None:
    """Write a crop (H, W, 3) uint8 with its record, whole or not at all."""
    entries = PngImagePlugin.PngInfo()
    entries.add_text(_ENTRY, json.dumps(record, sort_keys=True))
    part = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(part, format="PNG", compress_level=4, pnginfo=entries)
    part.replace(path)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a stored file (hex)."""
    return sha256(path.read_bytes()).hexdigest()


def remove_others(folder: Path, names: set[str]) -> None:
    """Remove the crops that no row names any more."""
    for path in [*folder.glob("*.png"), *folder.glob("*.part")]:
        if path.name not in names:
            path.unlink()
