"""Generated faces as a dataset: presets, overrides, and an index that passes the common checks."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from fer_bench.datasets import read_image, read_index
from fer_bench.datasets.synthetic import Dataset, Settings, synth_settings
from fer_bench.synthface import PRESETS

TINY = {"train": 14, "val": 7, "test": 7, "size": 32}


def test_the_default_preset_is_used_as_it_is() -> None:
    assert synth_settings(Settings()) == PRESETS["default"]
    assert synth_settings(Settings(preset="hard")) == PRESETS["hard"]


def test_overrides_change_what_they_name_alone() -> None:
    changed = synth_settings(Settings(preset="smoke", overrides={"train": 14, "intensity": [0.5, 0.9]}))
    assert changed == PRESETS["smoke"].model_copy(update={"train": 14, "intensity": (0.5, 0.9)})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "huge"}, "'smoke', 'default' or 'hard'"),
        ({"overrides": {"trian": 5}}, "overrides.trian: .*the generator knows: .*train"),
        ({"overrides": {"train": "many"}}, "overrides.train: .*integer"),
        ({"overrides": {"train": -1}}, "overrides.train: .*greater than or equal to 0"),
        ({"overrides": {"span": [3.0, 2.0]}}, "overrides: .*span"),
        ({"root": "/somewhere"}, "root has no meaning for generated faces"),
        ({"val_fraction": 0.2}, "val_fraction has no meaning"),
        ({"fingerprint": "files:1"}, "fingerprint has no meaning"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**settings)


def test_faces_are_made_and_indexed(tmp_path: Path) -> None:
    dataset = Dataset("synthetic", Settings(preset="smoke", overrides=TINY))
    frame = dataset.prepare(tmp_path, workers=1, progress=False)
    assert dataset.publishable_images
    assert frame["split"].value_counts().to_dict() == {"train": 14, "val": 7, "test": 7}
    pd.testing.assert_frame_equal(read_index(tmp_path / "index.csv"), frame, check_dtype=False)
    image = read_image(dataset.image_root(tmp_path) / frame["path"][0])
    assert image.shape == (32, 32, 3)
    assert pd.read_parquet(dataset.ground_truth(tmp_path))["id"].tolist() == frame["id"].tolist()
