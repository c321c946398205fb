"""Trials: the same network with another recipe, chosen in a fair way; each mistake is one clear line."""

from pathlib import Path

import pytest

from fer_bench import grids, params, trials
from fer_bench.errors import InputError

ROOT = Path(__file__).parent.parent


@pytest.fixture
def raw(raw_params):
    raw_params["grid"] |= {"models": ["resnet10t", "resnet10t_slow", "resnet10t_decayed"], "guidance": ["none"]}
    return raw_params


def complaint(raw):
    with pytest.raises(InputError) as error:
        params.parse(raw)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_recipes_name_what_differs_within_the_grid(raw):
    loaded = params.parse(raw)
    found = {name: trials.recipe(loaded, "synthetic", name) for name in loaded.grid.models}
    assert found == {
        "resnet10t": {"learning_rate": 0.003, "weight_decay": 0.05},
        "resnet10t_slow": {"learning_rate": 0.001, "weight_decay": 0.05},
        "resnet10t_decayed": {"learning_rate": 0.003, "weight_decay": 0.5},
    }
    assert trials.recipe(loaded, "synthetic", "xcit") == {}


def test_nested_settings_are_named_in_full(raw):
    raw["models"]["resnet10t_slow"]["train"] = {"augmentation": {"rotation": 12}}
    raw["grid"]["models"] = ["resnet10t", "resnet10t_slow"]
    assert trials.recipe(params.parse(raw), "synthetic", "resnet10t") == {"augmentation.rotation": 6.0}


def test_a_trial_has_everything_else_from_its_model(raw):
    raw["models"]["resnet10t"] |= {"input_size": 96, "train": {"epochs": 3, "learning_rate": 0.002}}
    loaded = params.parse(raw)
    assert loaded.models["resnet10t_slow"].input_size == 96
    assert loaded.models["resnet10t_slow"].kwargs == loaded.models["resnet10t"].kwargs
    recipe = loaded.train_of("synthetic", "resnet10t_slow")
    assert (recipe.epochs, recipe.learning_rate) == (3, 0.001)


def test_a_trial_is_the_same_network(raw):
    raw["models"]["resnet10t_slow"]["input_size"] = 96
    text = complaint(raw)
    assert "models.resnet10t_slow.input_size: a trial has this from 'resnet10t'" in text and "train" in text


def test_a_trial_of_a_trial_names_the_model(raw):
    raw["models"]["resnet10t_decayed"]["trial_of"] = "resnet10t_slow"
    assert "'resnet10t_slow' is a trial itself; name its model, 'resnet10t'" in complaint(raw)


def test_the_model_stands_beside_its_trials(raw):
    raw["grid"]["models"] = ["resnet10t_slow"]
    assert "grid.models: 'resnet10t_slow' is a trial of 'resnet10t', which must be listed too" in complaint(raw)


def test_the_test_split_chooses_no_trial(raw):
    raw["grid"]["protocol"] = "paper"
    text = complaint(raw)
    assert "grid.protocol: 'paper' would choose among trials" in text and "`clean`" in text


def test_one_score_compares_all_trials(raw):
    raw["models"]["resnet10t_slow"]["train"]["selection"] = "best_macro_f1"
    assert "another train.selection than 'resnet10t'" in complaint(raw)


def test_no_trial_counts_twice(raw):
    raw["models"]["resnet10t_decayed"]["train"] = {"learning_rate": 0.001}
    assert "'resnet10t_decayed' is trained on 'synthetic' exactly like 'resnet10t_slow'" in complaint(raw)


def test_a_grid_that_overrides_what_a_trial_changes_is_told(raw):
    raw["grid"]["train"] = {"learning_rate": 0.01}
    text = complaint(raw)
    assert "'resnet10t_slow' is trained on 'synthetic' exactly like 'resnet10t'" in text and "override" in text


def test_the_grid_tuned_gives_both_arms_as_many_trials(raw_params):
    grid = grids.read("tuned", ROOT)
    found = params.parse(raw_params | {"grid": grid.model_dump(mode="json")})
    cells = {(cell.model, cell.guidance) for cell in grids.cells(grid)}
    unguided = [model for model, guidance in cells if guidance == "none"]
    weights = [found.guidance[guidance].weight for model, guidance in cells if guidance != "none"]
    assert sorted(unguided) == sorted(grid.models) and len(unguided) == len(weights) == 4
    assert sorted(weights) == [1, 4, 9, 16]
    assert {model for model, guidance in cells if guidance != "none"} == {"resnet10t"}
    assert len(grids.cells(grid)) == 24
