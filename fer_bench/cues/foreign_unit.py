"""Cue inside the region of an action unit that does not belong to the image's class."""

import numpy as np

from fer_bench.cues._regions import own_units, region
from fer_bench.cues.base import CuedFace, SiteBase

# Outer brow raiser, cheek raiser, nose wrinkler: regions with room for a cue, two of them foreign to every expression.
UNITS = (2, 6, 9)


class Site(SiteBase):
    """The region of AU 2, 6 or 9, less the regions of the class's own action units.

    Which of the three may be used depends on the class, so the place alone tells a little about it, in every view
    alike: docs/shortcuts.md says how much.
    """

    label = "region of another class's AU"

    def areas(self, face: CuedFace) -> list[np.ndarray]:
        """One area for each foreign unit."""
        own = own_units(face.label)
        allowed = (face.mask == 255) & ~region(face, own)
        return [allowed & region(face, frozenset({unit})) for unit in UNITS if unit not in own]
