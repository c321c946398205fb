"""Control: a fixed pattern of blobs per class, without anatomy, as large and as strong as that class's unit maps."""

from functools import lru_cache

import numpy as np
import torch

from fer_bench.guidance import _control, base
from fer_bench.guidance._blobs import Pattern, fitted

FACES = 256  # of each class of the training split, evenly spaced, whose maps are measured
SIDE = 56  # pixels a side at which they are measured


class Settings(_control.NeutralSettings):
    """Which set of patterns, and the options of the alignment term."""

    label: str = "class code"
    pattern: int = 0  # another number, other places of the blobs


class Guidance(_control.Control):
    """The class is all that the map says.

    Patterns are symmetric about the vertical axis, as unit maps nearly are: mirroring an image in training would
    otherwise make two targets of one class. Their places are the same in every cell; their width and shape are those
    for which mean and mean square over the image equal the averages of the class's own maps in the training split.
    A neutral face, if asked for, has a pattern as large and strong as the average of the others.
    """

    knows = "the class, by a pattern without anatomy"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Look up the pattern of each face's class."""
        patterns = self.patterns(split)

        @lru_cache(maxsize=4)
        def drawn(side: int) -> torch.Tensor:
            blank = np.zeros((side, side))
            maps = [patterns[name].draw(side) if name in patterns else blank for name in split.expressions]
            return torch.from_numpy(np.stack(maps)).to(torch.float32)

        return lambda rows, side: drawn(side)[torch.from_numpy(split.labels[rows])]

    def patterns(self, split: base.Split) -> dict[str, Pattern]:
        """Fit the pattern of every expression whose maps can be measured, and of those without units if asked for."""
        sizes = self._sizes(split.training())
        if self.settings.with_neutral:
            average = tuple(np.mean(list(sizes.values()), axis=0))
            sizes |= {name: average for name in split.expressions if name not in sizes}
        return {name: fitted(f"{self.settings.pattern}/{name}", *size) for name, size in sizes.items()}

    def _sizes(self, train: base.Split) -> dict[str, tuple[float, float]]:
        """Return expression -> mean and mean square of the maps of its own units, over pixels and faces."""
        own, variant = self.own_units(train), self.settings.variant
        valid, source = train.has_map(own, variant), train.unit_maps(own, variant)
        found = {}
        for number, name in enumerate(train.expressions):
            rows = np.flatnonzero(valid & (train.labels == number))
            if len(rows):
                maps = source(rows[:: -(-len(rows) // FACES)], SIDE)[0]
                found[name] = (float(maps.mean()), float(maps.square().mean()))
        return found
