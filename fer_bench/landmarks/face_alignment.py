"""Landmarks by the face-alignment package: S3FD finds the face, FAN the points (DOI 10.1109/ICCV.2017.116)."""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pickle import UnpicklingError
from time import perf_counter
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from fer_bench import settings as base_settings
from fer_bench.errors import InputError
from fer_bench.landmarks import _fan, _weights
from fer_bench.landmarks._choose import choose
from fer_bench.landmarks.base import BackendBase, Box, Detection, nothing

FAN_FILE = "2DFAN4-11f355bf06.pth.tar"  # the names of face-alignment 1.5's downloads
S3FD_FILE = "s3fd-619a316812.pth"
_ORIGIN = "https://www.adrianbulat.com/downloads/python-fan/"  # where the package gets both
Timed = tuple[Detection, dict[str, float]]  # what was found in an image, step -> seconds spent on it
_PASS = 64
_UNLOADABLE = (OSError, RuntimeError, ValueError, EOFError, KeyError, UnpicklingError)  # no network, foreign files


class Settings(base_settings.Settings):
    """How face-alignment is run.

    whole_image: when a box around the whole image stands in for a detected face: `never` (no face: status `no_face`),
        `no_face` (when S3FD finds none: status `fallback`), `always` (for aligned crops; S3FD is then not needed).
    inset: share of the image that the whole-image box leaves out on each side.
    detector_threshold: lowest score of S3FD that counts as a face.
    flip_input: average with the mirrored face; steadier points at twice the cost.
    device: `auto` (cuda where there is one), `cpu`, `cuda`, `cuda:0`, `mps`.
    dtype: of FAN; bfloat16 halves the time on recent processors.
    batch_size: faces that FAN fits in one pass; null: 64, and 1 on a processor, which gains nothing by more.
    download: whether missing weights may be fetched; when not, they are an error that says where to put them.
    """

    whole_image: Literal["never", "no_face", "always"] = "never"
    inset: float = Field(0.1, ge=0, lt=0.5)
    detector_threshold: float = Field(0.5, gt=0, lt=1)
    flip_input: bool = False
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: int | None = Field(None, ge=1, le=1024)
    download: bool = False


class Backend(BackendBase):
    """S3FD on the image, then FAN (four hourglasses, 2D points) on the largest central face."""

    lists_faces: ClassVar[bool] = True
    steps: ClassVar[tuple[str, ...]] = ("s3fd", "whole_image")

    def __init__(self, settings: Settings, source: str = "landmarks.face_alignment") -> None:
        super().__init__(settings, source)
        self.files = [FAN_FILE] if settings.whole_image == "always" else [FAN_FILE, S3FD_FILE]
        missing = _weights.missing_checkpoints(self.files, source)
        if missing:
            self._download_or(missing)

    @cached_property
    def device(self) -> str:
        """The device with `auto` resolved."""
        if self.settings.device != "auto":
            return str(self.settings.device)
        import torch  # noqa: PLC0415 - takes seconds, and no other backend needs it

        return "cuda" if torch.cuda.is_available() else "cpu"

    def processes(self, wanted: int) -> int:
        """Return 1 off the CPU: processes would share one device."""
        return wanted if self.device == "cpu" else 1

    def identity(self) -> dict[str, Any]:
        """Return settings with the device resolved, versions and SHA-256 of the weights.

        Weights that do not hash to what their name says are used, with a warning: they are not the published ones.
        """
        settings = self.settings.model_dump(mode="json", exclude={"download"})
        hashes = {name: _weights.sha256(_weights.checkpoint_folder() / name) for name in self.files}
        for name, found in hashes.items():
            if not found.startswith(_weights.hash_prefix(name)):
                text = (
                    f"{self.source}: {name} has sha256 {found[:10]}..., its name says otherwise: not the published file"
                )
                warnings.warn(text, stacklevel=2)
        versions = {name: version(name) for name in ("face-alignment", "torch")}
        resolved = {"device": self.device, "batch_size": self.batch_size}
        return {"settings": settings | resolved, "weights": hashes, "versions": versions}

    def load(self) -> None:
        """Build both networks; a damaged or foreign weight file is an InputError."""
        try:
            _ = self._networks
        except _UNLOADABLE as error:
            raise InputError(
                f"{self.source}: weights in {_weights.checkpoint_folder()} cannot be loaded ({_first_line(error)}); "
                f"expected the published {' and '.join(self.files)}"
            ) from None

    @property
    def batch_size(self) -> int:
        """Faces that FAN fits in one pass."""
        return int(self.settings.batch_size or (1 if self.device == "cpu" else _PASS))

    def detect(self, image: np.ndarray) -> Detection:
        """Find the face, then its points; see BackendBase."""
        self.load()
        ((found, self.seconds),) = self._detect([image], size=1)
        return found

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Timed]:
        """Find the faces image by image, then the points of all faces in one pass; see BackendBase."""
        self.load()
        return self._detect(images, self.batch_size)

    def _detect(self, images: Sequence[np.ndarray], size: int) -> list[Timed]:
        """Return what was found and how long each step took; FAN's time is shared out evenly."""
        placed = [self._place(image) for image in images]
        rows = [row for row, (face, _) in enumerate(placed) if face.step]
        start = perf_counter()
        fits = _fan.fit(self._networks, [images[row] for row in rows], [placed[row][0].box for row in rows], size)
        each = (perf_counter() - start) / max(1, len(rows))
        for row, (points, score) in zip(rows, fits, strict=True):
            face, seconds = placed[row]
            seconds[face.step] += each
            placed[row] = _with_points(face, points, score), seconds
        return placed

    def _place(self, image: np.ndarray) -> Timed:
        """Find the box of the face; the points are still missing."""
        self.seconds = {}
        if self.settings.whole_image != "always":
            with self.timed("s3fd"):
                found = self._with_detector(image)
            if found is not None or self.settings.whole_image == "never":
                return found or nothing("no_face", "S3FD found no face"), self.seconds
        with self.timed("whole_image"):
            return self._whole_image(image), self.seconds

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Fit the points in every box of S3FD; none with `whole_image: always`, which has no detector."""
        self.load()
        if self.settings.whole_image == "always":
            return []
        hits = self._hits(image)
        fits = _fan.fit(self._networks, [image] * len(hits), [_box(hit) for hit in hits], size=1)
        return [_with_points(_face(hit, "ok", ""), *fit) for hit, fit in zip(hits, fits, strict=True)]

    def _hits(self, image: np.ndarray) -> np.ndarray:
        """Return (N, 5): left, top, right, bottom, score."""
        rows = self._networks.face_detector.detect_from_image(image)
        hits = np.asarray(rows, np.float64).reshape(-1, 5)
        return hits[((hits[:, 2:4] - hits[:, :2]) >= 1).all(axis=1)]  # FAN divides by the size of the box

    def _with_detector(self, image: np.ndarray) -> Detection | None:
        hits = self._hits(image)
        if not len(hits):
            return None
        row, status, message = choose(hits[:, :4], image.shape[:2])
        return _face(hits[row], status, message)

    def _whole_image(self, image: np.ndarray) -> Detection:
        """Return a box around the whole image."""
        height, width = image.shape[:2]
        inset = self.settings.inset
        box = (width * inset, height * inset, width * (1 - inset), height * (1 - inset))
        return replace(nothing("fallback", "box around the whole image", "whole_image"), box=box)

    @cached_property
    def _networks(self) -> Any:
        detector = None if self.settings.whole_image == "always" else _weights.checkpoint_folder() / S3FD_FILE
        return _fan.load(self.settings, self.device, detector)

    def _download_or(self, missing: InputError) -> None:
        """Fetch what is missing, saying so; without permission or network raise `missing`."""
        if not self.settings.download:
            raise missing
        folder = _weights.checkpoint_folder()
        print(f"{self.source}: fetching weights to {folder}", file=sys.stderr)
        try:
            for name in self.files:
                _weights.fetch(_ORIGIN + name, folder / name)
        except _UNLOADABLE as error:
            raise InputError(f"{missing}; the download failed ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _face(hit: np.ndarray, status: str, message: str) -> Detection:
    """Return the box and score of one of S3FD's faces; the points are still missing."""
    return replace(nothing(status, message, "s3fd"), box=_box(hit), score=float(hit[4]))


def _box(hit: np.ndarray) -> Box:
    left, top, right, bottom = (float(edge) for edge in hit[:4])
    return left, top, right, bottom


def _with_points(face: Detection, points: np.ndarray, score: float) -> Detection:
    """Add the points; a box without a detector's score gets the mean height of FAN's 68 peaks."""
    known = face.score if np.isfinite(face.score) else score
    return replace(face, points=np.asarray(points, np.float32), score=known)
