"""What the controls share: another map than that of the face's own units, on the very same faces.

A control answers how much of the effect of guidance is due to what its map lacks. So a face takes part if its own
action-unit map can be drawn, whatever the control draws; neutral faces, which have none, only when they are asked for.
"""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch

from fer_bench.guidance import _aligned, base

Draw = Callable[[np.ndarray, int], torch.Tensor]  # rows (B,) of a split, side S -> maps (B, S, S) in [0, 1]


class Settings(_aligned.Settings):
    """Options of `au`; `variant` and `codebook` are those of the maps that decide which faces take part."""


class NeutralSettings(Settings):
    """The same, for maps that do not need an expression."""

    with_neutral: bool = False  # neutral faces take part too


class Control(_aligned.Aligned):
    """A guidance with another map; a plug-in says how it is drawn."""

    @abstractmethod
    def drawing(self, split: base.Split) -> Draw:
        """Return what draws the maps of the faces of a split."""

    def maps(self, split: base.Split) -> base.MapSource:
        """Draw on the faces that take part; one on which nothing can be drawn has no map."""
        takes_part, draw = torch.from_numpy(self.takes_part(split)), self.drawing(split)

        def source(rows: np.ndarray, side: int) -> tuple[torch.Tensor, torch.Tensor]:
            maps, chosen = draw(rows, side), takes_part[torch.from_numpy(rows)]
            maps = torch.where(chosen[:, None, None], maps, 0.0)
            return maps, chosen & (maps.flatten(1).amax(dim=1) > 0)

        return source

    def takes_part(self, split: base.Split) -> np.ndarray:
        """(N,) bool: faces with a map of their own units, and neutral ones with a map of any unit if asked for."""
        own = self.own_units(split)
        valid = split.has_map(own, self.settings.variant)
        if getattr(self.settings, "with_neutral", False):
            anything = self.all_units(split)
            without = [frozenset() if units else anything for units in own]
            valid = valid | split.has_map(without, self.settings.variant)
        return valid

    def all_units(self, split: base.Split) -> frozenset[int]:
        """Return the units of all expressions together."""
        return frozenset().union(*map(self.units, split.expressions))

    def unit_drawing(self, source: base.MapSource) -> Draw:
        """Make a drawing of a source of unit maps."""
        return lambda rows, side: source(rows, side)[0]
