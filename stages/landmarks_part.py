"""A part of stage landmarks: `landmarks_part DATASET 3 16` does the third of 16 parts of the images, for the stage."""

import sys
from typing import Any

from fer_bench import stage
from fer_bench.cells import PROVENANCE, faces_folder
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.datasets import read_image, read_index
from fer_bench.landmark_part import detect_part
from fer_bench.registry import plugin
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Find the landmarks of one part of the images; what looks landmarks up has nothing to do here."""
    dataset = dataset_plugin(entry["dataset"])
    if not plugin("landmarks", entry["backend"]).needs_images:
        return
    folder = faces_folder(dataset.name)
    part, parts = (int(number) for number in sys.argv[2:4])
    kept = detect_part(
        index=read_index(folder / "index.csv"),
        image_root=dataset.image_root(folder),
        backend=entry["backend"],
        settings=entry["settings"],
        cache=PROVENANCE / "landmarks" / dataset.name,
        read_image=read_image,
        source=f"params.yaml: landmarks.{entry['backend']}",
        part=part,
        parts=parts,
    )
    print(f"landmarks, part {part} of {parts}: {kept} images")


if __name__ == "__main__":
    stage.main("landmarks", work)
