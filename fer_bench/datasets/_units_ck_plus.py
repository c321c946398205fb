"""CK+: per sequence a text file of units with intensities for its last frame, and for some the expression."""

from pathlib import Path, PurePosixPath

import pandas as pd

from fer_bench.datasets._lines import lines_of, numbers_of, require_folder
from fer_bench.datasets._units import Annotations, Mark, from_marks
from fer_bench.errors import InputError

EXPRESSIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_ENDING = "_facs.txt"
_HIGHEST = 5


def read(root: Path, units: str, emotions: str, images: str, source: str) -> Annotations:
    """Read UNITS/S005/001/S005_001_00000011_facs.txt and so on; image and expression lie alike below their folders.

    A line is a unit and its intensity 1..5, or 0 where it was not given (then it counts as fully there).

    Raises:
        InputError: a folder is absent, a line, named by its number, is of another form.
    """
    require_folder(root / emotions, source, "the expressions: S005/001/S005_001_00000011_emotion.txt and so on")
    require_folder(root / units, source, "the units: S005/001/S005_001_00000011_facs.txt and so on")
    names = sorted(path.relative_to(root / units).as_posix() for path in (root / units).rglob(f"*{_ENDING}"))
    if not names:
        raise InputError(f"{source}: {root / units} holds no file such as S005/001/S005_001_00000011{_ENDING}")
    marks = [_marks(root, f"{units}/{name}", source) for name in names]
    peaks = [name.removesuffix(_ENDING) for name in names]
    said = [f"{emotions}/{peak}_emotion.txt" for peak in peaks]
    rows = pd.DataFrame(
        {
            "id": [PurePosixPath(peak).name for peak in peaks],
            "image": [f"{images}/{peak}.png" for peak in peaks],
            "name": [f"{peak}.png" for peak in peaks],
            "subject": [PurePosixPath(peak).parts[0] for peak in peaks],
            "label": [_expression(root, name, source) if (root / name).is_file() else "" for name in said],
        }
    )
    files = [f"{units}/{name}" for name in names] + [name for name in said if (root / name).is_file()]
    return from_marks(rows, marks, files)


def _marks(root: Path, name: str, source: str) -> list[Mark]:
    found = []
    for place, line in lines_of(root, name, source):
        unit, level = numbers_of(line, 2, place)
        if unit != int(unit) or unit < 1 or not 0 <= level <= _HIGHEST:
            raise InputError(f"{place}: {line!r} is not a FACS number and an intensity 0..{_HIGHEST}")
        found.append(Mark(int(unit), level / _HIGHEST if level else 1.0))
    return found


def _expression(root: Path, name: str, source: str) -> str:
    lines = list(lines_of(root, name, source))
    if not lines:
        return ""
    place, line = lines[0]
    (number,) = numbers_of(line, 1, place)
    if number not in range(len(EXPRESSIONS)):
        raise InputError(f"{place}: {line!r} is no expression number, 0..{len(EXPRESSIONS) - 1}")
    return EXPRESSIONS[int(number)]
