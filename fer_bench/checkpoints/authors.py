"""The networks that Belharbi et al. released: arXiv 2402.00281, Hugging Face sbelharbi/interpretable-fer-aus."""

from typing import Any

from pydantic import Field
from torch import nn

from fer_bench import settings
from fer_bench.authors import config, layout, tensors
from fer_bench.authors.catalog import releases
from fer_bench.authors.files import fingerprint
from fer_bench.authors.names import published_names
from fer_bench.checkpoints import base
from fer_bench.errors import InputError


class Settings(settings.Settings):
    """Which network, below the folder of the datasets (FER_BENCH_ROOT_AUTHORS, else data/authors), and its content."""

    folder: str
    fingerprint: str = Field(pattern="^[0-9a-f]{16}$")


class Checkpoint(base.CheckpointBase):
    """A folder with model.pt and config_model.yaml; written into params.yaml by `fer-bench import-authors`."""

    def fill(self, classifier: nn.Module) -> None:
        """Every published tensor is used once and every tensor of ours is filled."""
        folder = layout.parse(self.settings.folder)
        path = layout.root(self.repository) / folder.path
        found = fingerprint(path)
        if found != self.settings.fingerprint:
            raise InputError(
                f"{self.source}.fingerprint: {path} is now {found}, not {self.settings.fingerprint}; if that is meant, "
                "run `fer-bench import-authors` again"
            )
        own = classifier.state_dict()
        names = published_names(releases(folder.key)[0], own)
        state = tensors.fitted(tensors.read(path / layout.WEIGHTS_FILE), names, own, path / layout.WEIGHTS_FILE)
        classifier.load_state_dict(own | state)

    def facts(self) -> dict[str, Any]:
        """The configuration of the training, by the names of the published code."""
        path = layout.root(self.repository) / self.settings.folder
        return config.read(path / layout.CONFIG_FILE).model_dump(mode="json")
