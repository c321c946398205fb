"""Files that an evaluation leaves beside its scores: one row per test image, mean maps per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.dataset_files import Faces
from fer_bench.reference_rows import train_means
from fer_bench.scoring import Scores
from fer_bench.targets import Targets


def write_images(
    folder: Path,
    faces: Faces,
    expressions: Sequence[str],
    predicted: np.ndarray,
    probabilities: np.ndarray,
    scored: Mapping[str, np.ndarray],
) -> None:
    """Write predictions.parquet (probabilities (N, K)) and scores.parquet (columns of (N,)), a row per test image."""
    frame = pd.DataFrame({"id": list(faces.frame["id"]), "label": faces.labels, "predicted": predicted})
    names = [f"p_{name}" for name in expressions]
    of_classes = pd.DataFrame(probabilities.astype(np.float32), columns=names)
    columns = pd.DataFrame({name: values.astype(np.float32) for name, values in scored.items()})
    pd.concat([frame, of_classes], axis=1).to_parquet(folder / "predictions.parquet", index=False)
    pd.concat([frame, columns], axis=1).to_parquet(folder / "scores.parquet", index=False)


def write_mean_maps(path: Path, scores: Scores, targets: Targets, num_classes: int) -> None:
    """Write the mean map of each true class: attention and class activation maps over all its images, targets
    over those that have one; means, not sums."""
    counts = scores.counts.clamp(min=1)[:, None, None]
    maps: dict[str, Any] = {key: (total / counts).float().numpy() for key, total in scores.sums.items()}
    for name in targets.names:
        maps[f"target.{name}"] = train_means(targets, name, num_classes).class_means.numpy()
    np.savez(path, count=scores.counts.numpy(), **maps)
