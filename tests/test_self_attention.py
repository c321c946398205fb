"""Self-attention: features times their own channel mean before the next layer, where the published code has it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fer_bench import classifier
from fer_bench.backbones.self_attention import attended
from fer_bench.errors import InputError

RESNET: dict[str, Any] = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [8, 8, 12, 16], "stem_width": 8, "output_stride": 8},
    "input_size": 32,
}


def network(layers: list[int | str], **changes: Any) -> classifier.Classifier:
    torch.manual_seed(0)
    return classifier.build({**RESNET, "self_attention": layers, **changes}).eval()


def test_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, -4.0]]]])  # channel means 2 and -1
    assert attended(features).tolist() == [[[[2.0, -2.0]], [[6.0, 4.0]]]]


def test_every_layer_passes_on_what_it_was_multiplied_to() -> None:
    """The forward pass of the published code, written out: each stage, then times its channel mean."""
    found, images = network([1, 2, 3, 4, 5]), torch.rand(2, 3, 32, 32)
    net = found.backbone.net
    with torch.no_grad():
        output = found(images)
        last = images
        for layer, stage in enumerate(
            (
                lambda x: net.act1(net.bn1(net.conv1(x))),
                lambda x: net.layer1(net.maxpool(x)),
                net.layer2,
                net.layer3,
                net.layer4,
            ),
            start=1,
        ):
            last = stage(last)
            last = last * last.mean(1, keepdim=True)
            torch.testing.assert_close(output.features[layer], last)
        torch.testing.assert_close(output.logits, found.method.score(last)[0])


@pytest.mark.parametrize("layers", [[3], ["last"], [2, 4]])
def test_only_the_layers_asked_for_are_multiplied(layers: list[int | str]) -> None:
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        plain, found = network([])(images).features, network(layers)(images).features
    first = min(5 if layer == "last" else int(layer) for layer in layers)
    for layer in range(1, first):
        assert torch.equal(plain[layer], found[layer])
    torch.testing.assert_close(found[first], attended(plain[first]))


def test_it_is_off_by_default_and_costs_no_random_number() -> None:
    torch.manual_seed(0)
    plain = classifier.build(RESNET)
    after = torch.rand(1)
    found = network([1, 5])
    assert plain.section.self_attention == ()
    assert torch.equal(torch.rand(1), after)
    assert all(torch.equal(value, found.state_dict()[key]) for key, value in plain.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "kwargs", "size"),
    [
        ("convnext_atto", {"dims": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}, 64),
        ("swin_tiny_patch4_window7_224", {"embed_dim": 24, "depths": [1, 1, 1, 1]}, 64),
        ("mobilenetv2_035", {}, 64),
        ("vgg11", {}, 64),
        ("ir50", {"channels": [8, 12, 16], "depths": [1, 1, 1]}, 64),
    ],
)
def test_other_networks_in_stages(backbone: str, kwargs: dict[str, Any], size: int) -> None:
    section = {"backbone": backbone, "kwargs": kwargs, "input_size": size}
    images = torch.rand(1, 3, size, size)
    plain = network([], **section)(images).features
    layer = min(plain)
    found = network([layer, 5], **section)(images)
    torch.testing.assert_close(found.features[layer], attended(plain[layer]))
    assert not torch.allclose(found.features[5], attended(plain[5]))  # the difference has gone through the network
    found.logits.sum().backward()


def test_gradient_reaches_the_attention() -> None:
    features = torch.rand(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(attended, features)


def test_saving_and_loading_keeps_it(tmp_path: Path) -> None:
    found, images = network([2, 5]), torch.rand(2, 3, 32, 32)
    classifier.save(found, tmp_path)
    assert torch.equal(classifier.load_folder(tmp_path)(images).logits, found(images).logits)


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"backbone": "deit_tiny_patch16_224", "kwargs": {"depth": 2}, "input_size": 32}, "has no stages"),
        (
            {"backbone": "ir50", "kwargs": {"channels": [8, 8, 8], "depths": [1, 1, 1]}},
            "has no layer 2; it has 3, 4, 5",
        ),
    ],
)
def test_what_cannot_work_says_why(section: dict[str, Any], reason: str) -> None:
    section = {"self_attention": [2], **section}
    assert reason in str(classifier.unsuitable(section))
    with pytest.raises(InputError, match=r"models\.self_attention: "):
        classifier.build(section)
