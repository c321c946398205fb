"""Saved scores of single images: a matrix of images by seeds for any printed number that is a mean over images."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.cells import DATA
from fer_bench.errors import InputError
from fer_bench.report.collect import Document
from fer_bench.report.results import Pair, Results
from fer_bench.report.score_key import ACCURACY, ScoreKey
from fer_bench.stats import Layout, macro_layout, micro_layout, unit_numbers

PREDICTIONS, SCORES = "predictions.parquet", "scores.parquet"
WITHOUT_MAP = "neutral"  # has no action units, so it takes part in no macro mean of maps
IMAGES, SUBJECTS = "images", "subjects"


@dataclass(frozen=True, eq=False)
class Faces:
    """The images of a test split, in the order of their ids.

    labels: (N,) class ids. units: (N,) number of the subject, or of the image where no subject is known.
    """

    ids: list[str]
    labels: np.ndarray
    units: np.ndarray

    @property
    def unit_count(self) -> int:
        """How many subjects (or images) a resample draws."""
        return int(self.units.max()) + 1

    @property
    def unit_word(self) -> str:
        """What a resample draws: subjects, or images where every one is a unit of its own."""
        return SUBJECTS if self.unit_count < len(self.ids) else IMAGES


@cache
def matrix(results: Results, key: ScoreKey) -> pd.DataFrame | None:
    """Scores of a number's images, (N, S) in the order of `faces`, a column per seed.

    Accuracy is 100 or 0. None where a cell has not named the file.

    Raises:
        InputError: a file that is not readable, or holds other images than the rest of the split.
    """
    found = results.found(Pair(key.dataset, key.test_dataset), key.model, key.guidance)
    name = PREDICTIONS if key.column == ACCURACY else SCORES
    if not found or any(name not in document.files for document in found):
        return None
    split = faces(results, key.test_dataset)
    columns = {int(one.entry["seed"]): _scores(one, key.column, name, split) for one in found}
    return pd.DataFrame(columns, index=split.ids)


@cache
def faces(results: Results, test_dataset: str) -> Faces:
    """The scored images of a test dataset; subjects come from its index.

    Raises:
        InputError: the index is missing, or lists other test images than were scored.
    """
    document = next(one for one in results.documents if one.test_dataset == test_dataset and PREDICTIONS in one.files)
    frame = _read(document.files[PREDICTIONS], ["label"])
    path = DATA / "faces" / test_dataset / "index.csv"
    subjects = _subjects(results.root / path, path)
    ids = frame.index.tolist()
    if sorted(subjects) != ids:
        raise InputError(f"{path}: lists other test images than those scored; run `dvc repro evaluate`")
    units = unit_numbers(ids, [subjects[name] for name in ids])
    return Faces(ids, frame["label"].to_numpy(dtype=np.int64), units)


def layout(results: Results, key: ScoreKey, defined: np.ndarray) -> Layout:
    """How a number averages its images (N,), of which those `defined` have a score."""
    split = faces(results, key.test_dataset)
    if key.average == "micro":
        return micro_layout(defined, split.units)
    skip = [k for k, name in enumerate(results.expressions(key.test_dataset)) if name == WITHOUT_MAP]
    least = int(results.plan.get("evaluate", {}).get("minimum_class_images", 20))
    return macro_layout(defined, split.labels, split.units, skip, least)


def _scores(document: Document, column: str, name: str, split: Faces) -> np.ndarray:
    wanted = ["label", "predicted"] if column == ACCURACY else ["label", column]
    frame = _read(document.files[name], wanted)
    if frame.index.tolist() != split.ids or not np.array_equal(frame["label"], split.labels):
        raise InputError(
            f"{document.entry['cell']}: {name} holds other images than another cell's; run `dvc repro evaluate`"
        )
    if column == ACCURACY:
        return 100.0 * (frame["label"] == frame["predicted"]).to_numpy()
    return frame[column].to_numpy(dtype=np.float64)


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    """Columns of a per-image file by id, sorted: nothing may depend on the order of images."""
    try:
        frame = pd.read_parquet(path, columns=["id", *columns])
    except (OSError, ValueError, KeyError) as error:
        wanted = ", ".join(columns)
        raise InputError(f"{path}: not readable with the columns {wanted}; run `dvc repro evaluate`") from error
    return frame.assign(id=frame["id"].astype(str)).set_index("id").sort_index()


def _subjects(path: Path, name: Path) -> dict[str, str]:
    """Test image -> subject, empty where unknown."""
    if not path.is_file():
        raise InputError(f"{name} is missing, it names the subjects; run `dvc pull`, or `dvc repro faces`")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=["id", "split", "subject"])
    test = frame[frame["split"] == "test"]
    return dict(zip(test["id"], test["subject"], strict=True))
