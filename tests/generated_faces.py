"""A few generated faces as files, to lay out as published collections do."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
from PIL import Image

from fer_bench.expressions import EXPRESSIONS

SIDE = 48


@cache
def generated() -> dict[str, list[tuple[Image.Image, np.ndarray]]]:
    """Five faces of each expression, SIDE pixels square, with their 68 landmarks, made once per process."""
    from fer_bench.datasets.synthetic import Dataset, Settings

    out = Path(mkdtemp())
    settings = Settings(preset="smoke", overrides={"train": 21, "val": 7, "test": 7, "size": SIDE})
    frame: pd.DataFrame = Dataset("synthetic", settings).prepare(out, workers=1, progress=False)
    truth = pd.read_parquet(out / "ground_truth.parquet").set_index("id")
    axes = [[f"{axis}{number}" for number in range(68)] for axis in "xy"]
    points = {name: np.stack([truth.loc[name, axis].to_numpy(float) for axis in axes], axis=1) for name in frame["id"]}
    return {
        word: [
            (Image.open(out / row.path).copy(), points[row.id]) for row in frame[frame["label"] == word].itertuples()
        ]
        for word in EXPRESSIONS
    }


def face(expression: str, number: int) -> Image.Image:
    """A face of that expression; contempt, which is not generated, is shown by a happy one."""
    return _known(expression, number)[0]


def landmarks_in(box: tuple[int, int, int, int], expression: str, number: int = 0) -> np.ndarray:
    """The landmarks (68, 2) of a face that `photograph` puts into a box, in pixels of the photograph."""
    left, top, right, bottom = box
    scale = np.array([right - left, bottom - top]) / SIDE
    return (_known(expression, number)[1] + 0.5) * scale - 0.5 + (left, top)


def _known(expression: str, number: int) -> tuple[Image.Image, np.ndarray]:
    known = generated()[expression if expression in EXPRESSIONS else "happiness"]
    return known[number % len(known)]


def save_face(path: Path, expression: str, number: int = 0) -> Path:
    """Write a face in the format of the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    face(expression, number).save(path, quality=90)
    return path


def photograph(path: Path, expression: str, box: tuple[int, int, int, int], size: tuple[int, int] = (160, 120)) -> Path:
    """Write a grey picture of that size (width, height) with a face in the box (left, top, right, bottom)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size, (90, 100, 110))
    left, top, right, bottom = box
    picture.paste(face(expression, 0).resize((right - left, bottom - top)), (left, top))
    picture.save(path, quality=95)
    return path
