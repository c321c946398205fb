"""A folder of images with a CSV of image, label, split and, where known, subject."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.datasets._duplicates import near_duplicates
from fer_bench.datasets._fingerprint import check_fingerprint, digest_file, fingerprint
from fer_bench.datasets._folder_report import count_enlarged, write_excluded, write_manifest
from fer_bench.datasets._folder_rows import read_rows
from fer_bench.datasets._folder_settings import FolderSettings as Settings
from fer_bench.datasets._index import COLUMNS, check_index
from fer_bench.datasets._outcome import exclude_bad, take_validation, tell_shared
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._scan import Scan, scan_images
from fer_bench.datasets._store import require_stored, store_images
from fer_bench.datasets.base import DatasetBase
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8

__all__ = ["Dataset", "Settings"]


class Dataset(DatasetBase):
    """Images in `root`/images named by `root`/labels.csv; copies are stored when `size` or `grey` asks for them."""

    settings: Settings

    def __init__(self, name: str, settings: Settings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        self.label = settings.label or name
        self.licence, self.citation = settings.licence, settings.citation
        self.publishable_images = settings.publishable_images
        self.expressions = EXPRESSIONS_8 if settings.expressions == 8 else EXPRESSIONS

    @property
    def stores_images(self) -> bool:
        """Whether copies of the images are made."""
        return self.settings.grey or self.settings.size is not None

    def image_root(self, out: Path) -> Path:
        """Return the folder of the stored copies, else the image folder itself.

        Raises:
            InputError: the copies may not be published, and this machine has not made them yet.
        """
        if not self.stores_images:
            return self.external_root() / self.settings.images
        return require_stored(self.store_root(out), self.name, self.source)

    def check(self, workers: int = 0, progress: bool = True) -> str:
        """Return the folder's fingerprint after reading every listed file; InputError when another was expected."""
        root = self.external_root()
        names = read_rows(root, self.settings, self.expressions, self.source)["image"].tolist()
        digest = partial(digest_file, root / self.settings.images)
        files = parallel_map(digest, names, workers, progress, "fingerprint")
        return self._accepted(fingerprint(files, digest_file(root, self.settings.csv)), root)

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Look at every image, decide the splits, check all of it, and only then write below `out`."""
        root, settings = self.external_root(), self.settings
        rows = read_rows(root, settings, self.expressions, self.source)
        folder, limits = root / settings.images, (settings.max_pixels, settings.min_side)
        scans = scan_images(rows["image"].tolist(), folder, *limits, workers, progress)
        found = fingerprint([scan.file for scan in scans], digest_file(root, settings.csv))
        self._accepted(found, root)
        exclude_bad(rows, pd.Series([scan.problem for scan in scans], rows.index), settings, self.source)
        frame, groups = self._index(rows, scans)
        facts: dict[str, Any] = {"fingerprint": found, "excluded": int((rows["reason"] != "").sum())}
        facts["validation"] = take_validation(frame, settings, self.source, groups)
        check_index(frame, self.expressions, self.source)
        facts["enlarged"] = count_enlarged(frame, settings)
        facts["near_duplicates_across_splits"] = tell_shared(frame, groups, self.source)
        out.mkdir(parents=True, exist_ok=True)
        if self.stores_images:
            frame = self._store(frame, folder, self.store_root(out), workers, progress)
        write_excluded(rows, out / "excluded.csv")
        write_manifest(out / "manifest.json", settings, frame, **facts)
        return frame

    def _accepted(self, found: str, root: Path) -> str:
        if self.settings.fingerprint is not None:
            check_fingerprint(self.settings.fingerprint, found, root, self.source)
        return found

    def _index(self, rows: pd.DataFrame, scans: list[Scan]) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the usable rows as an index, and the groups (N,) of near-duplicates."""
        kept = rows["reason"] == ""
        used = [scan for scan, keep in zip(scans, kept, strict=True) if keep]
        frame = rows[kept].reset_index(drop=True).rename(columns={"image": "path"})
        frame["width"] = [scan.width for scan in used]
        frame["height"] = [scan.height for scan in used]
        frame["sha256"] = [scan.file.sha256 for scan in used]
        groups = near_duplicates(np.array([scan.hashes for scan in used], dtype=np.uint64))
        return frame[list(COLUMNS)], groups

    def _store(self, frame: pd.DataFrame, folder: Path, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        s, paths = self.settings, [f"images/{name}.png" for name in frame["id"]]
        pairs = [(str(folder / source), target) for source, target in zip(frame["path"], paths, strict=True)]
        stored = store_images(pairs, out, s.max_pixels, s.grey, s.size, s.fit, workers, progress)
        width, height, sha256 = zip(*stored, strict=True)
        return frame.assign(path=paths, width=width, height=height, sha256=sha256)
