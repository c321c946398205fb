"""Stage hygiene: index, images and landmarks of a dataset -> data/hygiene/DATASET, results/hygiene/DATASET.json."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fer_bench import hygiene, landmarks, stage
from fer_bench.cells import faces_folder, landmarks_file
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.datasets import perceptual_hash, read_image, read_index
from fer_bench.datasets._parallel import parallel_map
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Find, list, judge; the counts that tables print are written only where nothing stops."""
    dataset = dataset_plugin(entry["dataset"])
    folder, settings = faces_folder(dataset.name), entry["hygiene"]
    index = read_index(folder / "index.csv")
    look = partial(hash_file, folder=dataset.image_root(folder))
    hashes = parallel_map(look, list(index["path"]), runtime.processes, runtime.progress, "hashing images")
    _, points, _ = landmarks.read(landmarks_file(dataset.name))
    located = np.isfinite(points).all(axis=(1, 2))
    distance = settings["near_distance"]
    found = hygiene.find(index, np.array(hashes, dtype=np.uint64), located, dataset.expressions, distance)
    hygiene.judge(found, dataset.name, settings, hygiene.write_lists(found, dataset.name))
    hygiene.write_summary(found, dataset.name, distance)


def hash_file(name: str, folder: Path) -> tuple[int, int]:
    """Hash one image."""
    return perceptual_hash(read_image(folder / name))


if __name__ == "__main__":
    stage.main("hygiene", work)
