"""What every landmark backend promises: one image in, one Detection out; or, without images, one id in."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fer_bench.settings import Settings

POINTS = 68  # the iBUG 68-point scheme, 0-based
STATUSES = ("ok", "fallback", "no_face", "several_faces", "error")
Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the stored image


@dataclass(frozen=True, eq=False)
class Detection:
    """What a backend found in one image.

    points: (68, 2) x right, y down, pixels of the stored image; may lie outside it; all NaN when there are none.
    status: `ok` (a face detector found exactly one face), `several_faces` (it found more, the largest central one was
        taken), `fallback` (no detector found a face, the points come from a box around the whole image),
        `no_face`, `error`.
    step: the step of the backend that found the face; "" when none did.
    box: left, top, right, bottom in pixels of the face the points were fitted in; NaN when there is none.
    score: how sure that step was, on its own scale, larger is better; NaN when there is nothing to score.
    message: one line for a reader, "" when there is nothing to say.
    """

    points: np.ndarray
    status: str
    step: str
    box: Box
    score: float
    message: str = ""


def nothing(status: str, message: str = "", step: str = "") -> Detection:
    """Return a Detection without points: `no_face` or `error`."""
    return Detection(np.full((POINTS, 2), np.nan, np.float32), status, step, (np.nan,) * 4, np.nan, message)


class BackendBase:
    """A source of landmarks; a plug-in overrides `detect`, or `find` where it needs no image.

    Building one checks packages and weight files and raises InputError; models are loaded at the first use, so that a
    backend can be sent to another process.
    """

    needs_images: ClassVar[bool] = True
    lists_faces: ClassVar[bool] = False  # whether `faces` works
    steps: ClassVar[tuple[str, ...]] = ()  # in the order in which they are tried

    def __init__(self, settings: Settings, source: str) -> None:
        self.settings: Any = settings
        self.source = source  # where the settings stand, e.g. `params.yaml: landmarks.dlib`
        self.seconds: dict[str, float] = {}  # step -> time spent on the last image

    def load(self) -> None:
        """Load the models, so that their time is not counted as an image's; raises InputError when that fails."""

    def detect(self, image: np.ndarray) -> Detection:
        """Find the landmarks of the face in an image.

        Args:
            image: (H, W, 3) uint8 RGB.
        """
        raise NotImplementedError

    @property
    def batch_size(self) -> int:
        """How many images `detect_batch` should get at once."""
        return 1

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[tuple[Detection, dict[str, float]]]:
        """Find the landmarks in several images; one after the other where a backend gains nothing by a batch.

        Args:
            images: (H, W, 3) uint8 RGB each, of any sizes.

        Returns:
            Per image what was found, and step -> seconds spent on it.
        """
        found = []
        for image in images:
            self.seconds = {}
            found.append((self.detect(image), self.seconds))
        return found

    def faces(self, image: np.ndarray) -> list[Detection]:
        """Find every face that the first successful step of the detector sees, for a caller that knows which is meant.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            One Detection per face, each with status `ok`, in the detector's order; [] when it finds none (a box around
            the whole image never stands in).
        """
        raise NotImplementedError

    def find(self, image_id: str, path: str) -> Detection:
        """Look up the landmarks of an image by its id, or by its path as the index gives it (`needs_images` False)."""
        raise NotImplementedError

    def use_truth(self, truth: Path | None) -> None:
        """Take the dataset's own table of true landmarks, or None; only backends that look up read it."""

    def identity(self) -> dict[str, Any]:
        """Return all that its answers depend on beside the image: settings, versions, hashes of weights."""
        return {"settings": self.settings.model_dump(mode="json")}

    def processes(self, wanted: int) -> int:
        """Return how many processes may run this backend at once, at most `wanted`."""
        return wanted

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time of the block to `seconds[step]`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start
