"""Landmarks without network or GPU: dlib's face detectors and its 68-point regression trees."""

import sys
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from fer_bench import settings as base_settings
from fer_bench.landmarks import _weights
from fer_bench.landmarks._choose import choose
from fer_bench.landmarks._jitter import points_with_spread
from fer_bench.landmarks._view import View, bordered, scaled
from fer_bench.landmarks.base import BackendBase, Detection, nothing

PACKAGE = "face-recognition-models"
POINTS_FILE = "shape_predictor_68_face_landmarks.dat"
MMOD_FILE = "mmod_human_face_detector.dat"
LICENCE = (
    "dlib's 68-point file was trained on iBUG 300-W, whose licence excludes commercial use; "
    "ask Imperial College London before using it in a product."
)
# The 68-point file was trained in boxes of the HOG detector. Boxes of the mmod detector are smaller and higher: medians
# over 119 photographs and over 117 generated faces that both detectors found agree on these two numbers to 0.01.
_MMOD_GROWTH = 1.1  # HOG side / mmod side
_MMOD_DROP = 0.075  # HOG centre lower by this share of the mmod side
_MMOD_SMALLEST = 40  # px; its smallest face, and on strips a few pixels wide the network itself fails
Hits = tuple[View, np.ndarray, np.ndarray]  # what the detector saw, its boxes (N, 4) there, their scores (N,)


class Settings(base_settings.Settings):
    """Thresholds and sizes of the four steps.

    hog_threshold, mmod_threshold: lowest score of a detector that counts as a face.
    enlarge_to: short side in pixels to which smaller images are enlarged for the second HOG step.
    border: width of the repeated edge around the enlarged image, share of its short side: the detector wants forehead
        and chin, and tight crops cut them.
    mmod_side: short side in pixels at which mmod runs (its time grows with the square), and to which smaller images are
        enlarged for the whole-image box.
    largest_side: images with a longer side are shrunk to it in pixels before any step.
    insets: the whole-image box leaves out this share of the image on each side; the one with the least spread counts.
    jitter: how far the eight other boxes around a whole-image box move and grow, share of its side.
    max_spread: spread of the points over these boxes, in outer eye corner distances, above which the box is bad.
    bad_box: what becomes of a bad whole-image box: `no_face`, or kept as `fallback`.
    """

    hog_threshold: float = 0.0
    enlarge_to: int = Field(256, ge=80, le=2048)
    border: float = Field(0.25, ge=0, le=1)
    mmod_side: int = Field(168, ge=80, le=2048)
    mmod_threshold: float = 0.0
    largest_side: int = Field(1024, ge=80)
    insets: tuple[float, ...] = Field((0.05, 0.15), min_length=1)
    jitter: float = Field(0.06, gt=0, lt=0.5)
    max_spread: float = Field(0.04, gt=0)
    bad_box: Literal["no_face", "fallback"] = "no_face"


class Backend(BackendBase):
    """HOG as the image is, HOG enlarged, mmod, whole-image box: the first step that finds a face decides."""

    lists_faces: ClassVar[bool] = True
    steps: ClassVar[tuple[str, ...]] = ("hog", "hog_enlarged", "mmod", "whole_image")

    def __init__(self, settings: Settings, source: str = "landmarks.dlib") -> None:
        super().__init__(settings, source)
        self.version = _weights.need_package("dlib", "dlib-bin", source)
        self.files = {name: _weights.packaged_file(PACKAGE, name, source) for name in (POINTS_FILE, MMOD_FILE)}
        _print_licence()

    def identity(self) -> dict[str, Any]:
        """Return settings, the version of dlib and the SHA-256 of both weight files."""
        hashes = {name: _weights.sha256(path) for name, path in self.files.items()}
        return {**super().identity(), "dlib": self.version, "weights": hashes}

    def load(self) -> None:
        """Load both detectors and the 68-point file."""
        _ = self._models

    def detect(self, image: np.ndarray) -> Detection:
        """Try the steps in order; see BackendBase."""
        self.load()
        self.seconds = {}
        stored = self._limited(image)
        for step in self.steps[:-1]:
            with self.timed(step):
                view, boxes, scores = getattr(self, f"_{step}")(stored)
                if len(boxes):
                    row, status, message = choose(boxes, view.pixels.shape[:2])
                    return self._fit(view, boxes[row], scores[row], step, status, message)
        with self.timed("whole_image"):
            return self._whole_image(stored)

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Fit the points in every box of the first step that finds any; see BackendBase."""
        self.load()
        stored = self._limited(image)
        for step in self.steps[:-1]:
            view, boxes, scores = getattr(self, f"_{step}")(stored)
            if len(boxes):
                return [self._fit(view, box, score, step, "ok", "") for box, score in zip(boxes, scores, strict=True)]
        return []

    def _limited(self, image: np.ndarray) -> View:
        return bordered(image, min(1.0, self.settings.largest_side / max(image.shape[:2])))

    def _hog(self, stored: View) -> Hits:
        return (stored, *self._run_hog(stored))

    def _hog_enlarged(self, stored: View) -> Hits:
        view = self._view(stored, self.settings.enlarge_to, shrink=False, border=self.settings.border)
        return (view, *self._run_hog(view))

    def _mmod(self, stored: View) -> Hits:
        view = self._view(stored, self.settings.mmod_side, shrink=True)
        if min(view.pixels.shape[:2]) < _MMOD_SMALLEST:
            return view, np.empty((0, 4)), np.empty(0)
        hits = [hit for hit in self._models["mmod"](view.pixels, 0) if hit.confidence >= self.settings.mmod_threshold]
        boxes = np.array([_as_hog_box(_edges(hit.rect)) for hit in hits]).reshape(-1, 4)
        return view, boxes, np.array([hit.confidence for hit in hits])

    def _whole_image(self, stored: View) -> Detection:
        view = self._view(stored, self.settings.mmod_side, shrink=False)
        height, width = view.pixels.shape[:2]
        tries = []
        for inset in self.settings.insets:
            box = np.array([width * inset, height * inset, width * (1 - inset), height * (1 - inset)])
            tries.append((*points_with_spread(self._points, view.pixels, box, self.settings.jitter), box))
        points, spread, box = min(tries, key=lambda one: one[1])
        message = f"spread {spread:.3f} of the eye distance over shifted whole-image boxes"
        if spread > self.settings.max_spread and self.settings.bad_box == "no_face":
            return nothing("no_face", f"{message}: more than {self.settings.max_spread}")
        return _detection(view, points, "fallback", "whole_image", box, -spread, message)

    def _fit(self, view: View, box: np.ndarray, score: float, step: str, status: str, message: str) -> Detection:
        """Fit the points in a box of a view."""
        return _detection(view, self._points(view.pixels, box), status, step, box, score, message)

    def _view(self, stored: View, side: int, shrink: bool, border: float = 0.0) -> View:
        """Resize what `detect` has limited in size; the result maps back to the stored image itself."""
        view = scaled(stored.pixels, side, self.settings.largest_side, shrink, border)
        return View(view.pixels, view.scale * stored.scale, view.offset)

    def _run_hog(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        boxes, scores, _ = self._models["hog"].run(view.pixels, 0, self.settings.hog_threshold)
        return np.array([_edges(box) for box in boxes]).reshape(-1, 4), np.array(scores)

    def _points(self, pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
        import dlib  # noqa: PLC0415 - an optional package

        left, top, right, bottom = (round(float(edge)) for edge in box)
        shape = self._models["points"](pixels, dlib.rectangle(left, top, right, bottom))
        return np.array([(part.x, part.y) for part in shape.parts()], np.float64)

    @property
    def _models(self) -> dict[str, Any]:
        return _load(self.files[POINTS_FILE], self.files[MMOD_FILE])


@cache
def _load(points_file: Path, mmod_file: Path) -> dict[str, Any]:
    """Load the models once per process: the 68-point file alone has 100 MB."""
    import dlib  # noqa: PLC0415 - an optional package

    return {
        "hog": dlib.get_frontal_face_detector(),
        "mmod": dlib.cnn_face_detection_model_v1(str(mmod_file)),
        "points": dlib.shape_predictor(str(points_file)),
    }


def _detection(
    view: View, points: np.ndarray, status: str, step: str, box: np.ndarray, score: float, message: str
) -> Detection:
    stored = view.to_stored(points).astype(np.float32)
    left, top, right, bottom = (float(edge) for edge in view.box_to_stored(box))
    return Detection(stored, status, step, (left, top, right, bottom), float(score), message)


def _edges(box: Any) -> np.ndarray:
    return np.array([box.left(), box.top(), box.right(), box.bottom()], np.float64)


def _as_hog_box(box: np.ndarray) -> np.ndarray:
    """Turn a box of mmod into the box that the HOG detector would give for the same face."""
    side = (box[2] - box[0] + box[3] - box[1]) / 2
    centre = (box[:2] + box[2:]) / 2 + (0, _MMOD_DROP * side)
    half = _MMOD_GROWTH * side / 2
    return np.concatenate([centre - half, centre + half])


@cache
def _print_licence() -> None:
    """Print the restriction once per process (processes that a run starts receive a built backend and stay silent)."""
    print(f"landmarks.dlib: {LICENCE}", file=sys.stderr)
