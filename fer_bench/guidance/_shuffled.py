"""Maps of other faces: who lends its map to whom."""

import logging
from collections.abc import Sequence

import numpy as np
import torch

from fer_bench.guidance import _control, base

logger = logging.getLogger(__name__)
NOBODY = -1


def lenders(groups: Sequence[np.ndarray], count: int, seed: int) -> np.ndarray:
    """Choose for every face another one of its group: in a random order, each borrows from the next.

    Args:
        groups: rows (G,) of the split that may exchange their maps.
        count: faces N of the split.
        seed: of the random order.

    Returns:
        (N,) rows; NOBODY outside the groups and where a group has one face only.
    """
    generator = torch.Generator().manual_seed(seed)
    lender = np.full(count, NOBODY)
    for group in groups:
        order = group[torch.randperm(len(group), generator=generator).numpy()]
        if len(order) > 1:
            lender[order] = np.roll(order, -1)
    return lender


class Shuffled(_control.Control):
    """Everyone's map is drawn on another face's landmarks, from that face's class; a plug-in names the groups.

    Who lends to whom is fixed for a cell: it comes from the seed of the cell and is the same in every epoch.
    """

    def borrowed(self, split: base.Split, lender: np.ndarray) -> _control.Draw:
        """Draw for each face (N,) the map of its lender."""
        own, faces = self.own_units(split), np.maximum(lender, 0)
        alone = np.flatnonzero(self.takes_part(split) & (lender == NOBODY))
        if len(alone):
            logger.warning("%d faces have nobody to borrow a map from: left out of the alignment", len(alone))
        units = [frozenset[int]() if row == NOBODY else own[row] for row in lender]
        return self.unit_drawing(split.unit_maps(units, self.settings.variant, faces=faces))
