"""What a guidance plug-in promises: which map a face is aligned with, and the weighted term that does it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from fer_bench import settings
from fer_bench.au import wanted_aus
from fer_bench.classifier_output import Output

# rows (B,) of a split and a side S -> maps (B, S, S) in [0, 1], and valid (B,) bool: false where there is no map
MapSource = Callable[[np.ndarray, int], tuple[torch.Tensor, torch.Tensor]]


class Settings(settings.Settings):
    """What every guidance section of params.yaml may hold."""

    label: str = ""  # how tables call it; empty: its name


class Split(Protocol):
    """What guidance may ask about the N faces of a split.

    labels: (N,) class ids. expressions: names of the classes.
    """

    @property
    def labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def expressions(self) -> Sequence[str]: ...  # noqa: D102

    def unit_maps(
        self,
        units: Sequence[frozenset[int]],
        variant: str,
        faces: np.ndarray | None = None,
        strengths: np.ndarray | None = None,
    ) -> MapSource:
        """Return the source of maps of action units.

        Args:
            units: N sets of FACS numbers, an empty one for no map.
            variant: how regions are drawn, `paper` or `facs`.
            faces: (N,) rows of the split, the face on which each map is drawn; by default its own.
            strengths: (N, R) in [0, 1], factor of each region (`fer_bench.au.region_strengths`); by default 1.
        """

    def has_map(self, units: Sequence[frozenset[int]], variant: str) -> np.ndarray:
        """Return (N,) bool: whether a map of these units can be drawn on each face."""

    def points(self) -> np.ndarray:
        """Return (N, 68, 2) landmarks, x and y as shares of the image's width and height; NaN where missing."""

    def intensities(self) -> list[dict[int, float]]:
        """Return the action units that are really in each face, FACS number -> intensity; InputError where unknown."""

    def training(self) -> "Split":
        """Return the training split of the same dataset."""


class GuidanceBase(ABC):
    """One guidance; a subclass named `Guidance` in its own file is found by that file's name.

    needs_maps: whether training has to load a map per face.
    needs_intensities: whether a dataset has to know which action units are really in its faces.
    knows: what its map says beyond "nothing", for the table of controls; empty: it has no place there.
    citation: DOI or arXiv number of the source.
    """

    needs_maps: ClassVar[bool]
    needs_intensities: ClassVar[bool] = False
    knows: ClassVar[str] = ""
    citation: ClassVar[str] = ""

    def __init__(self, settings: Any, resize: str = "halfpixel", shift: bool = False, seed: int = 0) -> None:
        """Take the validated settings and the protocol's transform of the attention.

        Args:
            settings: an object of the plug-in's own `Settings`.
            resize: `paper` or `halfpixel`, the operator where the section names none.
            shift: whether a negative minimum is subtracted from the attention before the loss.
            seed: source of whatever is random in maps and term, in [0, 2**63); it comes from the identity of the cell.
        """
        self.settings = settings
        self.resize = resize
        self.shift = shift
        self.seed = seed

    @property
    def optimises(self) -> str:
        """Target of the scores that the loss itself compares with: `paper`, `facs`, `present`; empty: none of them."""
        return ""

    def state(self) -> dict[str, torch.Tensor]:
        """What decides about the rest of an epoch besides its number, for a training that is stopped within it."""
        return {}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:  # noqa: B027 - most terms have none
        """Take up what `state` gave, after `start_epoch`."""

    def start_epoch(self, epoch: int) -> None:  # noqa: B027 - most terms are the same in every epoch
        """Hear that an epoch of training begins, 1 for the first; for terms that change or that draw numbers."""

    def maps(self, split: Split) -> MapSource:
        """Return the source of the maps that faces of a split are aligned with; without `needs_maps`, only watched."""
        units = [frozenset(wanted_aus(split.expressions[label])) for label in split.labels]
        return split.unit_maps(units, "paper")

    @abstractmethod
    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Return the weighted term, a scalar, to be added to the classification loss.

        Args:
            output: the forward pass of the classifier on the batch.
            maps: (B, H, W) in [0, 1], following the geometry of the augmented images.
            valid: (B,) bool, false where a face has no map.
        """
