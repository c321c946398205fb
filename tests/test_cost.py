"""Costs: operations counted by hand, summed over a grid, and what is said where a dataset is not there yet."""

import pytest

from fer_bench import cost, params
from fer_bench.model_settings import ModelSettings

NARROW = ModelSettings(backbone="resnet10t", kwargs={"channels": [8, 8, 16, 16], "stem_width": 8}, input_size=32)


def test_twice_the_side_costs_four_times_but_for_the_head():
    plain = cost.forward_operations(NARROW)
    wide = cost.forward_operations(NARROW.model_copy(update={"input_size": 64}))
    head = 2 * 16 * 7 + 2 * 16 * 7  # the linear layer, and the class maps at 1x1
    maps = 2 * 16 * 7 * 3  # class maps at 2x2: three positions more
    assert wide - (head + maps) == 4 * (plain - head)


def test_resnet50_costs_what_is_known_of_it():
    """4.09 billion multiplications and additions each at 224 px (He et al. 2016: 3.8 with the older stride)."""
    assert cost.forward_operations(ModelSettings(backbone="resnet50")) == pytest.approx(2 * 4.09e9, rel=0.005)


def index(root, dataset: str, **splits: int) -> None:
    folder = root / "data" / "faces" / dataset
    folder.mkdir(parents=True)
    rows = [name for name, count in splits.items() for _ in range(count)]
    (folder / "index.csv").write_text("split\n" + "\n".join(rows) + "\n", encoding="utf-8")


def test_a_grid_by_hand(raw_params, tmp_path):
    raw_params["grid"] |= {"models": ["resnet10t"], "guidance": ["none", "au"], "seeds": [0, 1]}
    raw_params["train"] |= {"epochs": 5, "validation_interval": 0.5}
    index(tmp_path, "synthetic", train=100, val=10, test=20)
    loaded = params.parse(raw_params)
    found = cost.estimate(loaded, root=tmp_path)
    passes = 3 * 5 * 100 + 5 * 3 * 10  # three validations an epoch
    assert found.cells == 4 and not found.unknown
    assert found.operations == 4 * passes * cost.forward_operations(loaded.models["resnet10t"])
    assert found.hours(found.operations / 7200) == pytest.approx(2)
    raw_params["grid"]["protocol"] = "paper"
    more = cost.estimate(params.parse(raw_params), root=tmp_path)
    assert more.operations > found.operations  # it validates on the test split, which is larger


def test_what_is_not_trained_costs_nothing(raw_params, tmp_path):
    raw_params["models"]["resnet10t"]["train"] = {"epochs": 0}
    raw_params["grid"]["models"] = ["resnet10t"]
    assert cost.estimate(params.parse(raw_params), root=tmp_path) == cost.Cost(0, 0.0, ())


def test_a_dataset_of_unknown_size_is_named(raw_params, tmp_path):
    raw_params["grid"] |= {"datasets": ["real_photos"], "test_datasets": ["real_photos"]}
    found = cost.estimate(params.parse(raw_params), root=tmp_path)
    assert found.unknown == ("real_photos",) and found.operations == 0
    assert str(found) == "12 trainings; what they cost can be told once the images are there: real_photos"


def test_what_takes_seconds_is_no_fraction_of_a_millionth_of_an_hour():
    assert str(cost.Cost(2, 7e10, ())).endswith("less than 0.01 GPU-hours at 40 TFLOP/s")
    assert str(cost.Cost(2, 4e13 * 7200, ())).endswith("about 2 GPU-hours at 40 TFLOP/s")


def test_a_rate_is_measured():
    assert cost.measured_rate(NARROW, "cpu", batch=2, steps=1) > 0


def test_a_dataset_that_is_not_there_yet_counts_as_published(raw_params, tmp_path):
    assert cost.images(params.parse(raw_params), "rafdb", tmp_path) == {"train": 12271, "val": 0, "test": 3068}
