"""A miniature RAF-DB: generated faces in larger photographs, laid out as the dataset itself is."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_bench.datasets import read_image
from fer_bench.datasets._alignment import five_points
from fer_bench.datasets.rafdb import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface import SynthSettings, generate

IDS = {"surprise": 1, "fear": 2, "disgust": 3, "happiness": 4, "sadness": 5, "anger": 6, "neutral": 7}
SIDE = 112  # of a generated face
SIZE = (300, 220)  # width, height of a photograph: not square, so that swapped axes show
CORNER = (150, 60)  # where a face is put


def faces(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fourteen train and seven test faces, two and one of each expression, unoccluded; index and ground truth."""
    settings = SynthSettings(train=14, val=0, test=7, size=SIDE, occlusion=0.0, glasses=0.0)
    index = generate(settings, folder, workers=1, progress=False)
    return index, pd.read_parquet(folder / "ground_truth.parquet").set_index("id").loc[index["id"]]


def make(folder: Path) -> Path:
    """Write the tree folder/RAF-DB from faces generated in folder/generated and return the folder."""
    source, root = folder / "generated", folder / "RAF-DB"
    index, truth = faces(source)
    for name in ("Image/original", "Image/aligned", "Annotation/boundingbox", "Annotation/manual", "EmoLabel"):
        (root / "basic" / name).mkdir(parents=True)
    lines = []
    for row, (_, exact) in zip(index.itertuples(), truth.iterrows(), strict=True):
        number = len(lines)
        name = f"train_{number + 1:05}" if row.split == "train" else f"test_{number - 13:04}"
        face = read_image(source / row.path)
        points = np.stack([exact[[f"{axis}{k}" for k in range(68)]].to_numpy(float) for axis in "xy"], axis=1)
        write_photograph(root, name, photograph(number, {CORNER: face}))
        write_box(root, name, box_at(CORNER))
        write_points(root, name, five_points(points) + CORNER)
        Image.fromarray(face).resize((100, 100)).save(root / f"basic/Image/aligned/{name}_aligned.jpg", quality=95)
        lines.append(f"{name}.jpg {IDS[row.label]}")
    write_labels(root, lines)
    return folder


def copy(made: Path, folder: Path) -> Path:
    """Copy what `make` wrote and return the root of the copy, free to be changed."""
    return Path(shutil.copytree(made / "RAF-DB", folder / "RAF-DB"))


def photograph(seed: int, placed: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    """A smooth, faceless background with faces at the given corners (left, top)."""
    coarse = np.random.default_rng(seed).integers(60, 200, (2, 3, 3), dtype=np.uint8)
    scene = np.array(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC))
    for (left, top), face in placed.items():
        scene[top : top + len(face), left : left + face.shape[1]] = face
    return scene


def box_at(corner: tuple[int, int]) -> tuple[float, ...]:
    """The annotated box of a face put at a corner: left, top, right, bottom, taller than wide."""
    left, top = corner
    return (left + 14.25, top + 8.5, left + 98.75, top + 107.0)


def write_photograph(root: Path, name: str, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(root / f"basic/Image/original/{name}.jpg", quality=95)


def write_box(root: Path, name: str, box: tuple[float, ...]) -> None:
    text = " ".join(f"{edge:f}" for edge in box) + " \n"
    (root / f"basic/Annotation/boundingbox/{name}_boundingbox.txt").write_text(text)


def write_points(root: Path, name: str, points: np.ndarray) -> None:
    """Five points, then gender, race and age, as in the dataset."""
    lines = [f"{x:.3f}\t{y:.3f}" for x, y in points] + ["0", "1", "2"]
    (root / f"basic/Annotation/manual/{name}_manu_attri.txt").write_text("\n".join(lines) + "\n")


def label_file(root: Path) -> Path:
    return root / "basic/EmoLabel/list_patition_label.txt"


def write_labels(root: Path, lines: list[str]) -> None:
    label_file(root).write_text("\n".join(lines) + "\n")


def labels(root: Path) -> list[str]:
    return label_file(root).read_text().splitlines()


def dataset(root: Path | None, **settings: object) -> Dataset:
    chosen = {"detector": "dlib", "landmarks": "dlib", **settings}
    return Dataset("rafdb", Settings(root=None if root is None else str(root), **chosen))


def out_of(root: Path) -> Path:
    return root.parent / "data" / "faces" / "rafdb"


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(out_of(root), workers=1, progress=False)


def refused(root: Path | None, message: str, folder: Path | None = None, **settings: object) -> str:
    """Prepare must fail with one line, and write nothing."""
    out = out_of(root) if root else (folder or Path("never"))
    with pytest.raises(InputError, match=message) as caught:
        dataset(root, **settings).prepare(out, workers=1, progress=False)
    assert not out.exists()
    assert not (out.parent.parent / "private").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_folds(folder: Path, lines: list[str], pattern: str = "basic/Image/our_aligned/{}.jpg") -> Path:
    """The authors' fold files for the lines of a label file: val repeats test."""
    order = {name: number for number, name in enumerate(EXPRESSIONS)}
    words = {number: name for name, number in IDS.items()}
    folder.mkdir(parents=True)
    (folder / "class_id.yaml").write_text("".join(f"{name.capitalize()}: {k}\n" for name, k in sorted(order.items())))
    named = [(name.removesuffix(".jpg"), order[words[int(label)]]) for name, label in map(str.split, lines)]
    for split in ("train", "val", "test"):
        rows = [(pattern.format(name), label) for name, label in named if name.startswith(split.replace("val", "test"))]
        (folder / split).mkdir()
        (folder / split / "image_ids.txt").write_text("".join(f"{image}\n" for image, _ in rows))
        (folder / split / "class_labels.txt").write_text("".join(f"{image},{label}\n" for image, label in rows))
    return folder
