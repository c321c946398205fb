"""Faces with annotated action units: a CSV of one's own, RAF-AU, DISFA, BP4D or CK+."""

import logging
from pathlib import Path

import numpy as np

from fer_bench.datasets import _units_bp4d, _units_ck_plus, _units_csv, _units_disfa, _units_raf_au
from fer_bench.datasets._au_table_rows import with_expressions
from fer_bench.datasets._au_table_settings import AuTableSettings as Settings
from fer_bench.datasets._crop import Crop
from fer_bench.datasets._expressions_file import read_expressions
from fer_bench.datasets._fingerprint import digest_file, join_digests
from fer_bench.datasets._published import Listing, PublishedDataset
from fer_bench.datasets._units import Annotations, units_table

__all__ = ["Dataset", "Settings"]
logger = logging.getLogger(__name__)
# Lucey et al. 2010, Table 3: sequences of each expression
_CK_PLUS = {
    "anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83,
}  # fmt: skip


class Dataset(PublishedDataset):
    """Faces whose expression is known, with the table of the action units that annotators saw in them."""

    settings: Settings

    def __init__(self, name: str, settings: Settings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        known = settings.known
        self.label = settings.label or known.label
        self.licence, self.citation = settings.licence or known.licence, settings.citation or known.citation
        if settings.layout == "ck_plus" and settings.labels is None:
            self.counts = {"all": _CK_PLUS}

    def ground_truth(self, out: Path) -> Path:
        """Return the table of annotated units: id, au_N, au_N_left, au_N_right."""
        return out / "ground_truth.parquet"

    def listing(self, root: Path, workers: int, progress: bool) -> Listing:
        """Read annotations and expressions; faces without an expression are left out, with the reason."""
        s, found = self.settings, self._annotations(root)
        if s.known.faces is not None and len(found.rows) != s.known.faces:
            logger.warning("%s: %d annotated faces, %d published", self.source, len(found.rows), s.known.faces)
        said = {} if s.labels is None else read_expressions(root / s.labels, self.source)
        rows = with_expressions(found.rows, said, s, self.expressions, self.source)
        files = [*found.files, *([s.labels] if s.labels is not None else [])]
        digest = join_digests([digest_file(root, name) for name in files])
        facts = {"units": list(found.units), "annotated_faces": len(rows), **found.facts}
        return Listing(rows, digest, facts, {"left": found.left, "right": found.right})

    def write_beside(
        self, out: Path, ids: list[str], chosen: np.ndarray, listing: Listing, crops: list[Crop] | None
    ) -> None:
        """Write the table of annotated units."""
        left, right = listing.tables["left"][chosen], listing.tables["right"][chosen]
        units, least = listing.facts["units"], self.settings.minimum_intensity
        units_table(ids, units, left, right, least).to_parquet(self.ground_truth(out), index=False)

    def _annotations(self, root: Path) -> Annotations:
        s, source = self.settings, self.source
        units, images = s.units or s.known.units, s.images or s.known.images
        match s.layout:
            case "csv":
                return _units_csv.read(root, units, images, source)
            case "raf_au":
                return _units_raf_au.read(root, units, images, source)
            case "disfa":
                return _units_disfa.read(root, units, images, s.every, source)
            case "bp4d":
                return _units_bp4d.read(root, units, images, s.every, s.tasks, source)
            case "ck_plus":
                return _units_ck_plus.read(root, units, s.emotions, images, source)
