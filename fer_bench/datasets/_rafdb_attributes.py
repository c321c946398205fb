"""Sex, race and age of RAF-DB's faces, as its annotators gave them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fer_bench.datasets._rafdb_files import POINTS
from fer_bench.errors import InputError

FILE = "attributes.csv"  # beside the index: id, then a column of words per attribute
# Lines 6 to 8 of a file of annotated points: attribute -> words by code; "" is what annotators were unsure of.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "sex": ("male", "female", ""),
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70 and older"),
}
_FIRST = 5  # lines of points before them


def read_rafdb_attributes(root: Path, ids: Sequence[str]) -> pd.DataFrame | None:
    """Read the attributes of the photographs: words indexed by id, "" where there is no file or nothing behind the
    points; None where no photograph has any.

    Raises:
        InputError: the first file whose lines 6 to 8 are not one known code each.
    """
    rows = [_read(root / POINTS.format(name)) for name in ids]
    frame = pd.DataFrame(rows, index=pd.Index(list(ids), name="id"), columns=list(ATTRIBUTES))
    return frame if (frame != "").to_numpy().any() else None


def write_rafdb_attributes(root: Path, ids: Sequence[str], out: Path) -> None:
    """Write the attributes of the photographs to `out`; nothing where there are none."""
    frame = read_rafdb_attributes(root, ids)
    if frame is None:
        (out / FILE).unlink(missing_ok=True)
    else:
        frame.to_csv(out / FILE, encoding="utf-8", lineterminator="\n")


def _read(path: Path) -> list[str]:
    if not path.is_file():
        return [""] * len(ATTRIBUTES)
    lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")[_FIRST:]
    codes = [line.strip() for line in lines if line.strip()]
    if not codes:
        return [""] * len(ATTRIBUTES)
    known = [{str(code): word for code, word in enumerate(words)} for words in ATTRIBUTES.values()]
    if len(codes) != len(known) or any(code not in words for code, words in zip(codes, known, strict=True)):
        raise InputError(
            f"{path}: expected sex (0-2), race (0-2) and age (0-4) in lines 6 to 8, found {', '.join(codes)!r}"
        )
    return [words[code] for code, words in zip(codes, known, strict=True)]
