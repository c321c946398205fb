"""The content of a released folder as one short line."""

import hashlib
from pathlib import Path

from fer_bench.authors.layout import CONFIG_FILE, WEIGHTS_FILE
from fer_bench.errors import InputError


def fingerprint(folder: Path) -> str:
    """First 16 hexadecimal digits of the SHA-256 over those of model.pt and config_model.yaml."""
    lines = [f"{name} {_sha256(folder / name)}\n" for name in (WEIGHTS_FILE, CONFIG_FILE)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
