"""The section of params.yaml that says what a dataset must not have before anything is trained on it."""

from typing import Any, Literal

from pydantic import Field

from fer_bench.settings import Settings

Switch = Literal["fail", "warn"]


class LeakSwitch(Settings):
    """What a leak between splits does, by the protocol of the grid.

    A published protocol keeps its published splits, whatever is in them; our own must have none.
    """

    clean: Switch = "fail"
    paper: Switch = "warn"


class HygieneSettings(Settings):
    """What stops the stage `hygiene` and what it only warns of; the lists and counts are written either way.

    leaks: identical files, or one subject, in several splits.
    near: near-identical images in several splits; only a warning by itself, because a hash can be wrong.
    conflicts: identical files with different labels.
    near_distance: bits of 64 that may differ in each of the two perceptual hashes of near-identical images.
    landmark_failures: share of the faces of any class without landmarks above which the stage fails.
    datasets: entry of the section `datasets` -> overrides for it.
    """

    leaks: LeakSwitch = LeakSwitch()
    near: Switch = "warn"
    conflicts: Switch = "warn"
    near_distance: int = Field(4, ge=0, le=16)
    landmark_failures: float = Field(0.2, ge=0, le=1)
    datasets: dict[str, dict[str, Any]] = {}
