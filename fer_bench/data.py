"""Batches for training and evaluation: images, labels and the action unit maps that belong to them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fer_bench import augment, augment_stepwise
from fer_bench.cells import seed_of
from fer_bench.resample import resample
from fer_bench.train_settings import Augmentation, Sampling

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
    """

    frame: pd.DataFrame
    labels: np.ndarray
    root: Path
    read: Callable[[Path], np.ndarray]
    resampling: str = "area"

    def __len__(self) -> int:
        return len(self.frame)

    def decode(self, row: int, size: int) -> np.ndarray:
        """Read one image and resize it to (size, size, 3), ignoring its aspect as the published recipe does."""
        return resample(self.read(self.root / str(self.frame["path"].iloc[row])), size, self.resampling)

    def stored_side(self) -> int | None:
        """Side of the stored images, where all of them are squares of one size."""
        sides = set(self.frame["width"]) | set(self.frame["height"])
        return int(sides.pop()) if len(sides) == 1 else None


class ResizedImages:
    """Images of a split at one size: kept in memory if they fit, else decoded on demand."""

    def __init__(self, faces: Faces, size: int) -> None:
        self.faces, self.size = faces, size
        fits = len(faces) * size * size * 3 <= IN_MEMORY_BYTES
        self._kept = np.stack([faces.decode(row, size) for row in range(len(faces))]) if fits and len(faces) else None

    def __call__(self, rows: np.ndarray) -> Tensor:
        """Return (B, 3, size, size) float in [0, 1]."""
        kept = self._kept
        pixels = kept[rows] if kept is not None else np.stack([self.faces.decode(row, self.size) for row in rows])
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)


class TrainBatches(Dataset[Batch]):
    """Augmented training batches; the item's key is (epoch, step, rows), so any worker gives the same batch."""

    def __init__(
        self,
        faces: Faces,
        maps: MapSource,
        resize: int,
        size: int,
        settings: Augmentation,
        seed: int,
        stepwise: bool = False,
    ) -> None:
        self.images = ResizedImages(faces, resize)
        self.faces, self.maps, self.size = faces, maps, size
        self.settings, self.seed = settings, seed
        self.augment = augment_stepwise.augment if stepwise else augment.augment
        # Published maps start at the resolution of the stored image, which has to be one for a batch of them.
        self.map_side = (faces.stored_side() if stepwise else None) or resize

    def __getitem__(self, key: tuple[int, int, tuple[int, ...]]) -> Batch:
        """Build one batch."""
        epoch, step, chosen = key
        rows = np.array(chosen)
        generator = torch.Generator().manual_seed(seed_of(self.seed, "batch", epoch, step))
        maps, valid = self.maps(rows, self.map_side)
        images, maps = self.augment(self.images(rows), maps, self.size, self.settings, generator)
        # A map of which nothing is left after the crop says nothing about where to look.
        valid = valid & (maps.flatten(1).amax(dim=1) > 0)
        return {"images": images, "labels": torch.from_numpy(self.faces.labels[rows]), "maps": maps, "valid": valid}


class EpochOrder(Sampler[tuple[int, int, tuple[int, ...]]]):
    """Shuffled batches of an epoch; the order comes from seed and epoch alone, the last partial batch is kept.

    `shuffled`: every image once. `balanced`: every class equally often, in all about as many as there are images; those
    of a small class come back, and of a large one each epoch sees another part.
    """

    def __init__(self, labels: np.ndarray, batch_size: int, seed: int, sampling: Sampling = "shuffled") -> None:
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0
        self.classes = [torch.arange(len(labels))]
        if sampling == "balanced":
            self.classes = [torch.from_numpy(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        self.per_class = len(labels) // max(1, len(self.classes))

    def __len__(self) -> int:
        return math.ceil(self.per_class * len(self.classes) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        generator = torch.Generator().manual_seed(seed_of(self.seed, "order", self.epoch))
        order = self._order(generator).tolist()
        for step in range(len(self)):
            yield self.epoch, step, tuple(order[step * self.batch_size : (step + 1) * self.batch_size])

    def _order(self, generator: torch.Generator) -> Tensor:
        if len(self.classes) == 1:
            return torch.randperm(len(self.classes[0]), generator=generator)
        drawn = torch.cat([self._draw(rows, generator) for rows in self.classes])
        return drawn[torch.randperm(len(drawn), generator=generator)]

    def _draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Draw `per_class` of the rows: each once before any comes back."""
        rounds = math.ceil(self.per_class / len(rows))
        turns = [rows[torch.randperm(len(rows), generator=generator)] for _ in range(rounds)]
        return torch.cat(turns)[: self.per_class]


def train_loader(
    batches: TrainBatches, batch_size: int, workers: int, sampling: Sampling = "shuffled"
) -> tuple[DataLoader[Batch], EpochOrder]:
    """Return the loader and its sampler; set `sampler.epoch` before each epoch."""
    order = EpochOrder(batches.faces.labels, batch_size, batches.seed, sampling)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_one_thread,
    )
    return loader, order


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def evaluation_batches(faces: Faces, maps: MapSource, size: int, batch_size: int) -> Iterator[tuple[np.ndarray, Batch]]:
    """Yield (rows, batch) in the order of the split: resized to the input size, nothing cropped, nothing random."""
    images = ResizedImages(faces, size)
    for start in range(0, len(faces), batch_size):
        rows = np.arange(start, min(start + batch_size, len(faces)))
        values, valid = maps(rows, size)
        labels = torch.from_numpy(faces.labels[rows])
        yield rows, {"images": images(rows), "labels": labels, "maps": values, "valid": valid}


def no_maps(rows: np.ndarray, side: int) -> tuple[Tensor, Tensor]:
    """The map source where maps are not asked for: zeros, none of them valid."""
    return torch.zeros(len(rows), side, side), torch.zeros(len(rows), dtype=torch.bool)
