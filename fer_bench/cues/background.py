"""Cue beside the face: where the stored mask shows nothing of it (hair, clothes, wall)."""

import numpy as np

from fer_bench.cues.base import CuedFace, SiteBase


class Site(SiteBase):
    """Everything outside the face mask, so any map of the face excludes the cue."""

    label = "background"

    def areas(self, face: CuedFace) -> list[np.ndarray]:
        """Pixels of which no part is visible face."""
        return [face.mask == 0]
