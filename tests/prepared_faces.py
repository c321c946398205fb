"""Generated faces prepared as the stages do it: images, index, true landmarks as those found, and unit maps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.au import store
from fer_bench.cells import faces_folder, heatmaps_folder, landmarks_file
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.dataset_files import DatasetFiles
from fer_bench.landmarks import _table
from fer_bench.landmarks.base import Detection, nothing

NAME = "synthetic_smoke"


def prepare(root: Path, blind: int = 0, **overrides: Any) -> DatasetFiles:
    """Prepare a dataset below `root`; the first `blind` training faces have no landmarks."""
    entry = {"name": NAME, "plugin": "synthetic", "settings": {"preset": "smoke", "overrides": overrides}}
    folder = root / faces_folder(NAME)
    index = dataset_plugin(entry).prepare(folder, workers=1, progress=False)
    ids = [str(name) for name in index["id"]]
    truth = pd.read_parquet(folder / "ground_truth.parquet").set_index("id").loc[ids]
    points = np.stack([truth[_table.X].to_numpy(), truth[_table.Y].to_numpy()], axis=-1).astype(np.float32)
    lost = np.flatnonzero(index["split"] == "train")[:blind]
    points[lost] = np.nan
    box = (0.0, 0.0, 1.0, 1.0)
    found = [Detection(p, "ok", "given", box, 1.0) if np.isfinite(p).all() else nothing("no_face") for p in points]
    _table.write(_table.to_frame(ids, found, "given"), root / landmarks_file(NAME))
    sizes = index[["height", "width"]].to_numpy()
    store.write(ids, points, sizes, root / heatmaps_folder(NAME), progress=False, paper_side=224)
    return DatasetFiles(entry, root)
