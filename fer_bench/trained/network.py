"""A trained network and what is known of it."""

from dataclasses import dataclass
from pathlib import Path

from fer_bench.classifier import Classifier
from fer_bench.trained.about import About


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier in eval mode on the CPU; origin: the folder its weights were read from."""

    classifier: Classifier
    about: About
    origin: Path
