"""The section of params.yaml that says how a trained network is scored."""

from pydantic import Field

from fer_bench.settings import Settings


class EvaluateSettings(Settings):
    """What is scored on every test image."""

    explainers: list[str] = ["cam", "gradcam", "gradcampp", "gradcampp_paper", "layercam", "tscam"]
    metrics: list[str] = [
        "accuracy", "balanced_accuracy", "macro_f1", "recall", "expected_calibration_error",
        "att_cos", "att_pearson", "cam_cos", "cam_pearson",
        "energy", "pointing_game", "pixel_average_precision", "otsu_iou", "shuffled_auc", "class_specificity",
        "decision_rank", "decision_share",
    ]  # fmt: skip
    probes: list[str] = []  # further tests of a network, each for the datasets that it fits
    batch_size: int = Field(64, ge=1)
    map_size: int | None = Field(None, ge=8)  # side at which maps are compared; None: the input size, as in the paper
    ceiling_maps: int = Field(60, ge=1)  # maps on which the ceiling of a grid size is computed
    examples_per_expression: int = Field(1, ge=0)  # single faces kept for the overlay figure
    minimum_class_images: int = Field(
        20, ge=1
    )  # classes with fewer test images are left out of macro scores, and named
