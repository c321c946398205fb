"""Pack the training images of a dataset ahead of its trainings, at the sizes that the cells of the plan train at."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fer_bench.cells import PLAN
from fer_bench.data import Faces
from fer_bench.dataset_files import DatasetFiles
from fer_bench.errors import InputError
from fer_bench.protocols import PROTOCOLS
from fer_bench.train_settings import TrainSettings, resized_side


def pack(dataset: str, shard: str = "1/1", root: Path = Path(), progress: bool = True) -> list[Path]:
    """Make the packed images of a dataset's training split; what is there is left alone.

    Args:
        dataset: name in params.yaml; the stages `plan` and `faces` have run.
        shard: `I/N`, from 1: build that part of the files alone, for several machines at a shared folder.
        root: repository root.
        progress: show a progress bar.

    Returns:
        The folders, one for every size.

    Raises:
        InputError: no cell of the plan trains on the dataset, or a shard that is none.
    """
    number, total = _shard(shard)
    folders = []
    for faces, side in _wanted(dataset, root):
        packed = faces.packed_at(side)
        assert packed is not None  # a prepared dataset has a place for them
        packed.build(faces.decode, number, total, progress)
        folders.append(packed.folder)
    return folders


def _wanted(dataset: str, root: Path) -> Iterator[tuple[Faces, int]]:
    """Training split and size of every cell that trains on the dataset, each once."""
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((root / PLAN / "train").glob("*.json"))]
    own = [entry for entry in entries if entry["dataset"]["name"] == dataset and not entry["skip"]]
    if not own:
        raise InputError(f"fer-bench pack {dataset}: no cell of the active grid trains on it, or `plan` has not run")
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for entry in own:
        settings = TrainSettings(**entry["train"])
        seen.setdefault((entry["protocol"], resized_side(settings, int(entry["model"]["input_size"]))), entry)
    for (protocol, side), entry in seen.items():
        yield DatasetFiles(entry["dataset"], root, PROTOCOLS[protocol].resampling).faces("train"), side


def _shard(text: str) -> tuple[int, int]:
    """`2/3` -> 1, 3."""
    try:
        number, total = (int(part) for part in text.split("/"))
    except ValueError:
        number, total = 0, 0
    if not 1 <= number <= total:
        raise InputError(f"--shard {text}: expected I/N with 1 <= I <= N, such as 2/3")
    return number - 1, total
