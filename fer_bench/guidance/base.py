"""What a guidance plug-in promises: which map a face is aligned with, and the weighted term that does it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from fer_bench import settings
from fer_bench.classifier_output import Output


class Settings(settings.Settings):
    """What every guidance section of params.yaml may hold."""

    label: str = ""  # how tables call it; empty: its name


class GuidanceBase(ABC):
    """One guidance; a subclass named `Guidance` in its own file is found by that file's name.

    needs_maps: whether training has to load a map per face.
    citation: DOI or arXiv number of the source.
    """

    needs_maps: ClassVar[bool]
    citation: ClassVar[str] = ""

    def __init__(self, settings: Any, resize: str = "halfpixel", shift: bool = False, seed: int = 0) -> None:
        """Take the validated settings and the protocol's transform of the attention.

        Args:
            settings: an object of the plug-in's own `Settings`.
            resize: `paper` or `halfpixel`, the operator where the section names none.
            shift: whether a negative minimum is subtracted from the attention before the loss.
            seed: source of whatever is random in the term, in [0, 2**63); it comes from the identity of the cell.
        """
        self.settings = settings
        self.resize = resize
        self.shift = shift
        self.seed = seed

    def start_epoch(self, epoch: int) -> None:  # noqa: B027 - most terms are the same in every epoch
        """Hear that an epoch of training begins, 1 for the first; for terms that change or that draw numbers."""

    @abstractmethod
    def wanted(self, label: int, row: Mapping[str, Any] | None = None) -> str | frozenset[int] | None:
        """Return what is drawn into the map that guides a face: an expression, or a set of action units (FACS numbers).

        None, an empty set, or an expression without action units: the face has no map.

        Args:
            label: class id, 0..7.
            row: what is known of the face (its row of the index, and of the ground truth where there is one).
        """

    @abstractmethod
    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Return the weighted term, a scalar, to be added to the classification loss.

        Args:
            output: the forward pass of the classifier on the batch.
            maps: (B, H, W) in [0, 1], following the geometry of the augmented images.
            valid: (B,) bool, false where a face has no map.
        """
