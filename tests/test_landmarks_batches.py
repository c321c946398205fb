"""Backends that take several images at once: the pool hands them batches, and a failure stays with its image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fer_bench.landmarks._pool import detect_files
from fer_bench.landmarks.base import BackendBase, Detection
from fer_bench.settings import Settings


class Fives(BackendBase):
    """Finds the value of an image's first pixel; fails at 13."""

    batch_size = 5

    def __init__(self) -> None:
        super().__init__(Settings(), "params.yaml: landmarks.fives")
        self.batches: list[int] = []

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[tuple[Detection, dict[str, float]]]:
        """Note the size of the batch, then answer."""
        self.batches.append(len(images))
        return super().detect_batch(images)

    def detect(self, image: np.ndarray) -> Detection:
        """Answer with 68 times the first pixel."""
        value = int(image[0, 0, 0])
        if value == 13:
            raise ValueError("an unlucky image")
        self.seconds["look"] = 0.5
        return Detection(np.full((68, 2), value, np.float32), "ok", "look", (0, 0, 1, 1), 1.0)


def read(path: Path) -> np.ndarray:
    if path.name == "lost":
        raise OSError("no such file")
    return np.full((4, 4, 3), int(path.name), np.uint8)


def found(names: Sequence[str]) -> tuple[Fives, dict[str, tuple[str, float, set[str]]]]:
    backend = Fives()
    entries = list(detect_files(backend, read, [(name, Path(name)) for name in names], workers=1))
    assert len(entries) == len(names)
    return backend, {
        one.sha256: (one.detection.status, float(one.detection.points[0, 0]), set(one.seconds)) for one in entries
    }


def test_images_come_in_batches_and_the_last_holds_the_rest() -> None:
    backend, entries = found([str(value) for value in range(12)])
    assert backend.batches == [5, 5, 2]
    assert entries["7"] == ("ok", 7.0, {"read", "look"})


def test_an_unreadable_image_leaves_its_batch_whole() -> None:
    backend, entries = found(["1", "lost", "2"])
    assert backend.batches == [2]
    assert entries["lost"][0] == "error"
    assert entries["2"] == ("ok", 2.0, {"read", "look"})


def test_a_failing_batch_is_done_one_by_one_with_a_word() -> None:
    with pytest.warns(UserWarning, match=r"landmarks\.fives: 3 images at once failed \(an unlucky image\)"):
        backend, entries = found(["1", "13", "2"])
    assert backend.batches == [3, 1, 1, 1]
    assert [entries[name][0] for name in ("1", "13", "2")] == ["ok", "error", "ok"]
