"""What a site of cues promises: the pixels of a face's image that its cue may cover."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class CuedFace:
    """What a site may look at.

    label: expression stored with the image. mask: (H, W) uint8, the visible face: 255 where wholly, 0 where not at all.
    landmarks: (68, 2) true positions, x right, y down, pixels of the image.
    """

    label: str
    mask: np.ndarray
    landmarks: np.ndarray


class SiteBase(ABC):
    """One kind of place; a subclass named `Site` in its own file is found by that file's name."""

    label: ClassVar[str]

    @abstractmethod
    def areas(self, face: CuedFace) -> list[np.ndarray]:
        """Return (H, W) bool areas; the cue lies wholly within one of them, drawn among those with room for it."""
