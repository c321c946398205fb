"""DISFA: per video and unit a text file of frame and intensity 0..5."""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets._frames import frame_rows
from fer_bench.datasets._lines import lines_of, numbers_of, require_folder
from fer_bench.datasets._units import Annotations
from fer_bench.errors import InputError

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
_HIGHEST = 5


def read(root: Path, units: str, images: str, every: int, source: str) -> Annotations:
    """Read UNITS/SN001/SN001_au1.txt and so on; the frames of SN001 are the image files in IMAGES/SN001.

    Args:
        root: folder of the collection.
        units: folder of the annotations below it.
        images: folder of the frames below it.
        every: take each n-th annotated frame of a video.
        source: where the dataset stands in params.yaml.

    Raises:
        InputError: a folder or file is absent, a line is of another form, the files of one video list other frames.
    """
    listed = require_folder(root / units, source, "SN001 and so on")
    subjects = [name for name in listed if (root / units / name).is_dir()]
    if not subjects:
        raise InputError(f"{source}: {root / units} holds no folder of a subject, such as SN001")
    rows, values, files = [], [], []
    for subject in subjects:
        names = [f"{units}/{subject}/{subject}_au{unit}.txt" for unit in UNITS]
        columns = [_column(root, name, source) for name in names]
        for name, column in zip(names, columns, strict=True):
            if column.keys() != columns[0].keys():
                raise InputError(f"{source}: {root / name} lists other frames than {names[0]}")
        numbers = sorted(columns[0])[::every]
        rows.append(frame_rows(root, images, subject, subject, numbers, source))
        values.append(np.array([[column[number] for column in columns] for number in numbers]).reshape(-1, len(UNITS)))
        files += names
    intensity = np.concatenate(values) / _HIGHEST
    return Annotations(pd.concat(rows, ignore_index=True), UNITS, intensity, intensity, files)


def _column(root: Path, name: str, source: str) -> dict[int, float]:
    """Read frame -> intensity."""
    found: dict[int, float] = {}
    for place, line in lines_of(root, name, source):
        frame, level = numbers_of(line, 2, place, ",")
        if not frame.is_integer() or frame < 0:
            raise InputError(f"{place}: {frame:g} is no number of a frame")
        if not 0 <= level <= _HIGHEST:
            raise InputError(f"{place}: intensity {level:g} is not in 0..{_HIGHEST}")
        found[int(frame)] = level
    return found
