"""Landmarks that come with a collection, as a table that the landmark backend `given` reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

_DECIMALS = 3  # of a pixel; finer digits carry nothing


def write_landmarks(ids: Sequence[str], points: np.ndarray, path: Path) -> None:
    """Write a parquet table: id, x0..x67, y0..y67 in pixels of the stored images.

    Args:
        ids: N names, as in the index.
        points: (N, 68, 2) x right, y down.
        path: where the table goes.
    """
    names = [f"{axis}{number}" for axis in "xy" for number in range(points.shape[1])]
    values = np.concatenate([points[..., 0], points[..., 1]], axis=1).round(_DECIMALS).astype(np.float32)
    table = pd.concat([pd.DataFrame({"id": list(ids)}, dtype="str"), pd.DataFrame(values, columns=names)], axis=1)
    table.to_parquet(path, index=False)
