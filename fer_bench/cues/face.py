"""Cue on the face outside every action unit's region: forehead, temples, outer cheeks."""

import numpy as np

from fer_bench.cues._regions import all_units, region
from fer_bench.cues.base import CuedFace, SiteBase


class Site(SiteBase):
    """The visible face without the anatomical regions of all action units."""

    label = "face outside all AU regions"

    def areas(self, face: CuedFace) -> list[np.ndarray]:
        """Pixels that are face throughout and lie in no region."""
        return [(face.mask == 255) & ~region(face, all_units())]
