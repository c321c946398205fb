"""AffectNet: the release of cropped faces with .npy labels, or the older one with CSV files, boxes and landmarks."""

from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from fer_bench.datasets import _affectnet_csv, _affectnet_npy
from fer_bench.datasets._crop import Crop
from fer_bench.datasets._fingerprint import digest_file, join_digests
from fer_bench.datasets._given_landmarks import write_landmarks
from fer_bench.datasets._labels_file import image_ids
from fer_bench.datasets._published import Listing, PublishedDataset
from fer_bench.datasets._published_settings import CroppedSettings

# the release's own class numbers
SOURCE = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
    "none", "uncertain", "no face",
)  # fmt: skip
_TRAIN = (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750)
_CSV = {"training.csv": "train", "validation.csv": "test"}


class Settings(CroppedSettings):
    """Keys of AffectNet.

    release: `npy` (train_set, val_set; faces are cropped already) or `csv` (training.csv, validation.csv).
    val_per_class: images of each expression that are taken from train; null: val_fraction decides.
    images: csv only: folder of the photographs, relative to `root`.
    size, fit, margin: csv only: how faces are cut out.
    """

    release: Literal["npy", "csv"] = "npy"
    val_per_class: int | None = Field(500, ge=1)
    images: str = "Manually_Annotated_Images"

    @model_validator(mode="after")
    def _no_crops_of_crops(self) -> "Settings":
        for key in ("images", "size", "fit", "margin"):
            if self.release == "npy" and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(
                    f"{key} has no meaning for `release: npy`, whose faces are cropped already; take it out"
                )
        return self


class Dataset(PublishedDataset):
    """Train from the official training set, test from the official validation set, 500 images a class."""

    label = "AffectNet"
    licence = "AffectNet licence agreement: academic research only, images may not be passed on"
    citation = (
        "A. Mollahosseini, B. Hasani and M. H. Mahoor, AffectNet: A Database for Facial Expression, Valence, and "
        "Arousal Computing in the Wild, IEEE Transactions on Affective Computing 10(1), 2019, "
        "doi 10.1109/TAFFC.2017.2740923"
    )
    settings: Settings

    def __init__(self, name: str, settings: Settings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        contempt = 499 if settings.release == "npy" else 500
        test = (500, 500, 500, 500, 500, 500, 500, contempt)
        self.counts = {
            "train": dict(zip(SOURCE, _TRAIN, strict=False)),
            "test": dict(zip(SOURCE, test, strict=False)),
        }

    @property
    def crops_faces(self) -> bool:
        """Whether faces are cut out of photographs: the older release alone needs it."""
        return self.settings.release == "csv"

    def listing(self, root: Path, workers: int, progress: bool) -> Listing:
        """Read the labels of the release; classes that are not among the expressions are left out, with the reason."""
        if self.settings.release == "csv":
            return self._csv(root)
        rows, labels = _affectnet_npy.read_release(root, self.source, workers, progress)
        return Listing(self._named(rows), labels)

    def write_beside(
        self, out: Path, ids: list[str], chosen: np.ndarray, listing: Listing, crops: list[Crop] | None
    ) -> None:
        """Write the release's own landmarks, moved into the crops, for the landmark backend `given`."""
        if crops is not None:
            moved = np.stack([crops[row].move(listing.tables["landmarks"][row]) for row in chosen])
            write_landmarks(ids, moved, out / "landmarks.parquet")

    def _csv(self, root: Path) -> Listing:
        parts, landmarks = [], []
        for name, split in _CSV.items():
            rows, points = _affectnet_csv.read_split(root / name, len(self.expressions), self.source)
            parts.append(rows.assign(split=split))
            landmarks.append(points)
        frame = pd.concat(parts, ignore_index=True)
        frame["id"] = image_ids(frame["image"])
        frame["image"] = [str(PurePosixPath(self.settings.images, image)) for image in frame["image"]]
        labels = join_digests([digest_file(root, name) for name in _CSV])
        return Listing(self._named(frame), labels, tables={"landmarks": np.concatenate(landmarks)})

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        rows["label"] = rows["number"].map(dict(enumerate(SOURCE)))
        known = rows["label"].isin(self.expressions)
        count = len(self.expressions)
        rows["reason"] = ("class " + rows["label"] + f" is none of the {count} expressions").where(~known, "")
        return rows.assign(subject="").drop(columns="number")
