"""What adapters of published collections share: from the rows that a release lists to a checked index."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.datasets._containment import require_inside
from fer_bench.datasets._crop import Box, Crop, CropSettings, store_crops
from fer_bench.datasets._duplicates import near_duplicates
from fer_bench.datasets._fingerprint import FileDigest, check_fingerprint, fingerprint
from fer_bench.datasets._header import scan_headers
from fer_bench.datasets._index import COLUMNS
from fer_bench.datasets._outcome import check_listed, compare_counts, exclude_bad, report, take_validation, tell_shared
from fer_bench.datasets._published_settings import CroppedSettings, ScannedSettings
from fer_bench.datasets._scan import Scan, scan_images
from fer_bench.datasets._store import require_stored
from fer_bench.datasets.base import DatasetBase
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8

Scans = dict[str, Scan]  # image -> what was seen
_PLACES = ["id", "image", "left", "top", "right", "bottom"]
_SIZES = ["width", "height", "sha256"]


@dataclass(frozen=True)
class Listing:
    """What a release lists, before any image is opened.

    rows: columns id, image (posix path below the root), label, split, subject, reason (why it is left out, or "") and,
        where faces are cut out, left, top, right, bottom in pixels; indexed 0..N-1.
    labels: digest of the files of labels.
    facts: what the manifest says besides.
    tables: name -> (N, ...), carried along for `write_beside`.
    """

    rows: pd.DataFrame
    labels: FileDigest
    facts: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, np.ndarray] = field(default_factory=dict)


class PublishedDataset(DatasetBase):
    """A collection of image files under a licence of its own; a plug-in overrides `listing`."""

    settings: Any
    counts: dict[str, dict[str, int]] = {}  # published images per split and expression; val belongs to train

    def __init__(self, name: str, settings: ScannedSettings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        self.expressions = EXPRESSIONS_8 if settings.expressions == 8 else EXPRESSIONS

    def listing(self, root: Path, workers: int, progress: bool) -> Listing:
        """Read the files of labels; raises InputError naming file and line of what cannot be used."""
        raise NotImplementedError

    def write_beside(
        self, out: Path, ids: list[str], chosen: np.ndarray, listing: Listing, crops: list[Crop] | None
    ) -> None:
        """Write tables beside the index: the face `ids[k]` is row `chosen[k]` of the listing and of the crops."""

    @property
    def crops_faces(self) -> bool:
        """Whether faces are cut out of larger images."""
        return isinstance(self.settings, CroppedSettings)

    def image_root(self, out: Path) -> Path:
        """Return the folder of the stored faces, else the folder of the collection."""
        if not self.crops_faces:
            return self.external_root()
        return require_stored(self.store_root(out), self.name, self.source)

    def check(self, workers: int = 0, progress: bool = True) -> str:
        """Return the fingerprint after reading every image that is used; InputError when another was expected."""
        root = self.external_root()
        listing = self.listing(root, workers, progress)
        return self._accepted(listing, self._look(root, listing.rows, workers, progress), root)

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Check the rows, look at every image that is used, cut out faces, decide the splits, and write the report."""
        root = self.external_root()
        listing = self.listing(root, workers, progress)
        rows = listing.rows.copy()
        check_listed(rows, self.expressions, self.source)
        scans = self._look(root, rows, workers, progress)
        facts = {"fingerprint": self._accepted(listing, scans, root), **listing.facts}
        problems = {name: scan.problem for name, scan in scans.items()}
        exclude_bad(rows, rows["image"].map(problems).fillna(""), self.settings, self.source)
        crops = self._crop(root, rows, out, workers, progress) if self.crops_faces else None
        chosen = np.flatnonzero(rows["reason"] == "")
        chosen = chosen[np.argsort(rows["id"].to_numpy(dtype=object)[chosen])]
        frame = _index(rows.iloc[chosen], scans, None if crops is None else [crops[row] for row in chosen])
        groups = self._groups(rows["image"].iloc[chosen], scans)
        facts["validation"] = take_validation(frame, self.settings, self.source, groups)
        facts["near_duplicates_across_splits"] = self._shared(frame, groups)
        compare_counts(frame, self.counts, self.expressions, self.source)
        report(out, frame, rows, self.settings, self.source, **facts)
        self.write_beside(out, frame["id"].tolist(), chosen, listing, crops)
        return frame

    def _accepted(self, listing: Listing, scans: Scans, root: Path) -> str:
        found = fingerprint([scan.file for scan in scans.values()], listing.labels)
        if self.settings.fingerprint is not None:
            check_fingerprint(self.settings.fingerprint, found, root, self.source)
        return found

    def _look(self, root: Path, rows: pd.DataFrame, workers: int, progress: bool) -> Scans:
        names = rows.loc[rows["reason"] == "", "image"].unique().tolist()
        require_inside(root, names, root, self.source)
        scan = scan_images if self.settings.scan == "decode" else scan_headers
        found = scan(names, root, self.settings.max_pixels, self.settings.min_side, workers, progress)
        return dict(zip(names, found, strict=True))

    def _crop(self, root: Path, rows: pd.DataFrame, out: Path, workers: int, progress: bool) -> list[Crop]:
        """Store the face of every usable row and mark those that cannot be cut out; one Crop per row."""
        s, usable = self.settings, rows[rows["reason"] == ""]
        tasks: list[tuple[str, Box, str]] = [
            (str(root / image), (left, top, right, bottom), f"images/{name}.png")
            for name, image, left, top, right, bottom in usable[_PLACES].itertuples(index=False)
        ]
        limits = CropSettings(s.size, s.fit, s.margin, s.min_side, s.max_pixels)
        made = dict(zip(usable.index, store_crops(tasks, self.store_root(out), limits, workers, progress), strict=True))
        crops = [made.get(row, Crop()) for row in rows.index]
        exclude_bad(rows, pd.Series([crop.problem for crop in crops], rows.index), s, self.source)
        return crops

    def _groups(self, images: pd.Series, scans: Scans) -> np.ndarray | None:
        """Number the faces that must stay in one split: near-duplicates where decoded, else those of one photograph."""
        if self.settings.scan == "decode":
            return near_duplicates(np.array([scans[name].hashes for name in images], dtype=np.uint64))
        return pd.factorize(images)[0] if images.duplicated().any() else None

    def _shared(self, frame: pd.DataFrame, groups: np.ndarray | None) -> list[list[str]] | None:
        """List the near-duplicates that the release itself has in several splits; None where nothing was compared."""
        if self.settings.scan != "decode" or groups is None:
            return None
        return tell_shared(frame, groups, self.source)


def _index(usable: pd.DataFrame, scans: Scans, crops: list[Crop] | None) -> pd.DataFrame:
    """Return the index of rows sorted by id, each with size and hash of the image that is used."""
    frame = usable.rename(columns={"image": "path"}).reset_index(drop=True)
    if crops is None:
        looks = [scans[name] for name in frame["path"]]
        sizes = [(look.width, look.height, look.file.sha256) for look in looks]
    else:
        frame["path"] = "images/" + frame["id"] + ".png"
        sizes = [(crop.width, crop.height, crop.sha256) for crop in crops]
    frame[_SIZES] = pd.DataFrame(sizes, columns=_SIZES)
    return frame[list(COLUMNS)]
