"""Several processes that train one network together: who they are, which images are whose, and sums over all of them.

Batches, random draws and denominators are those of the whole batch, so that N processes do what one does. One process
is the rule; then everything here is the identity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

Item = TypeVar("Item")


@dataclass(frozen=True)
class Place:
    """A process among those that train together: its number, from 0, and how many there are; process 0 writes."""

    index: int = 0
    count: int = 1

    def share(self, total: int) -> slice:
        """Return which images of a batch are this process's: neighbours, in all processes about equally many."""
        return slice(total * self.index // self.count, total * (self.index + 1) // self.count)


def place() -> Place:
    """Return the place of this process."""
    return Place(distributed.get_rank(), distributed.get_world_size()) if _several() else Place()


def mean(value: Tensor) -> Tensor:
    """Average a tensor over all processes; without a graph.

    A sum over this process's images, divided by the mean count of images, becomes the mean over all images when it is
    averaged over the processes, and so do its gradients, which are averaged there.
    """
    if not _several():
        return value
    total = value.detach().to(torch.promote_types(value.dtype, torch.float32), copy=True)
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def gathered(own: Sequence[Item]) -> list[Item]:
    """Put the items of all processes behind one another, in the order of the processes, on each of them."""
    if not _several():
        return list(own)
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, list(own))
    return [item for part in parts for item in part]


def rows_of_whole(own: int) -> tuple[int, slice]:
    """Return how many images all processes have, and where this one's `own` stand among them."""
    counts = gathered([own])
    start = sum(counts[: place().index])
    return sum(counts), slice(start, start + own)


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
