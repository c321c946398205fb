"""How alike the maps that a network was trained on and the maps that it is scored against are, as rows."""

import numpy as np
import torch

from fer_bench.data import MapSource
from fer_bench.dataset_files import DatasetFiles
from fer_bench.guidance.base import GuidanceBase
from fer_bench.metrics import cosine
from fer_bench.score_rows import Averaging, Row
from fer_bench.split_maps import SplitMaps
from fer_bench.targets import Targets

OVERLAP = "guidance_overlap"
_BATCH = 256  # maps at once


def guidance_rows(guidance: GuidanceBase, files: DatasetFiles, targets: Targets, averaging: Averaging) -> list[Row]:
    """Mean cosine over the test images of the map of the guidance and each target map; none without guidance."""
    if not guidance.needs_maps:
        return []
    source = guidance.maps(SplitMaps(files, files.faces("test")))
    return [
        row
        for name in targets.names
        for row in averaging.rows(OVERLAP, _overlap(source, targets, name).numpy(), {"target": name}, ("all",))
    ]


def _overlap(source: MapSource, targets: Targets, name: str) -> torch.Tensor:
    """(N,) cosines; NaN where one of the two maps is missing."""
    parts = []
    for start in range(0, len(targets.labels), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(targets.labels)))
        (own, valid), other = source(rows, targets.side), targets.true(name, rows)
        both = valid & torch.isfinite(other).flatten(1).all(dim=1)
        parts.append(torch.where(both, cosine(own, torch.where(both[:, None, None], other, 0.0)), torch.nan))
    return torch.cat(parts)
