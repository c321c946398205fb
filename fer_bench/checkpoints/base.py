"""What a source of trained networks promises: whole networks from elsewhere that become cells without a training."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from torch import nn


class CheckpointBase(ABC):
    """One trained network; a subclass named `Checkpoint` in its own file is found by that file's name."""

    def __init__(self, settings: Any, source: str, repository: Path = Path()) -> None:
        """Take the section `checkpoint` of a cell.

        Args:
            settings: an object of the plug-in's own `Settings`; it must identify the content of the file.
            source: where the section stands, for error messages.
            repository: root of the repository.
        """
        self.settings = settings
        self.source = source
        self.repository = repository

    @abstractmethod
    def fill(self, classifier: nn.Module) -> None:
        """Load the whole network, backbone and head, strictly.

        Raises:
            InputError: the file is not there, not the one that is identified, or does not fit the classifier.
        """

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What is known of its training: plain data, without paths of machines and times."""
