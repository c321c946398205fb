"""Faces of a split and batches in their order: images, labels and the action unit maps that belong to them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_bench.packed import PackedImages
from fer_bench.resample import resample

Batch = dict[str, Tensor]
# rows of the split -> maps (B, R, R) in [0, 1] and valid (B,)
MapSource = Callable[[np.ndarray, int], tuple[Tensor, Tensor]]
IN_MEMORY_BYTES = 1_000_000_000  # a split that is smaller once resized is decoded once and kept


@dataclass
class Faces:
    """One split of a dataset.

    frame: its rows of index.csv.
    labels: (N,) class ids.
    root: folder that the paths of the frame are relative to.
    read: reads one image file as (H, W, 3) uint8 RGB.
    resampling: how images are brought to another size, `area` or `bilinear` (see `fer_bench.resample`).
    packed: folder of packed images (see `fer_bench.packed`), None where there can be none.
    reader: what `read` does, as text: the dataset's plug-in, its settings and the view.
    """

    frame: pd.DataFrame
    labels: np.ndarray
    root: Path
    read: Callable[[Path], np.ndarray]
    resampling: str = "area"
    packed: Path | None = None
    reader: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    def decode(self, row: int, size: int) -> np.ndarray:
        """Read one image and resize it to (size, size, 3), ignoring its aspect as the published recipe does."""
        return resample(self.read(self.root / str(self.frame["path"].iloc[row])), size, self.resampling)

    def packed_at(self, size: int) -> PackedImages | None:
        """Return the packed images of that size, whether they have been made or not."""
        if self.packed is None:
            return None
        hashes = [str(value) for value in self.frame["sha256"]]
        return PackedImages(self.packed, f"{self.reader} {self.resampling}", hashes, size)

    def stored_side(self) -> int | None:
        """Side of the stored images, where all of them are squares of one size."""
        sides = set(self.frame["width"]) | set(self.frame["height"])
        return int(sides.pop()) if len(sides) == 1 else None


class ResizedImages:
    """Images of a split at one size: kept in memory if they fit, else packed in files if they are, else decoded."""

    def __init__(self, faces: Faces, size: int) -> None:
        self.faces, self.size = faces, size
        self._kept: np.ndarray | PackedImages | None = None
        if 0 < len(faces) * size * size * 3 <= IN_MEMORY_BYTES:
            self._kept = np.stack([faces.decode(row, size) for row in range(len(faces))])
        elif len(faces) and (packed := faces.packed_at(size)) and packed.whole:
            self._kept = packed

    def __call__(self, rows: np.ndarray) -> Tensor:
        """Return (B, 3, size, size) float in [0, 1]."""
        return self.pixels(rows).float().div_(255)

    def pixels(self, rows: np.ndarray) -> Tensor:
        """Return (B, 3, size, size) uint8, channels last in memory."""
        kept = self._kept
        found = kept[rows] if kept is not None else np.stack([self.faces.decode(row, self.size) for row in rows])
        return torch.from_numpy(found).permute(0, 3, 1, 2)


class EvaluationBatches:
    """(rows, batch) in the order of a split, as often as asked: resized to the input size, nothing is random."""

    def __init__(self, faces: Faces, maps: MapSource, size: int, batch_size: int) -> None:
        self.images = ResizedImages(faces, size)
        self.faces, self.maps, self.size, self.batch_size = faces, maps, size, batch_size

    def __iter__(self) -> Iterator[tuple[np.ndarray, Batch]]:
        for start in range(0, len(self.faces), self.batch_size):
            rows = np.arange(start, min(start + self.batch_size, len(self.faces)))
            values, valid = self.maps(rows, self.size)
            labels = torch.from_numpy(self.faces.labels[rows])
            yield rows, {"images": self.images(rows), "labels": labels, "maps": values, "valid": valid}


def evaluation_batches(faces: Faces, maps: MapSource, size: int, batch_size: int) -> Iterator[tuple[np.ndarray, Batch]]:
    """Yield the batches of `EvaluationBatches` once."""
    return iter(EvaluationBatches(faces, maps, size, batch_size))


def no_maps(rows: np.ndarray, side: int) -> tuple[Tensor, Tensor]:
    """The map source where maps are not asked for: zeros, none of them valid."""
    return torch.zeros(len(rows), side, side), torch.zeros(len(rows), dtype=torch.bool)
