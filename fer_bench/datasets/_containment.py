"""Names that files of labels give to images: none may lead out of the dataset's folder, by itself or by a link."""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from fer_bench.datasets._text import shorten
from fer_bench.errors import InputError

_DELETE = 127
_FIRST_PRINTED = 32
_LONGEST = 255  # bytes of a file's name that every file system takes


def unsafe_names(names: Iterable[str]) -> list[str]:
    """List the names that are no plain relative path: empty, absolute, too long, with `..` or control characters."""
    return [name for name in names if not _is_plain(name)]


def require_plain(names: Iterable[str], what: str, source: str) -> None:
    """Raise InputError where `unsafe_names` finds one; `what` they are and `source` stand in the message."""
    found = unsafe_names(names)
    if found:
        raise InputError(
            f"{source}: {len(found)} {what} would lead out of the folder of the dataset, or cannot be a file name: "
            f"{shorten([repr(name) for name in found])}; a relative path without `..` works"
        )


def require_inside(folder: Path, names: Sequence[str], root: Path, source: str) -> None:
    """Refuse files that are reached by a link out of the root, or are no regular files (pipes, devices).

    Args:
        folder: that the names start from; a folder outside `root` was named by the user and stands for itself.
        names: plain relative paths; absent ones are left to whoever opens them.
        root: the folder of the dataset.
        source: where the dataset stands in params.yaml.

    Raises:
        InputError: the number of such files, the first three, and where their links lead.
    """
    allowed = root if folder.absolute().is_relative_to(root.absolute()) else folder
    base = os.path.realpath(allowed)
    where = cache(os.path.realpath)  # one look per folder, not per image
    wrong = [reason for name in names if (reason := _problem(folder / name, name, base, where))]
    if wrong:
        raise InputError(
            f"{source}: {len(wrong)} of {len(names)} images lead out of {allowed} or are no ordinary files: "
            f"{shorten(wrong)}; copy the files themselves (`cp -rL`), or give the folder that holds them as root"
        )


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    printed = all(_FIRST_PRINTED <= ord(mark) != _DELETE for mark in name)
    short = all(len(part.encode(errors="replace")) <= _LONGEST for part in path.parts) and len(name) <= 8 * _LONGEST
    return printed and short and bool(path.name) and not path.is_absolute() and ".." not in path.parts


def _problem(path: Path, name: str, base: str, where: Callable[[Path], str]) -> str:
    try:
        own = path.lstat()
        target = os.path.realpath(path) if stat.S_ISLNK(own.st_mode) else f"{where(path.parent)}/{path.name}"
        kind = Path(target).stat().st_mode if stat.S_ISLNK(own.st_mode) else own.st_mode
    except OSError:
        return ""
    if not Path(target).is_relative_to(base):
        return f"{name} -> {target}"
    return "" if stat.S_ISREG(kind) else f"{name} (no ordinary file)"
