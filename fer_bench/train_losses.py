"""The parts of the loss over an epoch: added up where they are, looked at now and then.

Reading a number off an accelerator makes the program wait for it; an epoch is told in a few such stops.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fer_bench import processes

LOSS, COUNT = "loss", "count"


class NotFinite(Exception):
    """A loss that is not a finite number: its value, and the step of the epoch, from 1."""

    def __init__(self, value: float, step: int) -> None:
        super().__init__(value, step)
        self.value, self.step = value, step


@dataclass
class EpochLosses:
    """Means over the images of an epoch so far; scalars stay on their device until `settle` reads them."""

    sums: dict[str, float] = field(default_factory=dict)
    seen: float = 0.0
    steps: int = 0
    _waiting: list[dict[str, Tensor]] = field(default_factory=list)

    def add(self, parts: dict[str, Tensor], count: int) -> None:
        """Take the means of a step over `count` images; `loss` is among them."""
        scalars = {name: value.detach() for name, value in parts.items()}
        self._waiting.append({**scalars, COUNT: torch.full_like(scalars[LOSS], count)})

    def settle(self) -> None:
        """Read what waits; several processes do so together, and their means become those of all images.

        Raises:
            NotFinite: the first loss that is not finite.
        """
        if not self._waiting:
            return
        names = list(self._waiting[0])
        waiting = torch.stack([torch.stack([parts[name].float() for name in names]) for parts in self._waiting])
        self._waiting = []
        for values in processes.mean(waiting).tolist():
            self._take(dict(zip(names, values, strict=True)))

    def means(self) -> dict[str, float]:
        """Part -> mean over all images settled."""
        return {name: total / self.seen for name, total in self.sums.items()}

    def _take(self, values: dict[str, float]) -> None:
        count = values.pop(COUNT)
        self.steps += 1
        if not math.isfinite(values[LOSS]):
            raise NotFinite(values[LOSS], self.steps)
        self.seen += count
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * count
