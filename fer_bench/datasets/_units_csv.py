"""Action units in one CSV of one's own: a line per image and unit."""

from pathlib import Path

import pandas as pd

from fer_bench.datasets._csv import read_csv, without_blank_lines
from fer_bench.datasets._labels_file import image_ids
from fer_bench.datasets._units import LEVELS, SIDES, Annotations, Mark, from_marks
from fer_bench.errors import InputError

_COLUMNS = ("image", "au")
_DIGITS = 3  # of a FACS number, at most


def read(root: Path, units: str, images: str, source: str) -> Annotations:
    """Read columns image, au, and where there are intensity (0..1 or A..E), side (of the image), subject.

    An image without any unit has one line with an empty au. An empty intensity means fully there.

    Raises:
        InputError: the file cannot be read; a line, named by its number, holds something else.
    """
    path = root / units
    table = without_blank_lines(read_csv(path, _COLUMNS, source, "units"))
    marks: dict[str, list[Mark]] = {}
    for row, line in zip(table.index, table.to_dict("records"), strict=True):
        place = f"{source}: {path}, line {row + 2}"
        if not line["image"]:
            raise InputError(f"{place}: no image")
        marks.setdefault(line["image"], []).extend(_marks({str(k): v for k, v in line.items()}, place))
    return from_marks(_rows(table, list(marks), images), list(marks.values()), [units])


def _marks(line: dict[str, str], place: str) -> list[Mark]:
    if not line["au"]:
        return []
    number = line["au"].upper().removeprefix("AU")
    if not number.isdecimal() or len(number) > _DIGITS:
        raise InputError(f"{place}: au {line['au']!r} is no FACS number")
    side = line.get("side") or "both"
    if side not in SIDES:
        raise InputError(f"{place}: side {side!r}; known: {', '.join(SIDES)}")
    return [Mark(int(number), _intensity(line.get("intensity", ""), place), side)]


def _intensity(text: str, place: str) -> float:
    if not text or text.upper() in LEVELS:
        return LEVELS.get(text.upper(), 1.0)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InputError(f"{place}: intensity {text!r} is neither a number in 0..1 nor one of {', '.join(LEVELS)}")
    return value


def _rows(table: pd.DataFrame, names: list[str], images: str) -> pd.DataFrame:
    named = pd.Series(names, dtype="str")
    subjects = table.drop_duplicates("image").set_index("image").get("subject")
    return pd.DataFrame(
        {
            "id": image_ids(named),
            "image": [f"{images}/{name}" for name in names],
            "name": names,
            "subject": "" if subjects is None else subjects[names].to_numpy(),
            "label": "",
        }
    )
