"""The annotations of RAF-DB that a result depends on: which files they are, what they hold, one digest of them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.datasets import _folds
from fer_bench.datasets._fingerprint import FileDigest, digest_file
from fer_bench.datasets._parallel import parallel_map
from fer_bench.datasets._rafdb_files import BOXES, LABELS, POINTS, read_boxes, read_points, read_rows, require_points
from fer_bench.datasets._rafdb_settings import RafdbSettings
from fer_bench.expressions import EXPRESSIONS


@dataclass(frozen=True, eq=False)
class Annotations:
    """Of N photographs: boxes (N, 4) left, top, right, bottom; points (N, 5, 2), NaN where there are none; pixels."""

    boxes: np.ndarray
    points: np.ndarray


def read_labels(root: Path, settings: RafdbSettings, source: str) -> pd.DataFrame:
    """Read the label file and, where asked, lay the fold files over it: id, label, split, subject, reason; by id."""
    rows = read_rows(root, source).assign(reason="")
    if settings.folds is not None:
        folds = _folds.read_folds(folds_folder(root, settings), EXPRESSIONS, source)
        rows = _folds.lay_over(rows, folds, _folds.stem, source)
    return rows.sort_values("id", ignore_index=True)


def read_annotations(root: Path, ids: Sequence[str], settings: RafdbSettings, source: str) -> Annotations:
    """Read boxes and points of the photographs; raises InputError for what is absent or malformed."""
    if settings.points == "annotated":
        require_points(root, ids, source)
    return Annotations(read_boxes(root, ids, settings.box_order, source), read_points(root, ids))


def digest(root: Path, ids: Sequence[str], settings: RafdbSettings, source: str, workers: int) -> FileDigest:
    """Sum up the annotations that the settings use: labels, fold files, and for `prepared` also boxes and points."""
    found = [digest_file(root, LABELS)]
    if settings.folds is not None:
        folder = folds_folder(root, settings)
        found += [digest_file(folder, name) for name in _folds.fold_files(folder, source)]
    if settings.images == "prepared":
        names = [pattern.format(name) for name in ids for pattern in (BOXES, POINTS)]
        present = [name for name in names if (root / name).is_file()]
        found += parallel_map(partial(digest_file, root), present, workers, False, "annotations")
    lines = "\n".join(f"{file.name} {file.sha256}" for file in found)
    return FileDigest("annotations", sum(file.size for file in found), sha256(lines.encode()).hexdigest())


def folds_folder(root: Path, settings: RafdbSettings) -> Path:
    """Return the folder of the fold files: `folds`, below the root unless it is absolute."""
    return root / Path(settings.folds or "").expanduser()
