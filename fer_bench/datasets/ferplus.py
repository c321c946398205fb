"""FER-2013 with the votes of FER+: small grey faces, stored as PNG, labelled by ten annotators each."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from fer_bench.datasets import _fer2013
from fer_bench.datasets._fingerprint import check_fingerprint, digest_file, fingerprint, join_digests
from fer_bench.datasets._index import COLUMNS, check_index
from fer_bench.datasets._outcome import compare_counts, report, tell_shared
from fer_bench.datasets._store import require_stored
from fer_bench.datasets._votes import Rule, decide
from fer_bench.datasets.base import DatasetBase, DatasetSettings
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8

_FACES, _VOTES = "fer2013.csv", "fer2013new.csv"
# FER-2013's own labels; of the labels by vote only the number of rows is known
_FER2013 = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "val": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}


class Settings(DatasetSettings):
    """Keys of FER+.

    expressions: 7, or 8 with `contempt` last (id 7).
    labels: `ferplus`, decided from the votes, or `fer2013`, the first labels, without the file of votes.
    rule: `majority` (more than half of the votes that count, as in the paper) or `plurality` (more than any other).
    outlier_votes: a candidate with at most this many votes does not count; 1 in the paper.
    """

    expressions: Literal[7, 8] = 7
    labels: Literal["ferplus", "fer2013"] = "ferplus"
    rule: Rule = "majority"
    outlier_votes: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _usable(self) -> "Settings":
        for key in ("val_fraction", "val_per_class", "split_seed"):
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} has no meaning here: PublicTest is val; take it out")
        if self.labels == "fer2013" and self.expressions == 8:
            raise ValueError("the first labels of FER-2013 know no contempt; expressions: 7, or labels: ferplus")
        return self


class Dataset(DatasetBase):
    """Training, PublicTest and PrivateTest are train, val and test."""

    label = "FER+"
    licence = "FER-2013: research use, images from the web; FER+ votes: MIT"
    citation = (
        "E. Barsoum, C. Zhang, C. Canton Ferrer and Z. Zhang, Training Deep Networks for Facial Expression Recognition "
        "with Crowd-Sourced Label Distribution, ICMI 2016, arXiv 1608.01041; I. Goodfellow et al., Challenges in "
        "Representation Learning, ICONIP 2013, arXiv 1307.0414"
    )
    settings: Settings

    def __init__(self, name: str, settings: Settings, source: str | None = None) -> None:
        super().__init__(name, settings, source)
        self.expressions = EXPRESSIONS_8 if settings.expressions == 8 else EXPRESSIONS
        if settings.labels == "fer2013":
            self.label = "FER-2013"

    def image_root(self, out: Path) -> Path:
        """Return the folder of the stored faces."""
        return require_stored(self.store_root(out), self.name, self.source)

    def check(self, workers: int = 0, progress: bool = True) -> str:
        """Return the fingerprint of the files; InputError when another was expected."""
        root = self.external_root()
        self._rows(root)
        return self._accepted(root)

    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        """Decide the labels, check them, and store the faces that have one."""
        root = self.external_root()
        rows, found = self._rows(root), self._accepted(root)
        frame = rows[rows["reason"] == ""].sort_values("id", ignore_index=True)
        check_index(frame, self.expressions, self.source)
        tasks = list(zip(frame["line"], frame["pixels"], "images/" + frame["id"] + ".png", strict=True))
        hashes = _fer2013.store_faces(tasks, self.store_root(out), root / _FACES, self.source, workers, progress)
        side = _fer2013.SIDE
        frame = frame.assign(path="images/" + frame["id"] + ".png", width=side, height=side, sha256=hashes)
        if self.settings.labels == "fer2013":
            published = {split: dict(zip(_fer2013.EXPRESSIONS, n, strict=True)) for split, n in _FER2013.items()}
            compare_counts(frame, published, self.expressions, self.source)
        # the same pixels in several splits are left where they are
        identical = tell_shared(frame, pd.factorize(frame["sha256"])[0], self.source, "identical images")
        report(
            out, frame, rows, self.settings, self.source,
            fingerprint=found, validation="given", identical_across_splits=identical,
        )  # fmt: skip
        return frame[list(COLUMNS)]

    def _rows(self, root: Path) -> pd.DataFrame:
        """Return every row of fer2013.csv: id, image, label, split, subject, reason, line, pixels."""
        faces = _fer2013.read_faces(root / _FACES, self.source)
        compare_counts(
            pd.DataFrame({"split": faces["Usage"].map(_fer2013.SPLITS), "label": "faces"}),
            {split: {"faces": sum(counts)} for split, counts in _FER2013.items()}, ("faces",), self.source,
        )  # fmt: skip
        lines = np.arange(len(faces)) + 2
        rows = pd.DataFrame({"line": lines, "pixels": faces["pixels"], "split": faces["Usage"].map(_fer2013.SPLITS)})
        rows["id"] = [f"line{line:05d}" for line in lines]
        rows["label"], rows["reason"] = [_fer2013.EXPRESSIONS[number] for number in faces["emotion"]], ""
        if self.settings.labels == "ferplus":
            names, votes = _fer2013.read_votes(root / _VOTES, faces, self.source)
            rows["id"] = names.str.removesuffix(".png").where(names != "", rows["id"])
            rows["label"], rows["reason"] = decide(votes, self.settings.rule, self.settings.outlier_votes)
        beyond = (rows["reason"] == "") & ~rows["label"].isin(self.expressions)
        rows.loc[beyond, "reason"] = "class " + rows["label"] + f" is none of the {len(self.expressions)} expressions"
        return rows.assign(subject="", image=rows["id"])

    def _accepted(self, root: Path) -> str:
        names = [_FACES, _VOTES] if self.settings.labels == "ferplus" else [_FACES]
        digests = [digest_file(root, name) for name in names]
        found = fingerprint(digests[:1], join_digests(digests))
        if self.settings.fingerprint is not None:
            check_fingerprint(self.settings.fingerprint, found, root, self.source)
        return found
