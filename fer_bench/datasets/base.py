"""What every dataset promises: an index that was checked, the folder its paths start from, a licence."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from fer_bench.datasets._images import read_image
from fer_bench.datasets._index import check_index, write_index
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.settings import Settings


class DatasetSettings(Settings):
    """Keys that every dataset's section of params.yaml may hold.

    plugin: the file of `fer_bench/datasets/` that reads it; absent = the file of the dataset's own name.
    root: folder of images outside the repository; absent = environment variable FER_BENCH_ROOT_<NAME>.
    fingerprint: what `fer-bench check` printed for that folder; the stage `faces` fails when it differs.
    landmarks: name of the landmark backend.
    val_fraction, val_per_class, split_seed: how val is taken from train where a dataset has no val rows.
    train: overrides of the section `train` for this dataset.
    """

    plugin: str | None = None
    root: str | None = None
    fingerprint: str | None = None
    landmarks: str = "face_alignment"
    val_fraction: float = Field(0.1, ge=0, lt=1)
    val_per_class: int | None = Field(None, ge=1)
    split_seed: int = 0
    train: dict[str, Any] = {}

    def plugins(self) -> list[str]:
        """Name modules of other kinds that decide about the images; where they change, the stage `faces` reruns."""
        return []

    def readers(self) -> list[str]:
        """Name modules of other kinds that decide how stored images look when read; where they change, cells rerun."""
        return []


class DatasetBase:
    """A dataset; a plug-in overrides `collect` and, where images lie elsewhere, `image_root` and `check`."""

    label: str = ""
    licence: str = ""
    citation: str = ""
    publishable_images: bool = False
    generated: bool = False  # whether the faces are made from the codebook that the maps are drawn from
    paired: bool = False  # whether the test images are pairs of faces that differ in one action unit
    expressions: tuple[str, ...] = EXPRESSIONS
    views: tuple[str, ...] = ()  # ways in which the test images can be shown, besides as they are tested
    counts: Mapping[str, Mapping[str, int]] = {}  # published images per split and expression; val belongs to train

    def __init__(self, name: str, settings: DatasetSettings, source: str | None = None) -> None:
        self.name = name
        self.settings = settings
        self.source = source or f"params.yaml: datasets.{name}"

    @property
    def terms(self) -> str:
        """Licence and citation in one line for the screen; what is not known is said."""
        licence, citation = self.licence or "not given", self.citation or "not given"
        return f"{self.label or self.name}: licence: {licence}; cite: {citation}"

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Return the index (columns `COLUMNS`), after writing below `out` what the dataset makes itself."""
        raise NotImplementedError

    def prepare(self, out: Path, workers: int = 0, progress: bool = True) -> pd.DataFrame:
        """Collect, check and write `out`/index.csv; raises InputError before anything is written for bad input."""
        frame = self.collect(out, workers, progress)
        check_index(frame, self.expressions, self.source)
        out.mkdir(parents=True, exist_ok=True)
        write_index(frame, out / "index.csv")
        return frame

    def image_root(self, out: Path) -> Path:
        """Return the folder that the paths of the index start from."""
        return out

    def reader(self, out: Path, split: str, view: str = "") -> Callable[[Path], np.ndarray]:
        """Return what reads an image file of a split as (H, W, 3) uint8 RGB; `view`: one of `views`, or none."""
        return read_image

    def store_root(self, out: Path) -> Path:
        """Return the folder of images that we make: `out` itself, or data/private/NAME if they may not be published.

        data/private is no output of any stage, so such images enter neither git nor DVC's cache nor a remote.
        """
        return out if self.publishable_images else out.parent.parent / "private" / out.name

    def ground_truth(self, out: Path) -> Path | None:
        """Return the table of true landmarks and action units, where there is one."""
        return None

    def check(self, workers: int = 0, progress: bool = True) -> str:
        """Return the fingerprint of the folder outside the repository ("" when there is none).

        Raises:
            InputError: the folder is missing, or differs from the fingerprint in the settings.
        """
        return ""

    def external_root(self) -> Path:
        """Find the folder outside the repository: `root` in params.yaml, else FER_BENCH_ROOT_<NAME>.

        Raises:
            InputError: none was given, or it is no folder, or an empty one.
        """
        variable = f"FER_BENCH_ROOT_{self.name.upper()}"
        given, origin = self.settings.root, f"{self.source}.root"
        if given is None:
            given, origin = os.environ.get(variable), f"environment variable {variable}"
        if not given:
            raise InputError(
                f"{self.source}.root: no folder given; set it, or the environment variable {variable}, "
                "to the folder of the dataset"
            )
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise InputError(f"{origin}: {given!r} is not a folder; give the folder of the dataset")
        if next(folder.iterdir(), None) is None:
            raise InputError(f"{origin}: the folder {given!r} is empty; give the folder of the dataset")
        return folder
