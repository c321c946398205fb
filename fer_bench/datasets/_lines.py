"""Lines of small text files, each with the place that an error names."""

import math
from collections.abc import Iterator
from pathlib import Path

from fer_bench.errors import InputError


def lines_of(root: Path, name: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield (place such as `SOURCE: labels.txt, line 3`, text) of each line that is not blank.

    Raises:
        InputError: no such file, or not UTF-8 text.
    """
    path = root / name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{source}: {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{source}: {path} is not a text file in UTF-8") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{source}: {path}, line {number}", line.strip()


def numbers_of(line: str, count: int, place: str, separator: str | None = None) -> list[float]:
    """Read a line of `count` finite numbers, separated by spaces unless told otherwise; InputError names `place`."""
    fields = line.split(separator)
    try:
        values = [float(text) for text in fields]
    except ValueError:
        values = []
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise InputError(f"{place}: {line[:60]!r} is not {count} number(s)")
    return values


def require_folder(folder: Path, source: str, what: str) -> list[str]:
    """List the names in a folder, sorted; InputError, saying what was expected, when it is absent."""
    if not folder.is_dir():
        raise InputError(f"{source}: no folder {folder}; it holds {what}")
    return sorted(path.name for path in folder.iterdir())
