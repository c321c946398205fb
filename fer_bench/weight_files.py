"""Files of initial weights: what is in one, whether it fits, and where one comes from that is not there."""

import hashlib
import re
import socket
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import torch

from fer_bench._torchvision import import_torchvision
from fer_bench.errors import InputError

import_torchvision()  # before anything imports timm

from timm.models import load_state_dict  # noqa: E402

VIT_SMALL = (  # timm's first ViT-small: 768 channels, 8 blocks; its networks of that name are others since
    "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/vit_small_p16_224-15ec54c9.pth"
)
ORIGINS = {
    "backbone_ir50_ms1m_epoch120.pth": "the model zoo of face.evoLVe, https://github.com/ZhaoJ9014/face.evoLVe",
    "vit_small_p16_224-15ec54c9.pth": VIT_SMALL,
}
PATIENCE = 10.0  # seconds that a server gets for each answer
_HASH = re.compile(r"-([0-9a-f]{8,})\.")  # part of the SHA-256, in the name of a published file


def absent(path: Path) -> str:
    """Say that there is no such file and how to get it, or return an empty string."""
    if path.is_file():
        return ""
    near = get_close_matches(path.name, _files(path.parent), n=1)
    hint = f"did you mean {path.parent / near[0]}? " if near else ""
    origin = f"it comes from {ORIGINS[path.name]}; " if path.name in ORIGINS else ""
    return f"there is no file {path}; {hint}{origin}put the weights there or change the path"


def existing(path: Path, where: str) -> Path:
    """Return the path; InputError if there is no such file. where: the key of params.yaml that names it."""
    if reason := absent(path):
        raise InputError(f"{where}: {reason}")
    return path


def read(path: Path, where: str) -> dict[str, torch.Tensor]:
    """Read a .safetensors or a torch file for tensors alone: name -> tensor, on the CPU; no code in it is run.

    Raises:
        InputError: no such file, a published one with another content, one that unpacks to more than its size, or
            anything in it besides tensors.
    """
    existing(path, where)
    if path.name in ORIGINS:
        check_promise(path, where)
    check_unpacked_size(path, where)
    try:
        return dict(load_state_dict(str(path), weights_only=True))
    except Exception as error:
        raise InputError(f"{where}: {path} holds no weights that can be read: {error!r:.200}") from error


def check_fit(own: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], what: str, where: str) -> None:
    """Raise InputError unless a file's tensors have our names and shapes, all of them and no others.

    what: file and network, for the message: `FILE does not fit NETWORK`.
    """
    wrong = [f"missing {key}" for key in own if key not in state]
    wrong += [f"unexpected {key}" for key in state if key not in own]
    wrong += [
        f"{key} is {tuple(state[key].shape)}, not {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if wrong:
        shown = ", ".join(wrong[:6]) + (f" and {len(wrong) - 6} more" if len(wrong) > 6 else "")
        raise InputError(f"{where}: {what}: {shown}")


def check_promise(path: Path, where: str) -> None:
    """Raise InputError where the name of a file promises a SHA-256 (its first digits) that the content has not."""
    promised = promise(path.name)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(promised):
        raise InputError(
            f"{where}: {path} has sha256 {found[:16]}..., its name promises {promised}: damaged, or not the published "
            "file; remove it and get it again"
        )


def promise(name: str) -> str:
    """Return the first digits of the SHA-256 that a file's name carries, or an empty string."""
    found = _HASH.search(name)
    return found[1] if found else ""


def check_unpacked_size(path: Path, where: str) -> None:
    """Refuse a torch file that unpacks to more than its own size: torch packs nothing, so another program made it."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{where}: {path} is a damaged torch file: {error}") from None
    if unpacked > path.stat().st_size:
        raise InputError(
            f"{where}: {path} unpacks from {path.stat().st_size:,} to {unpacked:,} bytes; torch.save packs nothing, so "
            "it is not what it seems"
        )


def downloaded(url: str, where: str) -> Path:
    """Return a published file from torch's cache, fetched first if it is not there and checked by the hash in its name.

    Raises:
        InputError: it cannot be fetched, or is not what its name says.
    """
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    if path.is_file():
        check_promise(path, where)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _patience():
            torch.hub.download_url_to_file(url, str(path), promise(path.name) or None, progress=False)
    except (OSError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{where}: {url} could not be fetched: {reason}; without a network put it into {path.parent}, "
            "or give file:PATH or random"
        ) from error
    return path


@contextmanager
def _patience() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
