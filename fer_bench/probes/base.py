"""What a probe promises, and what it is given: a trained network and the files of a test dataset."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fer_bench.classifier import Classifier
from fer_bench.dataset_files import DatasetFiles
from fer_bench.score_rows import Row


@dataclass(frozen=True)
class Subject:
    """A trained network on a test dataset.

    explainers: those that support the network. size: side of its input in pixels. resize: how attention is brought to
    size, `paper` or `halfpixel`. seed: of everything drawn at random, the same for every network on this dataset.
    """

    classifier: Classifier
    explainers: Sequence[str]
    files: DatasetFiles
    size: int
    batch_size: int
    resize: str
    seed: int


class ProbeBase(ABC):
    """One probe; a subclass named `Probe` in its own file is found by that file's name."""

    @abstractmethod
    def fits(self, plugin: Any) -> bool:
        """Say whether a dataset plug-in has what the probe needs."""

    @abstractmethod
    def run(self, subject: Subject) -> tuple[list[Row], pd.DataFrame]:
        """Return the averaged rows and the values behind them, a line or more per image, with its `id`."""
