"""params.yaml is validated as a whole; each mistake is one clear line."""

import pytest

from fer_bench import params
from fer_bench.errors import InputError


def complaint(raw: dict) -> str:
    with pytest.raises(InputError) as error:
        params.parse(raw)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_committed_params_are_valid(raw_params):
    loaded = params.parse(raw_params)
    assert loaded.grid.name == "default"
    assert loaded.grid.protocol == "clean"
    assert len(loaded.grid.seeds) >= 3


def test_unknown_section(raw_params):
    raw_params["trian"] = {}
    text = complaint(raw_params)
    assert "'trian'" in text and "did you mean 'train'?" in text


def test_missing_section(raw_params):
    del raw_params["models"]
    assert "section 'models' is missing" in complaint(raw_params)


def test_unknown_key_names_the_nearest(raw_params):
    raw_params["train"]["epoch"] = 3
    text = complaint(raw_params)
    assert text.startswith("params.yaml: train.epoch: unknown key; did you mean 'epochs'?")


def test_misspelt_key_without_default_is_called_unknown_not_missing(raw_params):
    raw_params["train"]["epochz"] = raw_params["train"].pop("epochs")
    text = complaint(raw_params)
    assert text.startswith("params.yaml: train.epochz: unknown key; did you mean 'epochs'?")
    assert text.endswith("(and 1 more)")


def test_missing_key_is_named(raw_params):
    del raw_params["train"]["epochs"]
    assert complaint(raw_params) == "params.yaml: train.epochs: missing; this key has no default"


def test_unknown_key_of_a_nested_section(raw_params):
    raw_params["train"]["augmentation"] = {"rotate": 3}
    text = complaint(raw_params)
    assert "train.augmentation.rotate: unknown key" in text and "rotation" in text


def test_wrong_type_names_key_and_value(raw_params):
    raw_params["train"]["epochs"] = "ten"
    text = complaint(raw_params)
    assert "params.yaml: train.epochs: given 'ten'" in text and "integer" in text


def test_datasets_of_a_grid_have_equally_many_expressions(raw_params):
    raw_params["grid"]["test_datasets"] = ["synthetic", "affectnet8"]
    text = complaint(raw_params)
    assert "grid.test_datasets: synthetic has 7, affectnet8 has 8 expressions" in text
    raw_params["grid"]["test_datasets"] = ["synthetic", "affectnet"]
    params.parse(raw_params)


def test_no_silent_conversion(raw_params):
    raw_params["train"]["epochs"] = "12"
    assert "train.epochs" in complaint(raw_params)


def test_value_out_of_range(raw_params):
    raw_params["train"]["learning_rate"] = -1.0
    assert "train.learning_rate: given -1.0" in complaint(raw_params)


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("grid", "models", ["resnet11t"], "did you mean 'resnet10t'"),
        ("grid", "guidance", ["AU"], "known: none, au, au_facs"),
        ("grid", "datasets", ["nowhere"], "grid.datasets"),
        ("grid", "protocol", "clear", "clean"),
        ("grid", "name", "runs", "folder of results"),
        ("grid", "name", "a-b", "grid.name"),
        ("grid", "seeds", [1, 1], "once"),
        ("grid", "models", ["tscam", "tscam"], "once"),
        ("evaluate", "explainers", ["gradcm"], "did you mean 'gradcam'"),
    ],
)
def test_unknown_names_in_lists(raw_params, section, key, value, expected):
    raw_params[section][key] = value
    assert expected in complaint(raw_params)


def test_training_dataset_must_be_a_test_dataset(raw_params):
    raw_params["grid"]["test_datasets"] = ["synthetic_smoke"]
    assert "'synthetic' is trained on" in complaint(raw_params)


def test_unknown_plugin_lists_the_files(raw_params):
    raw_params["guidance"]["mine"] = {"plugin": "au_guided"}
    text = complaint(raw_params)
    assert "params.yaml: guidance.mine.plugin" in text and "known: au, " in text


def test_unknown_landmark_backend_of_a_dataset(raw_params):
    raw_params["datasets"]["synthetic"]["landmarks"] = "mtcnn"
    assert "datasets.synthetic.landmarks" in complaint(raw_params)


def test_unknown_option_of_a_guidance(raw_params):
    raw_params["guidance"]["au"]["loss"] = "cosinus"
    text = complaint(raw_params)
    assert "guidance.au.loss" in text and "std_cosine" in text


def test_overrides_of_train_reach_the_cell_and_are_checked(raw_params):
    raw_params["models"]["tscam"]["train"] = {"epochs": 7, "augmentation": {"rotation": 1.0}}
    raw_params["grid"]["train"] = {"batch_size": 3}
    loaded = params.parse(raw_params)
    resolved = loaded.train_of("synthetic", "tscam")
    assert (resolved.epochs, resolved.batch_size, resolved.augmentation.rotation) == (7, 3, 1.0)
    assert resolved.augmentation.flip_probability == 0.5
    assert loaded.train_of("synthetic", "resnet10t").epochs == raw_params["train"]["epochs"]

    raw_params["grid"]["train"] = {"epoch": 3}
    assert "epoch: unknown key" in complaint(raw_params)


def test_a_model_overrides_the_guidance_of_its_own_cells(raw_params):
    raw_params["models"]["tscam"]["guidance"] = {"layers": [4], "weight": 2.5}
    loaded = params.parse(raw_params)
    resolved = loaded.guidance_of("au", "tscam")
    assert (resolved.layers, resolved.weight, resolved.variant) == ((4,), 2.5, "paper")
    assert loaded.guidance_of("au", "resnet10t") == loaded.guidance["au"]
    assert loaded.guidance_of("none", "tscam") == loaded.guidance["none"]

    raw_params["models"]["tscam"]["guidance"] = {"layer": [4]}
    text = complaint(raw_params)
    assert "models.tscam.guidance.layer: unknown key; did you mean 'layers'?" in text


def test_blocks_and_trials_name_what_exists(raw_params):
    raw_params["grid"]["blocks"] = [{"models": ["tscam"], "guidance": ["none"]}]
    assert "grid.blocks.0.models" in complaint(raw_params)
    raw_params["grid"]["blocks"] = []
    raw_params["models"]["tscam"]["trial_of"] = "xcitt"
    text = complaint(raw_params)
    assert "models.tscam.trial_of" in text and "xcit" in text
