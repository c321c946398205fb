"""RAF-AU: one text file of images and units, written as FACS does."""

from pathlib import Path, PurePosixPath

import pandas as pd

from fer_bench.datasets._containment import require_plain
from fer_bench.datasets._lines import lines_of
from fer_bench.datasets._units import Annotations, Mark, from_marks, read_code
from fer_bench.errors import InputError

_NOTHING = "null"


def read(root: Path, units: str, images: str, source: str) -> Annotations:
    """Read lines such as `0007.jpg 4+L10+17`; `null` means that no unit is there.

    Raises:
        InputError: the file cannot be read; a line, named by its number, is of another form or repeats an image.
    """
    marks: dict[str, list[Mark]] = {}
    for place, line in lines_of(root, units, source):
        fields = line.split()
        if len(fields) != 2:
            raise InputError(f"{place}: {line[:60]!r} is not a file name and action units, such as `0007.jpg 4+7+17`")
        name, codes = fields
        require_plain([name], "name", place)
        if name in marks:
            raise InputError(f"{place}: {name} was listed before")
        marks[name] = [] if codes.lower() == _NOTHING else [read_code(code, place) for code in codes.split("+")]
    if not marks:
        raise InputError(f"{source}: {root / units} has no lines")
    stems = [PurePosixPath(name).stem for name in marks]
    rows = pd.DataFrame(
        {
            "id": stems,
            "image": [_image(root, images, name) for name in marks],
            "name": list(marks),
            "subject": "",
            "label": "",
        }
    )
    return from_marks(rows, list(marks.values()), [units])


def _image(root: Path, images: str, name: str) -> str:
    """Return the path of an image: the aligned one where there is one, else the file as it is listed."""
    aligned = f"{images}/{PurePosixPath(name).stem.zfill(4)}_aligned.jpg"
    return aligned if (root / aligned).is_file() else f"{images}/{name}"
