"""The fingerprint of a folder outside the repository: what tells that its files or labels changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from fer_bench.errors import InputError

_DIGITS = 16
_MEANING = {
    "files": "the number of images",
    "bytes": "their total size",
    "names": "image names",
    "content": "image contents",
    "labels": "the labels file",
}


@dataclass(frozen=True)
class FileDigest:
    """A file of the folder: name relative to it (posix), size in bytes, sha256 of its content (hex)."""

    name: str
    size: int
    sha256: str


def digest_file(folder: Path, name: str) -> FileDigest:
    """Read one file through; raises InputError when it cannot be read."""
    path = folder / name
    try:
        with path.open("rb") as stream:
            return FileDigest(name, path.stat().st_size, file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def join_digests(files: Iterable[FileDigest]) -> FileDigest:
    """Sum up several files in one digest, whatever their order."""
    found = sorted(files, key=lambda file: file.name)
    text = "\n".join(f"{file.name} {file.sha256}" for file in found)
    total = sum(file.size for file in found)
    return FileDigest(" ".join(file.name for file in found), total, sha256(text.encode()).hexdigest())


def fingerprint(images: Iterable[FileDigest], labels: FileDigest) -> str:
    """Sum up a folder in one line whose parts tell what changed, the same on every machine."""
    files = sorted(set(images), key=lambda file: file.name)
    parts = {
        "files": str(len(files)),
        "bytes": str(sum(file.size for file in files)),
        "names": _short(file.name for file in files),
        "content": _short(f"{file.name} {file.sha256}" for file in files),
        "labels": labels.sha256[:_DIGITS],
    }
    return "/".join(f"{key}:{value}" for key, value in parts.items())


def check_fingerprint(expected: str, found: str, folder: Path, source: str) -> None:
    """Compare the fingerprint given in params.yaml with the folder's own.

    Raises:
        InputError: they differ (saying in what, and how to accept the folder), or `expected` is not a fingerprint.
    """
    if expected == found:
        return
    old, new = _parts(expected), _parts(found)
    if old.keys() != new.keys():
        raise InputError(
            f"{source}.fingerprint: {expected!r} is not a fingerprint; this folder's is {found!r} ({folder})"
        )
    changed = [f"{_MEANING[key]} ({old[key]} -> {new[key]})" for key in new if old[key] != new[key]]
    raise InputError(
        f"{source}.fingerprint: the folder {folder} changed: {', '.join(changed)}; "
        f"restore it, or accept it as it is now with fingerprint: {found}"
    )


def _short(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:_DIGITS]


def _parts(text: str) -> dict[str, str]:
    return dict(part.split(":", 1) for part in text.split("/") if ":" in part)
