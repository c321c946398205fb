"""The face of a photograph: found, and cut out with the framing of the training set."""

import json
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from fer_bench import registry
from fer_bench.datasets._alignment import apply, five_points, similarity
from fer_bench.datasets._images import to_grey
from fer_bench.errors import InputError
from fer_bench.landmarks.base import BackendBase, Detection
from fer_bench.trained import Preparation
from fer_bench.validation import validate

FOUND = ("ok", "several_faces")
_BORDERS = {"replicate": cv2.BORDER_REPLICATE, "black": cv2.BORDER_CONSTANT}
_OUTER_EYES = (36, 45)  # landmarks: the outer eye corners


@dataclass(frozen=True, eq=False)
class Face:
    """A face and its crop.

    detection: in pixels of the photograph. crop: (h, w, 3) uint8, what is resized to the input of the network.
    points: (68, 2) landmarks in pixels of the crop. to_photo: (2, 3), from the crop to the photograph.
    aligned: whether it was cut out; False: the photograph was taken whole. outside: share of the crop that lies beyond
    the photograph.
    """

    detection: Detection
    crop: np.ndarray
    points: np.ndarray
    to_photo: np.ndarray
    aligned: bool
    outside: float

    @property
    def scale(self) -> float:
        """Pixels of the photograph per pixel of the crop."""
        return float(np.hypot(self.to_photo[0, 0], self.to_photo[1, 0]))

    @property
    def framing(self) -> float:
        """Width of the crop in outer eye corner distances of this face."""
        first, second = _OUTER_EYES
        return float(self.crop.shape[1] / np.linalg.norm(self.points[first] - self.points[second]))

    @property
    def corners(self) -> np.ndarray:
        """(4, 2) corners of the crop in pixels of the photograph."""
        height, width = self.crop.shape[:2]
        return apply(
            self.to_photo,
            np.array([(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)]),
        )


def find_face(pixels: np.ndarray, how: Preparation, whole: bool = False) -> Face:
    """Find the face and cut it out.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        how: the preparation of the network's training set.
        whole: the photograph is a face crop of the training set's own framing already: take it as it is.

    Raises:
        InputError: no face was found. A face that no detector sees, fitted in a box around the whole image, counts
            where `whole` says that the image is a face, and nowhere else.
    """
    found = _detect(pixels, how)
    if found.status not in FOUND and not (whole and found.status == "fallback"):
        reason = f" ({found.message})" if found.message else ""
        hint = "" if whole else "; if it is a face crop already, --whole takes it as it is"
        raise InputError(f"no face found{reason}{hint}")
    if whole:
        return Face(found, _coloured(pixels, how), found.points, np.eye(2, 3), aligned=False, outside=0.0)
    return _aligned(pixels, found, how)


def _detect(pixels: np.ndarray, how: Preparation) -> Detection:
    engine = _engine(how.landmarks, json.dumps(how.landmark_settings, sort_keys=True))
    try:
        return engine.detect(pixels)
    except InputError:
        raise
    except Exception as error:  # detectors fail in their own ways on odd images, and one must not stop the others
        raise InputError(
            f"the detector failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error


@lru_cache(maxsize=4)
def _engine(name: str, settings: str) -> BackendBase:
    """Build a landmark backend and load its models, once."""
    source = f"landmarks.{name}"
    engine: BackendBase = registry.plugin("landmarks", name, source)(
        validate(registry.settings("landmarks", name, source), json.loads(settings), source), source
    )
    engine.load()
    return engine


def _aligned(pixels: np.ndarray, found: Detection, how: Preparation) -> Face:
    try:
        to_photo = similarity(np.array(how.template), five_points(found.points))
    except ValueError as error:
        raise InputError(f"no face found ({error})") from error
    crop = _coloured(cut(pixels, to_photo, how), how)
    points = apply(cv2.invertAffineTransform(to_photo), found.points)
    return Face(found, crop, points, to_photo, aligned=True, outside=_outside(pixels, to_photo, how.crop_size))


def cut(pixels: np.ndarray, to_photo: np.ndarray, how: Preparation) -> np.ndarray:
    """Cut (h, w, 3) out of a photograph by the transform (2, 3) from the crop to it.

    A face that is larger than the crop is reduced by area averaging to the crop's scale first where `antialias`;
    linear interpolation alone would skip pixels.
    """
    scale = float(np.hypot(to_photo[0, 0], to_photo[1, 0]))
    if how.antialias and scale > 1:
        height, width = pixels.shape[:2]
        size = (max(1, round(width / scale)), max(1, round(height / scale)))
        ratio = np.array([size[0] / width, size[1] / height])
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        to_photo = to_photo * ratio[:, None] + np.column_stack([np.zeros((2, 2)), 0.5 * ratio - 0.5])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels, to_photo, how.crop_size, flags=flags, borderMode=_BORDERS[how.border], borderValue=0)


def _coloured(crop: np.ndarray, how: Preparation) -> np.ndarray:
    return np.repeat(to_grey(crop)[..., None], 3, axis=2) if how.grey else crop


def _outside(pixels: np.ndarray, to_photo: np.ndarray, size: tuple[int, int]) -> float:
    """Share of the crop's pixel centres that lie beyond the photograph."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    places = apply(to_photo, np.stack([x.ravel(), y.ravel()], axis=1))
    ends = np.array([pixels.shape[1], pixels.shape[0]]) - 0.5
    return float(((places < -0.5) | (places > ends)).any(axis=1).mean())
