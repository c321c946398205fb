"""What was released: eleven methods on two datasets, by the names that the published code gives them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Release:
    """One method of the release, there and here.

    key: its name in the published code. encoder, pooling: what folders and configurations say beside it.
    model: name of its entry in params.yaml. backbone, method: our counterparts. explainers: what its row of the paper's
    Table 1 shows. kwargs: of the backbone. fixed: options of our method that the published network needs, whatever its
    configuration says.
    """

    key: str
    model: str
    method: str
    explainers: tuple[str, ...]
    encoder: str = "resnet50"
    pooling: str = "WGAP"
    backbone: str = "resnet50"
    label: str = "ResNet50, released"
    input_size: int = 224
    kwargs: dict[str, Any] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def transformer(self) -> bool:
        """Whether the only map is what the published code calls layer 1 and we call layer 5."""
        return self.encoder != "resnet50"


# GradCAM++ as published is `gradcampp_paper`; the textbook form stands beside it. The published WILDCAT adds the lowest
# regions to a copy of the score and drops that copy, so its networks were trained, and predict, without them.
RELEASES = (
    Release("CAM", "authors_cam", "cam", ("cam",)),
    Release(
        "WILDCAT",
        "authors_wildcat",
        "wildcat",
        ("class_maps",),
        pooling="WildCatCLHead",
        fixed={"pooling": "paper"},
    ),
    Release("GradCam", "authors_gradcam", "cam", ("gradcam",)),
    Release("GradCAMpp", "authors_gradcampp", "cam", ("gradcampp_paper", "gradcampp")),
    Release("ACoL", "authors_acol", "acol", ("acol",), pooling="ACOL"),
    Release("PRM", "authors_prm", "prm", ("class_maps",), pooling="PRM"),
    Release("ADL", "authors_adl", "adl", ("cam",)),
    # The published class activation map of ADL is made of the second block of layer4 in place of the last.
    Release(
        "ADL",
        "authors_adl_paper",
        "adl",
        ("cam",),
        label="ResNet50, released, CAM of the published block",
        fixed={"cam_block": "paper"},
    ),
    Release("CutMIX", "authors_cutmix", "cutmix", ("cam",)),
    Release("LayerCAM", "authors_layercam", "cam", ("layercam",)),
    Release(
        "TSCAM",
        "authors_tscam",
        "tscam",
        ("tscam",),
        encoder="deit_tscam_small_patch16_224",
        pooling="GAP",
        backbone="deit_small_patch16_224",
        label="DeiT-S, released",
    ),
    Release(
        "APVIT",
        "authors_apvit",
        "apvit",
        ("token_weights",),
        encoder="apvit",
        pooling="NONE",
        backbone="ir50",
        label="IR-50 + ViT, released",
        input_size=112,
    ),
)
DATASETS = {"RAF-DB": "rafdb", "AffectNet": "affectnet"}  # published name -> entry of `datasets` in params.yaml
GUIDANCE = {False: "none", True: "au"}  # trained with the alignment term -> entry of `guidance` in params.yaml
KEYS = tuple(dict.fromkeys(release.key for release in RELEASES))


def releases(key: str) -> list[Release]:
    """Models that the networks of a published method become; ADL's become two."""
    return [release for release in RELEASES if release.key == key]
