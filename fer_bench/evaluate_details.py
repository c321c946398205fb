"""What an evaluation keeps for the report beside its scores: attributes, coverage of action units, sample maps."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from fer_bench import landmarks
from fer_bench.attributes import read_attributes
from fer_bench.cells import landmarks_file
from fer_bench.data import Faces
from fer_bench.dataset_files import DatasetFiles
from fer_bench.metrics import face_region
from fer_bench.minmax import min_max
from fer_bench.protocols import Protocol
from fer_bench.targets import PRESENT, Targets
from fer_bench.unit_coverage import UnitCoverage

SAMPLE = 100  # images whose maps are kept
SUBJECT, STATUS = "subject", "landmark status"  # columns of attributes.parquet before those of the attributes


@dataclass(frozen=True)
class Details:
    """A test split of N images and what is known of its faces."""

    files: DatasetFiles
    faces: Faces
    targets: Targets
    protocol: Protocol
    root: Path = Path()

    def write(self, folder: Path, maps: Mapping[str, Tensor]) -> None:
        """Write attributes.parquet, unit_coverage.npz and sample_maps.npz.

        Args:
            folder: of the evaluation.
            maps: `att.LAYER` and `cam.EXPLAINER` -> (N, h, w), of the true class.
        """
        _, points, statuses = landmarks.read(self.root / landmarks_file(self.files.name))
        places = self.faces.frame.index.to_numpy()
        self._write_attributes(folder / "attributes.parquet", statuses[places])
        self._write_coverage(folder / "unit_coverage.npz", points[places], maps)
        ids = [str(name) for name in self.faces.frame["id"]]
        write_sample(folder / "sample_maps.npz", ids, self.faces.labels, maps)

    def _write_attributes(self, path: Path, statuses: np.ndarray) -> None:
        """One row per test image: id, subject, status of the landmarks, a group per attribute; empty: unknown."""
        ids = [str(name) for name in self.faces.frame["id"]]
        first = {SUBJECT: self.faces.frame["subject"].to_numpy(dtype=str), STATUS: statuses.astype(str)}
        frame = pd.DataFrame(first, index=pd.Index(ids, name="id"))
        known = read_attributes(self.files.folder)
        if known is not None:
            frame = frame.join(known.reindex(ids).fillna(""))
        frame.reset_index().to_parquet(path, index=False)

    def _write_coverage(self, path: Path, points: np.ndarray, maps: Mapping[str, Tensor]) -> None:
        sizes = self.faces.frame[["width", "height"]].to_numpy(dtype=float)[:, None]
        hulls = face_region((points + 0.5) / sizes, self.targets.side)
        measured = UnitCoverage(maps, self.targets, hulls, self.files.plugin.expressions, self.protocol)
        arrays: dict[str, np.ndarray] = {}
        for variant in self.targets.names:
            if variant != PRESENT:
                arrays |= measured.arrays(variant)
        np.savez(path, allow_pickle=False, **arrays)


def write_sample(path: Path, ids: list[str], labels: np.ndarray, maps: Mapping[str, Tensor]) -> None:
    """Write the maps of at most SAMPLE images, the same ones for every cell: ids, labels, and maps (M, h, w).

    Each map lies between its own minimum and maximum, at half precision; a constant one is zero.
    """
    rows = sample(ids)
    kept = {key: min_max(found[rows].float()).numpy().astype(np.float16) for key, found in maps.items()}
    np.savez_compressed(path, allow_pickle=False, ids=np.array(ids)[rows], labels=labels[rows], **kept)


def sample(ids: list[str]) -> np.ndarray:
    """Rows of at most SAMPLE images, chosen by the hashes of their ids alone, in ascending order."""
    hashes = [hashlib.sha256(name.encode()).hexdigest() for name in ids]
    return np.sort(np.argsort(np.array(hashes), kind="stable")[:SAMPLE])
