"""ExpW (Expression in-the-Wild): faces cut out of photographs by the boxes of label.lst."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from fer_bench.datasets._fingerprint import digest_file
from fer_bench.datasets._lines import lines_of, numbers_of
from fer_bench.datasets._published import Listing, PublishedDataset
from fer_bench.datasets._published_settings import CroppedSettings
from fer_bench.datasets._splits import validation_split
from fer_bench.errors import InputError

# the collection's own class numbers, and how many faces of each it has
SOURCE = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_COUNTS = (3671, 3995, 1088, 30537, 10559, 7060, 34883)
_FIELDS = ("face", "top", "left", "right", "bottom", "confidence", "number")


class Settings(CroppedSettings):
    """Keys of ExpW.

    labels, images: file of labels and folder of photographs, relative to `root`.
    minimum_confidence: faces whose box was found with less are left out.
    test_fraction: part of the faces of each expression that is for testing; faces of one photograph stay together.
    """

    labels: str = "label/label.lst"
    images: str = "image/origin"
    minimum_confidence: float = 0.0
    test_fraction: float = Field(0.2, gt=0, lt=1)


class Dataset(PublishedDataset):
    """No split is published: test and val are drawn by photograph."""

    label = "ExpW"
    licence = "non-commercial research only; the images may not be passed on"
    citation = (
        "Z. Zhang, P. Luo, C. C. Loy and X. Tang, From Facial Expression Recognition to Interpersonal Relation "
        "Prediction, International Journal of Computer Vision 126, 2018, doi 10.1007/s11263-017-1055-1"
    )
    counts = {"all": dict(zip(SOURCE, _COUNTS, strict=True))}
    settings: Settings

    def listing(self, root: Path, workers: int, progress: bool) -> Listing:
        """Read lines of image, face, top, left, right, bottom, confidence, class."""
        found = [self._face(place, line) for place, line in lines_of(root, self.settings.labels, self.source)]
        if not found:
            raise InputError(f"{self.source}: {root / self.settings.labels} has no lines")
        rows = pd.DataFrame(found)
        weak = rows["confidence"] < self.settings.minimum_confidence
        rows["reason"] = weak.map({True: "confidence below minimum_confidence", False: ""})
        rows["split"] = self._split(rows)
        return Listing(rows, digest_file(root, self.settings.labels))

    def _face(self, place: str, line: str) -> dict[str, object]:
        name, *rest = line.rsplit(maxsplit=len(_FIELDS))
        values = dict(zip(_FIELDS, numbers_of(" ".join(rest), len(_FIELDS), place), strict=True))
        if values["number"] not in range(len(SOURCE)):
            raise InputError(f"{place}: class {values['number']:g} is none of 0..{len(SOURCE) - 1}")
        box = {side: values[side] for side in ("left", "top", "right", "bottom")}
        return {
            "id": f"{Path(name).stem}_{values['face']:g}",
            "image": f"{self.settings.images}/{name}",
            "label": SOURCE[int(values["number"])],
            "subject": "",
            "confidence": values["confidence"],
            **box,
        }

    def _split(self, rows: pd.DataFrame) -> pd.Series:
        photographs = pd.factorize(rows["image"])[0]
        drawn = validation_split(
            rows.assign(split="train"), self.settings.test_fraction, self.settings.split_seed, groups=photographs
        )
        return drawn.replace("val", "test")
