"""A small folder of pictures with a labels file, and how the tests of folder datasets use it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_bench.datasets.folder import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS

LABELS = [word for word in EXPRESSIONS for _ in range(3)]
SPLITS = ["train", "val", "test"] * 7


def picture(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def make_folder(parent: Path) -> Path:
    """Three images of each expression, one per split, 40 x 30 pixels."""
    folder = parent / "faces"
    (folder / "images").mkdir(parents=True)
    names = [f"Person_{i:02}_0001.png" for i in range(21)]
    for i, name in enumerate(names):
        picture(i).save(folder / "images" / name)
    write(folder, pd.DataFrame({"image": names, "label": LABELS, "split": SPLITS}))
    return folder


def write(root: Path, table: pd.DataFrame) -> None:
    table.to_csv(root / "labels.csv", index=False)


def table(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "labels.csv", dtype=str, keep_default_na=False)


def dataset(root: Path | None, **settings: object) -> Dataset:
    """A dataset whose images may be shown, so that stored copies lie beside the index."""
    chosen = {"publishable_images": True, **settings}
    return Dataset("mine", Settings(root=None if root is None else str(root), **chosen))


def prepare(root: Path, **settings: object) -> pd.DataFrame:
    return dataset(root, **settings).prepare(root.parent / "out", workers=1, progress=False)


def refused(root: Path | None, message: str, out: Path | None = None, **settings: object) -> str:
    """Prepare must fail with one line that names the place in params.yaml, and write nothing."""
    out = out or (root.parent / "out" if root else Path("never"))
    with pytest.raises(InputError, match=message) as caught:
        dataset(root, **settings).prepare(out, workers=1, progress=False)
    assert not out.exists()
    assert "\n" not in str(caught.value)
    assert "mine" in str(caught.value) or "MINE" in str(caught.value)
    return str(caught.value)


def spoil(root: Path) -> None:
    images = root / "images"
    (images / "Person_00_0001.png").write_bytes(b"")
    whole = (images / "Person_01_0001.png").read_bytes()
    (images / "Person_01_0001.png").write_bytes(whole[: len(whole) // 2])
    (images / "Person_02_0001.png").write_text("hello")
    Image.new("RGB", (1, 1)).save(images / "Person_05_0001.png")
