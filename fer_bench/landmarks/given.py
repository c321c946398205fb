"""Landmarks that exist already: the truth of generated faces, a table of ours, or the authors' landmarks.txt."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fer_bench import settings as base_settings
from fer_bench.errors import InputError
from fer_bench.landmarks import _weights
from fer_bench.landmarks._given_folder import NAME, read_given_files, split_files, unique_stems
from fer_bench.landmarks.base import BackendBase, Detection, nothing


class Settings(base_settings.Settings):
    """Where the landmarks are.

    file: parquet or CSV with columns id, x0..x67, y0..y67, or the authors' landmarks.txt, or the folder of their fold
        files (train, val and test, each with a landmarks.txt); absent = the dataset's own table of true landmarks.
    sha256: of that file, or its first digits; a file that hashes to something else is an error. Not for a folder.
    """

    file: str | None = None
    sha256: str | None = None


class Backend(BackendBase):
    """Looks landmarks up by id, by the path of the index, then by file names that end in `id`; no image is opened."""

    needs_images: ClassVar[bool] = False

    def __init__(self, settings: Settings, source: str = "landmarks.given") -> None:
        super().__init__(settings, source)
        self.file: Path | None = None
        self.files: list[Path] = []
        self.known: dict[str, Detection] = {}
        self.by_stem: dict[str, Detection] = {}
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
        """Return the SHA-256 of each file."""
        return {"sha256": [_weights.sha256(file) for file in self.files]} if self.files else {}

    def find(self, image_id: str, path: str) -> Detection:
        """Look an image up; one that the file does not know has status `error`."""
        found = self.known.get(image_id) or self.known.get(path) or self.by_stem.get(image_id)
        return found or nothing("error", f"{self.file} has no row for id {image_id!r} or path {path!r}")

    def _take(self, file: Path) -> None:
        where = f"{self.source}.file"
        self.files = [file] if file.is_file() else split_files(file)
        if not self.files:
            what = f"holds no {NAME}, nor a folder train or test with one" if file.is_dir() else "does not exist"
            raise InputError(f"{where}: {str(file)!r} {what}")
        self._check_hash(file)
        ids, points, statuses = read_given_files(self.files)
        self.file = file
        rows = zip(ids, points, statuses, strict=True)
        self.known = {name: _detection(one, status) for name, one, status in rows}
        self.by_stem = {stem: self.known[name] for stem, name in unique_stems(ids).items()}

    def _check_hash(self, file: Path) -> None:
        expected = (self.settings.sha256 or "").lower()
        if not expected:
            return
        if len(self.files) > 1:
            raise InputError(f"{self.source}.sha256: {str(file)!r} is a folder of several files; leave sha256 out")
        found = _weights.sha256(self.files[0])
        if not found.startswith(expected):
            raise InputError(f"{self.source}.sha256: given {expected}, but {file} has {found}")


def _detection(points: np.ndarray, status: str) -> Detection:
    if np.isnan(points).any():
        return nothing(status if status == "error" else "no_face", "no landmarks in the given file")
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    box = (float(left), float(top), float(right), float(bottom))
    return Detection(points, status or "ok", "given", box, 1.0)
