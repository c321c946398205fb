"""The keys that RAF-DB's section of params.yaml may hold."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from fer_bench import registry
from fer_bench.datasets._alignment_faces import KIND, detectors, lists_faces
from fer_bench.datasets._rafdb_files import BoxOrder
from fer_bench.datasets.base import DatasetSettings
from fer_bench.errors import InputError
from fer_bench.validation import validate


class RafdbSettings(DatasetSettings):
    """Which images are used and how faces are found; docs/datasets_rafdb.md explains each key.

    images: `prepared` (faces found in the original photographs and aligned to 224 px), `aligned` (the dataset's own,
        100 px), `original` (whole photographs), `published` (made by the published code: basic/Image/our_aligned).
    The next keys are for `prepared`:
    points: `detected`, or the dataset's own five `annotated` points, which need no detector.
    detector, detector_settings: a landmark backend that lists faces, and its settings.
    box_order: what the four numbers of a box are: `correct` (left, top, right, bottom) or `swapped` (top, left, bottom,
        right).
    min_overlap: least intersection over union of the chosen face and the annotated box; below it the box is cropped.
    folds: folder of the published fold files, relative to the root; its splits are used.
    """

    images: Literal["prepared", "aligned", "original", "published"] = "prepared"
    points: Literal["detected", "annotated"] = "detected"
    detector: str = "face_alignment"
    detector_settings: dict[str, Any] = {}
    box_order: BoxOrder = "correct"
    min_overlap: float = Field(0.0, ge=0, le=1)
    folds: str | None = None

    @field_validator("detector")
    @classmethod
    def _lists_faces(cls, name: str) -> str:
        if not lists_faces(name):
            raise ValueError(f"no detector that lists every face of an image; known: {', '.join(detectors())}")
        return name

    @model_validator(mode="after")
    def _usable_detector(self) -> "RafdbSettings":
        if not self.detects:
            return self
        try:
            validate(registry.settings(KIND, self.detector), self.detector_settings, "detector_settings")
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def detects(self) -> bool:
        """Whether faces are looked for."""
        return self.images == "prepared" and self.points == "detected"

    def plugins(self) -> list[str]:
        """Name the modules of the detector, and of the backend that reads the released landmarks."""
        named = [self.detector] if self.detects else []
        named += ["given"] if self.folds is not None and self.images == "prepared" else []
        return [f"fer_bench.{KIND}.{name}" for name in named]
