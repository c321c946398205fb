"""The keys of a collection with annotated action units, and what each layout has by default."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from fer_bench.datasets._published_settings import ScannedSettings

Layout = Literal["csv", "raf_au", "disfa", "bp4d", "ck_plus"]


@dataclass(frozen=True)
class Known:
    """What is known of a layout: where its files lie below the root, who made it, how many faces it annotates."""

    units: str
    images: str
    label: str = "Annotated action units"
    licence: str = ""
    citation: str = ""
    faces: int | None = None
    own_keys: tuple[str, ...] = ()


_RESEARCH = "non-commercial research only; the images may not be passed on"
LAYOUTS: dict[str, Known] = {
    "csv": Known("units.csv", "images"),
    "raf_au": Known(
        "RAFAU_label.txt", "aligned", "RAF-AU", _RESEARCH,
        "W.-J. Yan, S. Li, C. Que, J. Pei and W. Deng, RAF-AU Database: In-the-Wild Facial Expressions with Subjective "
        "Emotion Judgement and Objective AU Annotations, ACCV 2020", 4601,
    ),
    "disfa": Known(
        "ActionUnit_Labels", "images", "DISFA", _RESEARCH,
        "S. M. Mavadati, M. H. Mahoor, K. Bartlett, P. Trinh and J. F. Cohn, DISFA: A Spontaneous Facial Action "
        "Intensity Database, IEEE Transactions on Affective Computing 4(2), 2013, doi 10.1109/T-AFFC.2013.4",
        None, ("every",),
    ),
    "bp4d": Known(
        "AUCoding/AU_OCC", "2D+3D", "BP4D", _RESEARCH,
        "X. Zhang et al., BP4D-Spontaneous: A High-Resolution Spontaneous 3D Dynamic Facial Expression Database, Image "
        "and Vision Computing 32(10), 2014, doi 10.1016/j.imavis.2014.06.002", None, ("every", "tasks"),
    ),
    "ck_plus": Known(
        "FACS", "cohn-kanade-images", "CK+", _RESEARCH,
        "P. Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR Workshops 2010, doi 10.1109/CVPRW.2010.5543262",
        593, ("emotions",),
    ),
}  # fmt: skip


class AuTableSettings(ScannedSettings):
    """Keys of a collection with annotated action units; docs/datasets_au.md explains each.

    layout: how the annotations are written.
    units, images: file or folder of the annotations, and folder of the images, relative to `root`.
    labels: CSV of image and label, or RAF-ML's distribution.txt, relative to `root`: expressions of the faces.
    label_map: word in that CSV -> expression, or null to leave its faces out.
    test_fraction: part of the faces of each expression (whole subjects) that is for testing; 1: all of them.
    minimum_intensity: units annotated weaker than this (0..1) count as absent.
    every: disfa, bp4d: take each n-th annotated frame.
    tasks: bp4d: task such as T1 -> the expression that it was made to show.
    emotions: ck_plus: folder of the expressions.
    label, licence, citation: what captions print; absent = what is known of the layout.
    """

    layout: Layout = "csv"
    units: str | None = None
    images: str | None = None
    labels: str | None = None
    label_map: dict[str, str | None] = {}
    test_fraction: float = Field(1.0, gt=0, le=1)
    minimum_intensity: float = Field(0.0, ge=0, le=1)
    every: int = Field(1, ge=1)
    tasks: dict[str, str] = {}
    emotions: str = "Emotion"
    label: str = ""
    licence: str = ""
    citation: str = ""

    @model_validator(mode="after")
    def _keys_of_the_layout(self) -> "AuTableSettings":
        for key in ("every", "tasks", "emotions"):
            if key not in self.known.own_keys and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} has no meaning for `layout: {self.layout}`; take it out")
        return self

    @property
    def known(self) -> Known:
        """What is known of the layout."""
        return LAYOUTS[self.layout]
