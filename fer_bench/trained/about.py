"""What is known of a trained classifier besides its weights: origin, preparation of photographs, maps, scores."""

from typing import Any, Literal

from pydantic import Field

from fer_bench.settings import Settings

FORMAT = 1  # of config.json in an exported folder
Point = tuple[float, float]


class Source(Settings):
    """Where a classifier comes from, in names and in words for a reader.

    generated: whether it was trained on generated faces, which say nothing about real ones.
    """

    cell: str
    dataset: str
    dataset_label: str
    generated: bool
    licence: str
    citation: str
    model: str
    guidance: str
    guidance_label: str
    method: str
    protocol: str


class Preparation(Settings):
    """How a photograph becomes what the network was trained on.

    crop_size: (width, height) of the face crop, pixels. template: eye centres, nose tip and mouth corners (the image's
    left first) in the crop; the similarity transform that brings those of a face nearest to them cuts the crop.
    border: what lies beyond the photograph. antialias: whether a larger photograph is reduced by area averaging first.
    grey: whether crops lose their colours. resampling: how the crop gets to the input size (`fer_bench.resample`).
    landmarks, landmark_settings: the backend that finds the face. origin: where the framing comes from, in words.
    """

    crop_size: tuple[int, int]
    template: tuple[Point, Point, Point, Point, Point]
    border: Literal["replicate", "black"]
    antialias: bool
    grey: bool
    resampling: Literal["area", "bilinear"]
    input_size: int = Field(ge=16, le=1024)
    landmarks: str
    landmark_settings: dict[str, Any]
    origin: str


class Reading(Settings):
    """How maps are made and compared: as the evaluation of the cell does.

    explainers: those of the cell that support the classifier. variants: of the action unit maps. map_size: side at
    which maps are compared. paper_side: see `fer_bench.au.store.write`. resize, shift: of the protocol, for attention.
    """

    explainers: tuple[str, ...]
    variants: tuple[str, ...]
    map_size: int
    paper_side: int | None
    resize: Literal["paper", "halfpixel"]
    shift: bool


class Score(Settings):
    """A score of results/GRID/metrics.csv on the test split of the training dataset.

    own: of this network. mean, deviation, interval: over `seeds` trainings that differ in their seed alone; sample
    deviation, and 95 % t interval of the mean (None below three seeds). images: n of this network's score. chance,
    ceiling: means of the rows beside it. optimised: a score against the very map that was trained on.
    """

    metric: str
    label: str
    unit: str
    direction: Literal["higher", "lower"]
    own: float
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None
    seeds: int
    images: int
    chance: float | None
    ceiling: float | None
    optimised: bool


class Scores(Settings):
    """All scores of a network and the grid that they stand in."""

    grid: str
    rows: tuple[Score, ...]

    def find(self, metric: str) -> Score | None:
        """Return the first score of a metric."""
        return next((score for score in self.rows if score.metric == metric), None)


class About(Settings):
    """Everything; `config.json` of an export holds it. scores: None while the cell is not in any results/GRID."""

    format: int = FORMAT
    source: Source
    expressions: tuple[str, ...]
    preparation: Preparation
    reading: Reading
    scores: Scores | None
