"""A split of a dataset as it is read by training and evaluation: images, labels, maps."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.au.store import MapStore, ids_hash
from fer_bench.cells import PACKED, faces_folder, heatmaps_folder, landmarks_file
from fer_bench.data import Faces
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.datasets import read_image, read_index
from fer_bench.errors import InputError


class DatasetFiles:
    """The prepared files of a dataset, opened once."""

    def __init__(self, entry: Mapping[str, Any], root: Path = Path(), resampling: str = "area") -> None:
        """Open index and maps below the repository root.

        Args:
            entry: the `dataset` part of a plan file.
            root: repository root.
            resampling: how images are brought to the input size (the protocol's).
        """
        self.resampling = resampling
        self.name = str(entry["name"])
        self.plugin = dataset_plugin(entry)
        self.folder = root / faces_folder(self.name)
        self.heatmaps = root / heatmaps_folder(self.name)
        self.landmarks = root / landmarks_file(self.name)
        self.packed = root / PACKED
        self._plugin = [entry["plugin"], entry["settings"]]
        self.index = read_index(self.folder / "index.csv")

    def faces(self, split: str, view: str = "") -> Faces:
        """Return a split, shown as one of the plug-in's `views` or plainly; an empty split is an error."""
        frame = self.index[self.index["split"] == split]
        if frame.empty:
            raise InputError(f"dataset {self.name}: no image in the split {split!r} of {self.folder / 'index.csv'}")
        order = {name: number for number, name in enumerate(self.plugin.expressions)}
        labels = frame["label"].map(order).to_numpy(dtype=np.int64, copy=True)
        read = self.plugin.reader(self.folder, split, view)
        reader = json.dumps([self._plugin, split, view], sort_keys=True)
        return Faces(frame, labels, self.plugin.image_root(self.folder), read, self.resampling, self.packed, reader)

    def store(self, variant: str) -> MapStore:
        """Open the map store; one that belongs to other faces is an error."""
        store = MapStore(self.heatmaps, variant)
        if store.ids_sha256 != ids_hash(list(self.index["id"])):
            raise InputError(f"{self.heatmaps}: its maps belong to other faces; run `dvc repro heatmaps@{self.name}`")
        return store

    def image(self, row: int) -> np.ndarray:
        """Read the image of a row of the index, (H, W, 3) uint8."""
        return read_image(self.plugin.image_root(self.folder) / str(self.index["path"].iloc[row]))

    def ground_truth(self) -> pd.DataFrame | None:
        """Return the table of what is really in each face, indexed by id, where the dataset knows it."""
        path = self.folder / "ground_truth.parquet"
        return pd.read_parquet(path).set_index("id") if path.is_file() else None
