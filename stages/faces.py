"""Stage faces: a dataset's plan entry -> data/faces/DATASET: index.csv, and images where we make them."""

from typing import Any

from fer_bench import stage
from fer_bench.cells import faces_folder
from fer_bench.dataset_entry import dataset_plugin
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Prepare the dataset."""
    dataset = dataset_plugin(entry["dataset"])
    print(dataset.terms)
    dataset.prepare(faces_folder(dataset.name), workers=runtime.processes, progress=runtime.progress)


if __name__ == "__main__":
    stage.main("faces", work)
