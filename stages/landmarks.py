"""Stage landmarks: index and images of a dataset -> data/landmarks/DATASET.parquet."""

from typing import Any

from fer_bench import landmarks, stage
from fer_bench.cells import PROVENANCE, faces_folder, landmarks_file
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.datasets import read_image, read_index
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Find 68 landmarks in every image."""
    dataset = dataset_plugin(entry["dataset"])
    folder = faces_folder(dataset.name)
    truth = folder / "ground_truth.parquet"
    landmarks.run(
        index=read_index(folder / "index.csv"),
        image_root=dataset.image_root(folder),
        backend=entry["backend"],
        settings=entry["settings"],
        out=landmarks_file(dataset.name),
        workers=runtime.processes,
        progress=runtime.progress,
        read_image=read_image,
        cache=PROVENANCE / "landmarks" / dataset.name,
        timings=PROVENANCE / "landmarks" / f"{dataset.name}.csv",
        source=f"params.yaml: landmarks.{entry['backend']}",
        truth=truth if truth.is_file() else None,
    )


if __name__ == "__main__":
    stage.main("landmarks", work)
