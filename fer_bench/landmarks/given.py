"""Landmarks that exist already: the truth of generated faces, a table of ours, or the authors' landmarks.txt."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fer_bench import settings as base_settings
from fer_bench.errors import InputError
from fer_bench.landmarks import _weights
from fer_bench.landmarks._given_files import read_given
from fer_bench.landmarks.base import BackendBase, Detection, nothing


class Settings(base_settings.Settings):
    """Where the landmarks are.

    file: parquet or CSV with columns id, x0..x67, y0..y67, or the authors' landmarks.txt; absent = the dataset's own
        table of true landmarks.
    sha256: of that file, or its first digits; a file that hashes to something else is an error.
    """

    file: str | None = None
    sha256: str | None = None


class Backend(BackendBase):
    """Looks landmarks up by id, then by the path of the index; no image is opened."""

    needs_images: ClassVar[bool] = False

    def __init__(self, settings: Settings, source: str = "landmarks.given") -> None:
        super().__init__(settings, source)
        self.file: Path | None = None
        self.known: dict[str, Detection] = {}
        if settings.file is not None:
            self._take(Path(settings.file).expanduser())

    def use_truth(self, truth: Path | None) -> None:
        """Take the dataset's table of true landmarks unless the settings name a file."""
        if self.file is not None:
            return
        if truth is None:
            raise InputError(
                f"{self.source}.file: no file given, and this dataset has no true landmarks; "
                "name a parquet, CSV or landmarks.txt file, or use the backend dlib or face_alignment"
            )
        self._take(truth)

    def identity(self) -> dict[str, Any]:
        """Return the SHA-256 of the file."""
        return {"sha256": _weights.sha256(self.file)} if self.file else {}

    def find(self, image_id: str, path: str) -> Detection:
        """Look an image up; one that the file does not know has status `error`."""
        found = self.known.get(image_id) or self.known.get(path)
        return found or nothing("error", f"{self.file} has no row for id {image_id!r} or path {path!r}")

    def _take(self, file: Path) -> None:
        if not file.is_file():
            raise InputError(f"{self.source}.file: {str(file)!r} does not exist")
        expected = (self.settings.sha256 or "").lower()
        if not _weights.sha256(file).startswith(expected):
            raise InputError(f"{self.source}.sha256: given {expected}, but {file} has {_weights.sha256(file)}")
        ids, points, statuses = read_given(file)
        self.file = file
        rows = zip(ids, points, statuses, strict=True)
        self.known = {name: _detection(one, status) for name, one, status in rows}


def _detection(points: np.ndarray, status: str) -> Detection:
    if np.isnan(points).any():
        return nothing(status if status == "error" else "no_face", "no landmarks in the given file")
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    box = (float(left), float(top), float(right), float(bottom))
    return Detection(points, status or "ok", "given", box, 1.0)
