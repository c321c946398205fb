"""A miniature AffectNet in each of its two releases, laid out as they are."""

from pathlib import Path

import numpy as np
from generated_faces import landmarks_in, photograph, save_face

from fer_bench.datasets.affectnet import SOURCE
from fer_bench.expressions import EXPRESSIONS_8

# the release's number of each expression, as its paper lists them
NUMBERS = {
    "neutral": 0, "happiness": 1, "sadness": 2, "surprise": 3, "fear": 4, "disgust": 5, "anger": 6, "contempt": 7,
}  # fmt: skip


def add(root: Path, split: str, name: str, expression: str, number: int = 0) -> None:
    save_face(root / split / "images" / f"{name}.jpg", expression, number)
    folder = root / split / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}_exp.npy", np.array(str(NUMBERS[expression])))  # text, as in the release
    np.save(folder / f"{name}_lnd.npy", np.zeros(136))


def make_npy(folder: Path) -> Path:
    """Four train images and one test image of each of the eight classes, cropped, with .npy labels."""
    for k, expression in enumerate(EXPRESSIONS_8):
        for copy in range(4):
            add(folder, "train_set", str(10 * k + copy), expression, copy)
        add(folder, "val_set", str(10 * k), expression, 4)
    return folder


# the older release

HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
BOX = (30, 10, 90, 70)  # left, top, right, bottom


def line(image: str, expression: str, points: np.ndarray, box: tuple[int, int, int, int] = BOX) -> str:
    """A line of training.csv or validation.csv; points (68, 2) in pixels of the photograph."""
    left, top, right, bottom = box
    listed = ";".join(f"{value:g}" for value in points.ravel())
    return f"{image},{left},{top},{right - left},{bottom - top},{listed},{SOURCE.index(expression)},-2,-2"


def write(root: Path, name: str, lines: list[str], header: bool = True) -> None:
    (root / name).write_text("\n".join([HEADER] * header + lines) + "\n")


def make_csv(folder: Path) -> Path:
    """Two train photographs and one test photograph of each of the eight classes, and one without a face."""
    train, test = [], []
    for expression in EXPRESSIONS_8:
        for name, lines in ((f"1/{expression}_a", train), (f"2/{expression}_b", train), (f"3/{expression}_c", test)):
            photograph(folder / "Manually_Annotated_Images" / f"{name}.jpg", expression, BOX)
            lines.append(line(f"{name}.jpg", expression, landmarks_in(BOX, expression)))
    train.append("4/nothing.jpg,NULL,NULL,NULL,NULL,NULL,10,-2,-2")  # neither box nor points nor file
    write(folder, "training.csv", train)
    write(folder, "validation.csv", test)
    return folder
