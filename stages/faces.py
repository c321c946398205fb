"""Stage faces: a dataset's plan entry -> data/faces/DATASET: index.csv, and images where we make them."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from fer_bench import stage
from fer_bench.cells import PROVENANCE, faces_folder
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.train_settings import RuntimeSettings

UNFINISHED = PROVENANCE / "faces"


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Prepare the dataset; generated images grow where DVC, which clears outputs before a stage, leaves them alone."""
    dataset = dataset_plugin(entry["dataset"])
    print(dataset.terms)
    folder = faces_folder(dataset.name)
    place = _unfinished(entry, dataset.name) if dataset.generated else folder
    dataset.prepare(place, workers=runtime.processes, progress=runtime.progress)
    if place != folder:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place, folder)
        place.parent.rmdir()


def _unfinished(entry: dict[str, Any], name: str) -> Path:
    """A folder that an interrupted run with the same settings and sources goes on in; those of others are removed."""
    identity = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]
    for old in (UNFINISHED / name).glob("*"):
        if old.name != identity:
            shutil.rmtree(old)
    place = UNFINISHED / name / identity
    place.mkdir(parents=True, exist_ok=True)
    return place


if __name__ == "__main__":
    stage.main("faces", work)
