"""The sections of params.yaml that say how a network is trained."""

from typing import Literal

from pydantic import Field, model_validator

from fer_bench.settings import Settings

# every image once an epoch, or every class equally often
Sampling = Literal["shuffled", "balanced"]


class Augmentation(Settings):
    """Training augmentation in the order of the published code; the map follows every geometric step.

    The defaults are the paper's (Belharbi et al., arXiv 2402.00281, released code).
    """

    rotation: float = Field(6.0, ge=0, le=180)  # degrees, uniform in [-rotation, rotation]
    rotation_probability: float = Field(0.5, ge=0, le=1)
    crop_area: tuple[float, float] = (0.8, 1.0)  # share of the area that a random square crop keeps
    flip_probability: float = Field(0.5, ge=0, le=1)
    grayscale_probability: float = Field(0.2, ge=0, le=1)
    jitter_probability: float = Field(0.8, ge=0, le=1)
    brightness: float = Field(0.4, ge=0)
    contrast: float = Field(0.4, ge=0)
    saturation: float = Field(0.4, ge=0)
    hue: float = Field(0.1, ge=0, le=0.5)
    erasing_probability: float = Field(0.5, ge=0, le=1)
    erasing_area: tuple[float, float] = (0.02, 0.33)
    erasing_ratio: tuple[float, float] = (0.3, 3.3)


class TrainSettings(Settings):
    """Optimiser, schedule, augmentation and selection of one training run."""

    epochs: int = Field(ge=0)  # 0: the network is validated once and kept as it is
    batch_size: int = Field(ge=1)
    resize: int | None = Field(
        None, ge=8
    )  # side to which images are resized before cropping; None: 8/7 of the input size
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = Field(gt=0)
    head_learning_rate_ratio: float = Field(1.0, gt=0)  # learning rate of the head over that of the backbone
    weight_decay: float = Field(0.0, ge=0)
    momentum: float = Field(0.9, ge=0, lt=1)  # sgd only, always with Nesterov
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    warmup_epochs: int = Field(0, ge=0)
    step_epochs: int = Field(4, ge=1)  # step schedule: multiply the rate by step_factor every step_epochs
    step_factor: float = Field(0.9, gt=0, le=1)
    minimum_learning_rate: float = Field(1e-7, ge=0)
    sampling: Sampling = "shuffled"
    class_weights: Literal["none", "balanced"] = "none"
    max_gradient_norm: float | None = Field(None, gt=0)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    # share of an epoch after which a validation follows within it, besides the one at its end; None: none
    validation_interval: float | None = Field(None, gt=0, lt=1)
    selection: Literal["best_accuracy", "best_macro_f1", "last"] = "best_accuracy"
    augmentation: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _balanced_once(self) -> "TrainSettings":
        if self.sampling == self.class_weights == "balanced":
            raise ValueError("sampling and class_weights both make up for the sizes of the classes; keep one of them")
        return self


def resized_side(settings: TrainSettings, input_size: int) -> int:
    """Side to which images are resized before they are cropped: as set, or in the published ratio of 256 to 224."""
    return settings.resize or round(input_size * 256 / 224)


class RuntimeSettings(Settings):
    """Where and how fast things run; nothing here enters a cell's identity."""

    device: str = "auto"
    threads: int = Field(1, ge=1)
    workers: int = Field(1, ge=0)  # loader processes of a training run
    compile: bool = False  # torch.compile in training: minutes at the start of each, faster steps on a GPU
    processes: int = Field(0, ge=0)  # processes of the face and landmark stages; 0: one per core
    state_seconds: float = Field(60.0, ge=0)  # least time between states that a stopped training goes on from
    progress: bool = True
    mlflow: bool = True
