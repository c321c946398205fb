"""The knobs of the face generator and its three presets."""

from typing import Self

from pydantic import Field, model_validator

from fer_bench.expressions import EXPRESSIONS
from fer_bench.settings import Settings

# Training images of RAF-DB per expression, in the order of EXPRESSIONS (Li et al., CVPR 2017, 10.1109/CVPR.2017.277).
RAFDB_FREQUENCIES = (2524, 4772, 1290, 281, 705, 717, 1982)


class SynthSettings(Settings):
    """Everything that decides what the generated faces look like; angles in degrees, probabilities in [0, 1]."""

    train: int = Field(2100, ge=0)  # images of the split
    val: int = Field(350, ge=0)
    test: int = Field(560, ge=0)
    faces_per_identity: int = Field(7, ge=1)  # splits are made of whole identities
    size: int = Field(112, ge=32, le=1024)  # side of the square image, pixels
    seed: int = Field(0, ge=0)
    class_frequencies: tuple[float, ...] | None = None  # one weight per expression; None: balanced
    p_drop: float = Field(0.3, ge=0, le=1)  # an action unit of the expression is missing
    p_add: float = Field(0.15, ge=0, le=1)  # an action unit foreign to the expression is there
    label_noise: float = Field(0.0, ge=0, le=1)  # share of each split whose stored label is another expression
    non_prototypical: float = Field(0.0, ge=0, le=1)  # share that shows two action units of its expression at most
    intensity: tuple[float, float] = (0.45, 1.0)  # range of the strength of the whole expression
    asymmetry: float = Field(0.12, ge=0, le=1)  # relative deviation between the two sides
    occlusion: float = Field(0.1, ge=0, le=1)  # something is held before the face
    glasses: float = Field(0.18, ge=0, le=1)
    yaw: float = Field(16.0, ge=0, le=25)  # largest angle to either side
    pitch: float = Field(9.0, ge=0, le=14)
    roll: float = Field(10.0, ge=0, le=30)
    span: tuple[float, float] = (2.1, 2.4)  # width of the image in outer eye corner distances, as in aligned face crops
    blur: float = Field(0.7, ge=0, le=5)  # largest standard deviation in pixels of a 128-pixel image
    noise: float = Field(0.02, ge=0, le=0.5)  # largest standard deviation of the sensor noise, of full scale

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        for name in ("intensity", "span"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} is a range [low, high] with 0 < low <= high, given [{low}, {high}]")
        if self.intensity[1] > 1:
            raise ValueError(f"intensity ends at 1 at most, given {self.intensity[1]}")
        weights = self.class_frequencies
        if weights is not None and (len(weights) != len(EXPRESSIONS) or min(weights) < 0 or sum(weights) <= 0):
            raise ValueError(f"class_frequencies holds {len(EXPRESSIONS)} weights >= 0, given {list(weights)}")
        return self


PRESETS: dict[str, SynthSettings] = {
    "smoke": SynthSettings(train=70, val=35, test=35, size=80),
    "default": SynthSettings(),
    "hard": SynthSettings(class_frequencies=RAFDB_FREQUENCIES, label_noise=0.1, non_prototypical=0.2),
}
