"""RAF-DB, basic expressions: photographs from the web, prepared as for arXiv 2402.00281 or used as they are."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.datasets import _rafdb_annotations as annotations
from fer_bench.datasets._counts import warn_counts
from fer_bench.datasets._duplicates import near_duplicates
from fer_bench.datasets._fingerprint import FileDigest, check_fingerprint, digest_file, fingerprint
from fer_bench.datasets._folder_report import write_excluded, write_manifest
from fer_bench.datasets._images import MAX_PIXELS
from fer_bench.datasets._index import COLUMNS, check_index
from fer_bench.datasets._labels_file import require_files
from fer_bench.datasets._outcome import take_validation, tell_shared
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._rafdb_attributes import write_rafdb_attributes
from fer_bench.datasets._rafdb_crops import ready, store_crops
from fer_bench.datasets._rafdb_files import IMAGES, OBTAIN
from fer_bench.datasets._rafdb_report import write_crops
from fer_bench.datasets._rafdb_settings import RafdbSettings as Settings
from fer_bench.datasets._scan import Scan, scan_images
from fer_bench.datasets._store import require_stored
from fer_bench.datasets._text import shorten
from fer_bench.datasets.base import DatasetBase
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS

__all__ = ["Dataset", "Settings"]
_MIN_SIDE = 16  # px
# Images per expression, in the order of EXPRESSIONS, as the authors of the dataset give them.
_PUBLISHED = {"train": (2524, 4772, 1290, 281, 705, 717, 1982), "test": (680, 1185, 329, 74, 162, 160, 478)}
PUBLISHED = {split: dict(zip(EXPRESSIONS, counts, strict=True)) for split, counts in _PUBLISHED.items()}


class Dataset(DatasetBase):
    """Labels from list_patition_label.txt, splits from the file names, val taken from train."""

    label = "RAF-DB"
    licence = "non-commercial research and education only; the images may be neither passed on nor published"
    citation = "Li, Deng and Du, CVPR 2017, DOI 10.1109/CVPR.2017.277"
    counts = PUBLISHED
    settings: Settings

    def external_root(self) -> Path:
        """Find the folder that holds `basic`; InputError says what to obtain."""
        try:
            return super().external_root()
        except InputError as error:
            raise InputError(f"{error}; {OBTAIN}") from None

    def image_root(self, out: Path) -> Path:
        """Return the folder of the crops, else the dataset's own.

        Raises:
            InputError: this machine has not made the crops yet.
        """
        if self.settings.images != "prepared":
            return self.external_root()
        return require_stored(self.store_root(out), self.name, self.source)

    def check(self, workers: int = 0, progress: bool = True) -> str:
        """Return the fingerprint of the images and annotations in use; InputError when another was expected."""
        root = self.external_root()
        used = _used(self._rows(root))
        files = parallel_map(partial(digest_file, root), used["path"].tolist(), workers, progress, "fingerprint")
        return self._accepted(root, used, files, workers)

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Check labels, annotations and every image, decide the splits, and only then prepare faces."""
        root, s = self.external_root(), self.settings
        rows = self._rows(root)
        used = _used(rows)
        preparation = ready(root, used["id"].tolist(), s, self.source) if s.images == "prepared" else None
        scans = scan_images(used["path"].tolist(), root, MAX_PIXELS, _MIN_SIDE, workers, progress)
        self._refuse_bad(scans)
        facts: dict[str, Any] = {"fingerprint": self._accepted(root, used, [scan.file for scan in scans], workers)}
        frame = _index(used, scans)
        groups = near_duplicates(np.array([scan.hashes for scan in scans], dtype=np.uint64))
        facts["validation"] = take_validation(frame, s, self.source, groups)
        facts["near_duplicates_across_splits"] = tell_shared(frame, groups, self.source)
        facts["counts_that_differ"] = warn_counts(frame, PUBLISHED, self.source)
        out.mkdir(parents=True, exist_ok=True)
        if preparation is not None:
            frame, crops, more = store_crops(preparation, frame, self.store_root(out), workers, progress)
            facts |= more
            write_crops(crops, out / "crops.csv")
        write_rafdb_attributes(root, used["id"].tolist(), out)
        write_excluded(rows.rename(columns={"id": "image"}), out / "excluded.csv")
        write_manifest(out / "manifest.json", s, frame, excluded=len(rows) - len(used), **facts)
        return frame

    def _rows(self, root: Path) -> pd.DataFrame:
        """Return the labelled images, with their paths below the root; InputError when one in use is absent."""
        rows = annotations.read_labels(root, self.settings, self.source)
        rows["path"] = [IMAGES[self.settings.images].format(name) for name in rows["id"]]
        check_index(_used(rows), self.expressions, self.source)
        require_files(root, _used(rows)["path"].tolist(), self.source)
        return rows

    def _accepted(self, root: Path, used: pd.DataFrame, files: list[FileDigest], workers: int) -> str:
        labels = annotations.digest(root, used["id"].tolist(), self.settings, self.source, workers)
        found = fingerprint(files, labels)
        if self.settings.fingerprint is not None:
            check_fingerprint(self.settings.fingerprint, found, root, self.source)
        return found

    def _refuse_bad(self, scans: list[Scan]) -> None:
        bad = [f"{scan.file.name} ({scan.problem})" for scan in scans if scan.problem]
        if bad:
            raise InputError(
                f"{self.source}: {len(bad)} of {len(scans)} images cannot be used: {shorten(bad, 20)}; "
                "unpack them again from the archives of the dataset"
            )


def _used(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["reason"] == ""].reset_index(drop=True)


def _index(used: pd.DataFrame, scans: list[Scan]) -> pd.DataFrame:
    frame = used.assign(
        width=[scan.width for scan in scans],
        height=[scan.height for scan in scans],
        sha256=[scan.file.sha256 for scan in scans],
    )
    return frame[list(COLUMNS)]
