"""Landmarks by the face-alignment package: S3FD finds the face, FAN the points (DOI 10.1109/ICCV.2017.116)."""

import sys
import warnings
from functools import cached_property
from importlib.metadata import version
from pickle import UnpicklingError
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from fer_bench import settings as base_settings
from fer_bench.errors import InputError
from fer_bench.landmarks import _weights
from fer_bench.landmarks._choose import choose
from fer_bench.landmarks.base import BackendBase, Detection, nothing

FAN_FILE = "2DFAN4-11f355bf06.pth.tar"  # the names of face-alignment 1.5's downloads
S3FD_FILE = "s3fd-619a316812.pth"
_ORIGIN = "https://www.adrianbulat.com/downloads/python-fan/"  # where the package gets both
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
    download: whether missing weights may be fetched; when not, they are an error that says where to put them.
    """

    whole_image: Literal["never", "no_face", "always"] = "never"
    inset: float = Field(0.1, ge=0, lt=0.5)
    detector_threshold: float = Field(0.5, gt=0, lt=1)
    flip_input: bool = False
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
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
        return {"settings": {**settings, "device": self.device}, "weights": hashes, "versions": versions}

    def load(self) -> None:
        """Build both networks; a damaged or foreign weight file is an InputError."""
        try:
            _ = self._networks
        except _UNLOADABLE as error:
            raise InputError(
                f"{self.source}: weights in {_weights.checkpoint_folder()} cannot be loaded ({_first_line(error)}); "
                f"expected the published {' and '.join(self.files)}"
            ) from None

    def detect(self, image: np.ndarray) -> Detection:
        """Find the face, then its points; see BackendBase."""
        self.load()
        self.seconds = {}
        if self.settings.whole_image != "always":
            with self.timed("s3fd"):
                found = self._with_detector(image)
            if found is not None:
                return found
            if self.settings.whole_image == "never":
                return nothing("no_face", "S3FD found no face")
        with self.timed("whole_image"):
            return self._whole_image(image)

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Fit the points in every box of S3FD; none with `whole_image: always`, which has no detector."""
        self.load()
        if self.settings.whole_image == "always":
            return []
        return [self._fit(image, hit, "ok", "") for hit in self._hits(image)]

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
        return self._fit(image, hits[row], status, message)

    def _fit(self, image: np.ndarray, hit: np.ndarray, status: str, message: str) -> Detection:
        points, _ = self._points(image, hit[:4])
        return _detection(points, status, "s3fd", hit[:4], float(hit[4]), message)

    def _whole_image(self, image: np.ndarray) -> Detection:
        """Fit the points in a box around the whole image; the score is the mean height of FAN's 68 peaks."""
        height, width = image.shape[:2]
        inset = self.settings.inset
        box = np.array([width * inset, height * inset, width * (1 - inset), height * (1 - inset)])
        points, score = self._points(image, box)
        return _detection(points, "fallback", "whole_image", box, score, "box around the whole image")

    def _points(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        points, scores, _ = self._networks.get_landmarks_from_image(
            image, detected_faces=[box], return_landmark_score=True
        )
        return points[0], float(np.mean(scores[0]))

    @cached_property
    def _networks(self) -> Any:
        import face_alignment  # noqa: PLC0415 - takes seconds, and no other backend needs it
        import torch  # noqa: PLC0415

        always = self.settings.whole_image == "always"
        networks = face_alignment.FaceAlignment(
            face_alignment.LandmarksType.TWO_D,
            device=self.device,
            dtype=getattr(torch, self.settings.dtype),
            flip_input=self.settings.flip_input,
            # `folder` is the package's only detector without weights; it is never asked for a face
            face_detector="folder" if always else "sfd",
            face_detector_kwargs={} if always else self._detector_options(),
            compile=False,  # compiling takes a minute on a processor
        )
        networks.face_alignment_net.to(memory_format=torch.channels_last)  # a fifth faster on a processor
        return networks

    def _detector_options(self) -> dict[str, Any]:
        """Options of S3FD; given a path, the package reads tensors alone from it, without one it would run a pickle."""
        path = _weights.checkpoint_folder() / S3FD_FILE
        return {"filter_threshold": self.settings.detector_threshold, "path_to_detector": str(path)}

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


def _detection(points: np.ndarray, status: str, step: str, box: np.ndarray, score: float, message: str) -> Detection:
    left, top, right, bottom = (float(edge) for edge in box)
    return Detection(np.asarray(points, np.float32), status, step, (left, top, right, bottom), score, message)
