"""A few single faces with their maps, for the figures that show faces."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_bench.data import Faces, ResizedImages
from fer_bench.explainers import explain_all, precise
from fer_bench.targets import Targets


def choose(labels: np.ndarray, per_expression: int) -> np.ndarray:
    """Rows of the first faces of each class, in the order of the index: never chosen by how well they come out."""
    found = [np.flatnonzero(labels == number)[:per_expression] for number in np.unique(labels)]
    return np.concatenate(found)


def write_examples(
    path: Path, rows: np.ndarray, faces: Faces, size: int, classifier: Any, explainers: list[str], targets: Targets
) -> None:
    """Write an archive of M faces.

    Keys: ids (M,), labels, predicted (M,), images (M, H, W, 3) uint8 as stored, target.NAME (M, S, S), NaN for no map,
    att.LAYER (M, h, w) raw attention, cam.EXPLAINER (M, h, w) in [0, 1] of the true class.
    """
    images = ResizedImages(Faces(faces.frame.iloc[rows], faces.labels[rows], faces.root, faces.read), size)
    batch = images(np.arange(len(rows)))
    labels = torch.from_numpy(faces.labels[rows])
    cams, output = explain_all(classifier, batch, labels[:, None], explainers)
    stored = np.stack([faces.read(faces.root / str(faces.frame["path"].iloc[row])) for row in rows])
    arrays: dict[str, Any] = {
        "ids": np.array([str(faces.frame["id"].iloc[row]) for row in rows]),
        "labels": labels.numpy(),
        "predicted": output.logits.argmax(dim=1).numpy(),
        "images": stored,
    }
    for name in targets.names:
        maps = targets.true(name, rows)
        arrays[f"target.{name}"] = torch.where(torch.isfinite(maps), maps, torch.nan).numpy()
    arrays |= {f"att.{layer}": precise(features).mean(dim=1).numpy() for layer, features in output.features.items()}
    arrays |= {f"cam.{name}": maps[:, 0].numpy() for name, maps in cams.items()}
    np.savez_compressed(path, **arrays)
