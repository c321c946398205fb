"""IR-50: its maps, its units by hand, its names, and checkpoints of face.evoLVe."""

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

from fer_bench.backbones import build
from fer_bench.backbones.ir50 import IR50, Unit
from fer_bench.errors import InputError

SMALL: dict[str, Any] = {"channels": [4, 6, 8], "depths": [1, 2, 1]}
SOURCE = "params.yaml: models.small"
# face.evoLVe's number of a unit -> ours (stage, unit); 4, 5 and 6 are the fourth stage
UNITS = {0: "0.0", 1: "1.0", 2: "1.1", 3: "2.0"}
UNUSED = {
    "body.4.res_layer.1.weight": (16, 8, 3, 3),
    "body.6.res_layer.4.running_var": (16,),
    "output_layer.0.weight": (16,),
    "output_layer.3.bias": (512,),
}


def _small(weights: str = "random", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build("ir50", SMALL, weights, input_size=32, source=SOURCE).net


def _checkpoint(seed: int = 5) -> dict[str, torch.Tensor]:
    """A checkpoint of a small IR-50 as face.evoLVe writes it: units numbered through, fourth stage, embedding."""
    numbers = {f"body.{ours}.": f"body.{number}." for number, ours in UNITS.items()}
    state = {}
    for name, value in _small(seed=seed).state_dict().items():
        unit = next((ours for ours in numbers if name.startswith(ours)), None)
        state[name.replace(unit, numbers[unit]) if unit else name] = value
    return state | {name: torch.zeros(shape) for name, shape in UNUSED.items()}


def _saved(state: dict[str, torch.Tensor], folder: Path) -> str:
    torch.save(state, folder / "ir50.pth")
    return f"file:{folder / 'ir50.pth'}"


def test_maps_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        backbone = build("ir50", {}, input_size=112)
    sizes = {layer: (backbone.channels[layer], *backbone.map_sizes[layer]) for layer in backbone.layers}
    assert sizes == {3: (64, 56, 56), 4: (128, 28, 28), 5: (256, 14, 14)}


def test_number_of_parameters_by_hand() -> None:
    """A unit has two 3x3 convolutions, two batch norms and a PReLU; a shortcut a 1x1 convolution and a batch norm."""

    def unit(inputs: int, outputs: int) -> int:
        shortcut = inputs * outputs + 2 * outputs if inputs != outputs else 0
        return 2 * inputs + 9 * inputs * outputs + outputs + 9 * outputs * outputs + 2 * outputs + shortcut

    stem = 9 * 3 * 64 + 2 * 64 + 64
    expected = stem + 3 * unit(64, 64) + unit(64, 128) + 3 * unit(128, 128) + unit(128, 256) + 13 * unit(256, 256)
    assert expected == 17_611_968
    with torch.device("meta"):
        assert sum(value.numel() for value in build("ir50", {}, input_size=112).parameters()) == expected


def test_layers_are_the_outputs_of_the_stages() -> None:
    torch.manual_seed(0)
    backbone, images = build("ir50", SMALL, input_size=32).eval(), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        maps, features = backbone(images), backbone.net.input_layer(images)
        for layer, stage in zip((3, 4, 5), backbone.net.body, strict=True):
            features = stage(features)
            assert torch.equal(maps[layer], features)
    assert maps[5].min() < 0, "a residual sum without ReLU"


def _identity(unit: Unit) -> Unit:
    """Let every convolution of a one-channel unit copy its input."""
    for module in unit.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
    return unit.eval()


def test_a_unit_by_hand() -> None:
    unit = _identity(Unit(1, 1, 2))
    features = torch.tensor([[[[-2.0, 9.0], [9.0, 9.0]]]])
    norm = 1 / math.sqrt(1 + 1e-5)  # mean 0, variance 1
    # PReLU starts at 0.25; stride 2 leaves the top-left position, in the branch and in the shortcut.
    assert unit(features).item() == pytest.approx(-2.0 * norm * 0.25 * norm - 2.0, rel=1e-6)
    assert isinstance(unit.shortcut_layer, nn.MaxPool2d)


def test_a_unit_that_changes_the_channels_projects_its_shortcut() -> None:
    unit = _identity(Unit(1, 2, 2))
    features = torch.full((1, 1, 2, 2), 4.0)
    norm = 1 / math.sqrt(1 + 1e-5)
    assert unit(features)[0, :, 0, 0].tolist() == pytest.approx([4 * norm * norm + 4 * norm, 0.0])


def test_names_are_the_published_ones() -> None:
    with torch.device("meta"):
        state = build("ir50", {}, input_size=112).net.state_dict()
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    branch = [f"0.{n}" for n in norm] + ["1.weight", "2.weight", "3.weight"] + [f"4.{n}" for n in norm]
    expected = {"input_layer.0.weight", "input_layer.2.weight", *(f"input_layer.1.{n}" for n in norm)}
    for stage, depth in enumerate((3, 4, 14)):
        expected |= {f"body.{stage}.{unit}.res_layer.{name}" for unit in range(depth) for name in branch}
    for stage in (1, 2):
        expected |= {f"body.{stage}.0.shortcut_layer.{name}" for name in ["0.weight", *(f"1.{n}" for n in norm)]}
    assert set(state) == expected
    assert state["input_layer.0.weight"].shape == (64, 3, 3, 3)
    assert state["input_layer.2.weight"].shape == (64,)


def test_convolutions_start_xavier_uniform() -> None:
    torch.manual_seed(0)
    weight = IR50().body[2][1].res_layer[1].weight
    bound = math.sqrt(6 / (9 * (256 + 256)))
    assert 0.99 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.01)


def test_checkpoints_of_face_evolve_are_translated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loaded = _small(_saved(_checkpoint(), tmp_path)).state_dict()
    expected = _small(seed=5).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())
    assert "4 tensors of the checkpoint are not used: body.4, body.6, output_layer" in caplog.text


def test_a_file_of_our_own_names_makes_the_round_trip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expected = _small(seed=5).state_dict()
    loaded = _small(_saved(expected, tmp_path)).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())
    assert not caplog.text


def test_the_published_depths_are_translated() -> None:
    """Unit 2 is the last of the first stage, 3 to 6 are the second, 7 to 20 the third."""
    from fer_bench.backbones.ir50 import checkpoint_filter_fn

    with torch.device("meta"):
        net = IR50()
    value = torch.zeros(1)
    keys = {f"body.{number}.shortcut_layer.0.weight": value for number in (0, 2, 3, 6, 7, 20, 21, 23, 24)}
    translated = checkpoint_filter_fn({**keys, "input_layer.1.num_batches_tracked": value}, net)
    stages = ["0.0", "0.2", "1.0", "1.3", "2.0", "2.13"]
    expected = {f"body.{unit}.shortcut_layer.0.weight" for unit in stages} | {"body.24.shortcut_layer.0.weight"}
    assert set(translated) == {*expected, "input_layer.1.num_batches_tracked"}


def test_counters_that_old_files_lack_are_added(tmp_path: Path) -> None:
    state = {key: value for key, value in _checkpoint().items() if not key.endswith("num_batches_tracked")}
    assert _small(_saved(state, tmp_path)).state_dict()["body.1.1.res_layer.0.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("body.2.res_layer.3.weight"), r"missing body\.1\.1\.res_layer\.3\.weight"),
        (lambda state: state.pop("input_layer.1.num_batches_tracked"), r"missing input_layer\.1\.num_batches_tracked"),
        (lambda state: state.update({"body.7.res_layer.2.weight": torch.zeros(16)}), r"unexpected body\.7\.res_layer"),
        (lambda state: state.update({"fc.weight": torch.zeros(1)}), r"unexpected fc\.weight"),
        (
            lambda state: state.update({"body.3.res_layer.2.weight": torch.zeros(9)}),
            r"body\.2\.0\.res_layer\.2\.weight is \(9,\), not \(8,\)",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(change: Any, reason: str, tmp_path: Path) -> None:
    state = _checkpoint()
    change(state)
    with pytest.raises(InputError, match=rf"{SOURCE}\.weights: .*does not fit IR50: .*{reason}"):
        _small(_saved(state, tmp_path))


def test_weights_bring_the_published_normalisation(tmp_path: Path) -> None:
    trained = build("ir50", SMALL, _saved(_checkpoint(), tmp_path), input_size=32)
    assert (trained.mean, trained.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    untrained = build("ir50", SMALL, input_size=32)
    assert (untrained.mean, untrained.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("kwargs", "weights", "reason"),
    [
        ({"depth": 3}, "random", r"kwargs: timm cannot build ir50 .*'depth'"),
        ({"depths": [1, 2]}, "random", "name different numbers of stages"),
        ({"large_maps": True}, "random", "IR50 is no ResNet"),
        ({}, "timm", "timm has no weights for ir50; .*file:PATH works too"),
    ],
)
def test_what_cannot_be_built_says_why(kwargs: dict[str, Any], weights: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        build("ir50", kwargs, weights, input_size=32)


def test_ir50_stands_among_timms_networks() -> None:
    assert timm.is_model("ir50")
    with pytest.raises(InputError, match=r"did you mean one of .*ir50"):
        build("ir_50", {}, input_size=32)
