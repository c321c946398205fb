"""Batches of a training: drawn, decoded and augmented, the same whatever the number of workers and processes."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fer_bench import augment, augment_stepwise
from fer_bench.cells import seed_of
from fer_bench.data import Faces, MapSource, ResizedImages
from fer_bench.processes import Place
from fer_bench.train_settings import Augmentation, Sampling

Key = tuple[int, int, tuple[int, ...]]  # epoch, step, rows of the split


class TrainBatches(Dataset[dict[str, Any]]):
    """Training batches; the item's key is (epoch, step, rows), so any worker gives the same batch.

    Of several processes each makes its share of a batch, with the draws that one process would have made for it.
    """

    def __init__(
        self,
        faces: Faces,
        maps: MapSource,
        resize: int,
        size: int,
        settings: Augmentation,
        seed: int,
        stepwise: bool = False,
        place: Place | None = None,
        on_device: bool = False,
    ) -> None:
        """Prepare for a split.

        Args:
            faces: the training split.
            maps: the source of its maps.
            resize: side to which images are resized before they are augmented.
            size: side of the network's input.
            settings: probabilities and ranges of the augmentation.
            seed: source of all draws, with epoch and step.
            stepwise: augment as published, image by image; on the CPU alone.
            place: which process this is; None: the only one, or one that needs all images of a batch.
            on_device: leave the augmentation to `finished`, on the device that trains.
        """
        self.images = ResizedImages(faces, resize)
        self.faces, self.maps, self.size = faces, maps, size
        self.settings, self.seed, self.place = settings, seed, place or Place()
        self.method: Any = augment_stepwise if stepwise else augment
        self.on_device = on_device and not stepwise
        # Published maps start at the resolution of the stored image, which has to be one for a batch of them.
        self.map_side = (faces.stored_side() if stepwise else None) or resize

    def __getitem__(self, key: Key) -> dict[str, Any]:
        """Build one batch: images, labels, maps and valid; with `on_device` raw images and maps, and their draws."""
        epoch, step, chosen = key
        generator = torch.Generator().manual_seed(seed_of(self.seed, "batch", epoch, step))
        share = self.place.share(len(chosen))
        rows = np.array(chosen[share])
        draws = self.method.draw(len(chosen), self.images.size, self.size, self.settings, generator)[share]
        maps, valid = self.maps(rows, self.map_side)
        raw = {"images": self.images.pixels(rows), "labels": torch.from_numpy(self.faces.labels[rows])}
        batch = {**raw, "maps": maps, "valid": valid, "draws": draws}
        return batch if self.on_device else finished(batch, self.size, self.method)


def finished(batch: dict[str, Any], size: int, method: Any = augment) -> dict[str, Tensor]:
    """Augment what `TrainBatches` has drawn, where it is; a batch without draws is returned as it is.

    method: the module that drew.
    """
    if "draws" not in batch:
        return batch
    images, maps = method.apply(batch["images"], batch["maps"], size, batch["draws"])
    # A map of which nothing is left after the crop says nothing about where to look.
    valid = batch["valid"] & (maps.flatten(1).amax(dim=1) > 0)
    return {"images": images, "labels": batch["labels"], "maps": maps, "valid": valid}


class EpochOrder(Sampler[Key]):
    """Shuffled batches of an epoch; the order comes from seed and epoch alone, the last partial batch is kept.

    `shuffled`: every image once. `balanced`: every class equally often, in all about as many as there are images; those
    of a small class come back, and of a large one each epoch sees another part.
    """

    def __init__(self, labels: np.ndarray, batch_size: int, seed: int, sampling: Sampling = "shuffled") -> None:
        self.batch_size, self.seed, self.epoch = batch_size, seed, 0
        self.start = 0  # steps of the epoch that are done already, by a training that goes on
        self.classes = [torch.arange(len(labels))]
        if sampling == "balanced":
            self.classes = [torch.from_numpy(np.flatnonzero(labels == label)) for label in np.unique(labels)]
        self.per_class = len(labels) // max(1, len(self.classes))

    def __len__(self) -> int:
        return math.ceil(self.images / self.batch_size)

    @property
    def images(self) -> int:
        """How many images an epoch shows."""
        return self.per_class * len(self.classes)

    def __iter__(self) -> Iterator[Key]:
        generator = torch.Generator().manual_seed(seed_of(self.seed, "order", self.epoch))
        order = self._order(generator).tolist()
        for step in range(self.start, len(self)):
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
) -> tuple[DataLoader[dict[str, Any]], EpochOrder]:
    """Return the loader and its sampler; set `sampler.epoch` before each epoch."""
    order = EpochOrder(batches.faces.labels, batch_size, batches.seed, sampling)
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=batches.on_device,  # then the next batch is copied while this one is trained on
        worker_init_fn=_one_thread,
    )
    return loader, order


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
