"""A cell of the grid: its identity, its seed and the paths of its files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

DATA = Path("data")
PLAN = DATA / "plan"
RUNS = Path("results/runs")
METRICS = Path("results/metrics")
PROVENANCE = Path("results/provenance")
PACKED = Path("data/packed")  # decoded images, an aid to speed alone
PRIVATE = Path("results/private")
STATES = Path("results/states")


def seed_of(*identity: object) -> int:
    """Derive a seed in [0, 2**63) from an identity, the same on every machine (SHA-256 of the joined parts)."""
    text = "\x1f".join(str(part) for part in identity)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class Cell:
    """One trained network: a dataset, a model (backbone and method), a guidance and a seed."""

    dataset: str
    model: str
    guidance: str
    seed: int

    @property
    def name(self) -> str:
        """The identity as it appears in folders and tables."""
        return f"{self.dataset}-{self.model}-{self.guidance}-s{self.seed}"

    @classmethod
    def parse(cls, name: str) -> "Cell":
        """Read an identity back; names are plain identifiers, so the dash separates without doubt."""
        dataset, model, guidance, seed = name.split("-")
        return cls(dataset, model, guidance, int(seed.removeprefix("s")))

    @property
    def random_seed(self) -> int:
        """Seed of weights, batch order and augmentation.

        Guidance is left out: the runs with and without share all three, which makes the comparison a paired one.
        """
        return seed_of("cell", self.dataset, self.model, self.seed)

    @property
    def weights(self) -> Path:
        """Folder of the trained weights."""
        return RUNS / self.name / "weights"

    @property
    def log(self) -> Path:
        """Folder of the training log."""
        return RUNS / self.name / "log"

    def private(self, test_dataset: str) -> Path:
        """Folder of faces that may not be published: ignored by git, no output of DVC."""
        return PRIVATE / test_dataset / self.name

    def evaluation(self, test_dataset: str) -> Path:
        """Folder of predictions and per-image scores on a test dataset."""
        return RUNS / self.name / "evaluate" / test_dataset

    def metrics(self, test_dataset: str) -> Path:
        """File of the scores on a test dataset."""
        return METRICS / test_dataset / f"{self.name}.json"


def faces_folder(dataset: str) -> Path:
    """Folder of a dataset's index and, where we make them, its images."""
    return DATA / "faces" / dataset


def landmarks_file(dataset: str) -> Path:
    """Landmark table of a dataset."""
    return DATA / "landmarks" / f"{dataset}.parquet"


def heatmaps_folder(dataset: str) -> Path:
    """Folder of a dataset's compact action unit maps."""
    return DATA / "heatmaps" / dataset
