"""How the landmarks of a test dataset were found, and how far they are from the truth, as rows beside the scores."""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench import landmarks
from fer_bench.cells import landmarks_file
from fer_bench.dataset_files import DatasetFiles
from fer_bench.score_rows import Row, row

POINTS = [f"{axis}{number}" for axis in "xy" for number in range(68)]


def landmark_rows(files: DatasetFiles, root: Path = Path()) -> list[Row]:
    """Share of all faces per status, and the mean error in percent of the outer eye distance where that is known."""
    path = root / landmarks_file(files.name)
    _, points, statuses = landmarks.read(path)
    total = len(statuses)
    counts = pd.Series(list(statuses)).value_counts().sort_index()
    rows = [
        row(f"landmarks_{status}", 100 * count / total, int(count), unit="%", average="micro")
        for status, count in counts.items()
    ]
    truth = files.ground_truth()
    if truth is not None and set(POINTS) <= set(truth.columns):  # annotated units come without true landmarks
        exact = truth.loc[files.index["id"], POINTS].to_numpy().reshape(total, 2, 68).transpose(0, 2, 1)
        errors = 100 * landmarks.error_against(points, exact)
        found = np.isfinite(errors)
        mean = float(errors[found].mean()) if found.any() else float("nan")
        rows.append(row("landmark_distance", mean, int(found.sum()), unit="%", average="micro", direction="lower"))
    return rows
