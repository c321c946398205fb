"""Stage heatmaps: landmarks and labels of a dataset -> data/heatmaps/DATASET: compact maps and a preview sheet."""

from typing import Any

from fer_bench import heatmaps, stage
from fer_bench.train_settings import RuntimeSettings


def work(entry: dict[str, Any], runtime: RuntimeSettings) -> None:
    """Draw the maps."""
    heatmaps.make(entry, progress=runtime.progress)


if __name__ == "__main__":
    stage.main("heatmaps", work)
