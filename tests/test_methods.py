"""Methods: heads, class maps and losses against numbers computed by hand; a contract for every plug-in."""

import math
from typing import Any

import pytest
import torch

from fer_bench import classifier, registry
from fer_bench.classifier_output import Output
from fer_bench.methods.base import MethodBase
from fer_bench.methods.cam import Method as Cam
from fer_bench.methods.cam import Settings as CamSettings
from fer_bench.methods.tscam import Method as TsCam
from fer_bench.methods.tscam import Settings as TsCamSettings

VIT: dict[str, Any] = {
    "backbone": "deit_tiny_patch16_224",
    "kwargs": {"patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2},
    "input_size": 32,
}


def _vit(method: str, **changes: Any) -> classifier.Classifier:
    torch.manual_seed(0)
    return classifier.build({**VIT, "method": method, **changes}).eval()


# A method is tried on each of these that it accepts, and must accept one.
SECTIONS: dict[str, dict[str, Any]] = {
    "transformer": VIT,
    "cnn": {
        "backbone": "resnet10t",
        "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8, "output_stride": 8},
        "input_size": 32,
    },
}


def accepted(name: str) -> list[dict[str, Any]]:
    """Sections on which the method can be trained, the others having said why not."""
    sections = [{**section, "method": name} for section in SECTIONS.values()]
    reasons = [classifier.unsuitable(section) for section in sections]
    assert all(reason is None or reason.strip() for reason in reasons)
    return [section for section, reason in zip(sections, reasons, strict=True) if reason is None]


@pytest.mark.parametrize("name", registry.names("methods"))
def test_contract_of_every_method(name: str) -> None:
    kind = registry.plugin("methods", name)
    assert issubclass(kind, MethodBase)
    assert kind.label
    assert kind.citation
    assert registry.settings("methods", name)()  # every option has a default
    assert accepted(name)
    for section in accepted(name):
        torch.manual_seed(0)
        _check_contract(classifier.build(section), kind)


def _check_contract(network: classifier.Classifier, kind: type[MethodBase]) -> None:
    images, labels, maps = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 6]), torch.rand(4, 32, 32)
    batch = {"images": images, "labels": labels, "maps": maps, "valid": labels > 0}
    prepared = network.method.prepare_batch(batch, torch.Generator().manual_seed(0))
    assert all(prepared[key].shape == value.shape for key, value in batch.items())
    output = network.train()(prepared["images"])
    assert output.logits.shape == (4, 7)
    assert (output.attention is None) != kind.needs_attention
    parts = network.method.loss(output, prepared)
    assert parts["loss"].ndim == 0
    assert parts["logits"].shape == (4, 7)
    hits = network.method.hits(parts["logits"], prepared)
    assert hits.shape == (4,) and hits.min() >= 0 and hits.max() <= 1
    parts["loss"].backward()
    assert all(value.grad is not None for value in network.parameters() if value.requires_grad)
    network.eval()
    with torch.no_grad():
        assert torch.equal(network(images).logits, network(images).logits)
        last = network(images).features[5]
        torch.testing.assert_close(network.logits_from_features(last), network(images).logits)


def _cam(channels: int = 2, classes: int = 2) -> Cam:
    return Cam(channels, classes, CamSettings())


def test_cam_by_hand() -> None:
    head = _cam()
    with torch.no_grad():
        head.head.weight.copy_(torch.tensor([[1.0, -2.0], [0.5, 0.0]]))
        head.head.bias.copy_(torch.tensor([10.0, 20.0]))
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 1.0]]]])
    logits, maps = head.score(features)
    # averages over positions: 2.5 and 0.5
    assert logits.tolist() == [[2.5 - 1.0 + 10.0, 1.25 + 20.0]]
    assert maps.tolist() == [[[[1.0, 0.0], [3.0, 2.0]], [[0.5, 1.0], [1.5, 2.0]]]]  # no bias, no ReLU


def test_cam_keeps_negative_class_maps() -> None:
    head = _cam()
    with torch.no_grad():
        head.head.weight.fill_(-1.0)
    assert head.score(torch.ones(1, 2, 3, 3))[1].max() == -2.0


def test_cam_starts_with_xavier_uniform_weights_and_no_bias() -> None:
    torch.manual_seed(0)
    head = Cam(2048, 7, CamSettings())
    bound = math.sqrt(6 / (2048 + 7))
    assert 0.98 * bound < head.head.weight.abs().max() <= bound
    assert head.head.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert not head.head.bias.any()


def test_only_cam_has_closed_forms() -> None:
    head = _cam(3, 5)
    assert head.head_weight is head.head.weight
    assert TsCam(3, 5, TsCamSettings()).head_weight is None


def test_tscam_by_hand() -> None:
    head = TsCam(1, 1, TsCamSettings())
    with torch.no_grad():
        head.head.weight.fill_(1.0)
        head.head.bias.fill_(0.5)
    features = torch.zeros(1, 1, 3, 3)
    features[0, 0, 0, 0] = 9.0
    logits, maps = head.score(features)
    # a 3x3 sum with zero padding: the corner reaches its four neighbours, itself included
    assert maps[0, 0].tolist() == [[9.5, 9.5, 0.5], [9.5, 9.5, 0.5], [0.5, 0.5, 0.5]]
    assert logits.item() == pytest.approx(4 * 9 / 9 + 0.5)


def test_tscam_on_a_2x2_map_by_hand() -> None:
    head = TsCam(1, 2, TsCamSettings())
    with torch.no_grad():
        head.head.weight[0].fill_(1.0)
        head.head.weight[1].copy_(torch.tensor([[[0.0, 0, 0], [0, 2, 0], [0, 0, -1]]]))
        head.head.bias.copy_(torch.tensor([0.5, 0.0]))
    logits, maps = head.score(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    # class 0: every window holds all four, 10; class 1: twice the position less the one to its lower right
    assert maps.tolist() == [[[[10.5, 10.5], [10.5, 10.5]], [[2 - 4, 4.0], [6.0, 8.0]]]]
    assert logits.tolist() == [[10.5, 4.0]]


def test_tscams_features_are_patches_after_the_final_norm() -> None:
    """What guidance sees, the channel mean, is nothing but the norm's affine part on a centred patch."""
    network, images = _vit("tscam"), torch.rand(2, 3, 32, 32)
    net = network.backbone.net
    assert network(images).features[5].mean(1).abs().max() < 1e-6  # scale 1, shift 0: no signal
    with torch.no_grad():
        net.norm.weight.copy_(torch.linspace(0.5, 2, 24))
        net.norm.bias.fill_(0.25)
        before = net.blocks(net._pos_embed(net.patch_embed(images)))
        tokens = (before - before.mean(-1, keepdim=True)) / (before.var(-1, keepdim=True, correction=0) + 1e-6).sqrt()
        expected = (tokens * torch.linspace(0.5, 2, 24) + 0.25)[:, 1:]
        found = network(images).features[5]
    torch.testing.assert_close(found.flatten(2).mT, expected)
    torch.testing.assert_close(found.mean(1).flatten(1), expected.mean(2))


def test_tscam_head_starts_as_torch_starts_a_convolution() -> None:
    head = TsCam(384, 7, TsCamSettings())
    bound = 1 / math.sqrt(384 * 9)
    assert head.head.weight.shape == (7, 384, 3, 3)
    assert 0.98 * bound < head.head.weight.abs().max() <= bound
    assert 0 < head.head.bias.abs().max() <= bound


def _class_token_rows(network: classifier.Classifier, images: torch.Tensor, patches: int) -> torch.Tensor:
    """Recompute the attention from queries and keys: sum over blocks of the mean over heads, (B, patches)."""
    net = network.backbone.net
    tokens = net._pos_embed(net.patch_embed(images))
    total = torch.zeros(len(images), patches)
    for block in net.blocks:
        attention = block.attn
        qkv = attention.qkv(block.norm1(tokens)).reshape(len(images), -1, 3, attention.num_heads, attention.head_dim)
        query, key = qkv[:, 0, 0], qkv[:, :, 1]  # the class token's query (B, heads, d), all keys (B, N, heads, d)
        scores = torch.einsum("bhd,bnhd->bhn", query, key) / math.sqrt(attention.head_dim)
        total += scores.softmax(-1).mean(1)[:, -patches:]
        tokens = block(tokens)
    return total


@pytest.mark.parametrize(
    "backbone", ["deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "vit_tiny_patch16_224"]
)
def test_attention_is_summed_over_blocks_and_averaged_over_heads(backbone: str) -> None:
    network, images = _vit("tscam", backbone=backbone), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        attention = network(images).attention
        expected = _class_token_rows(network, images, 16)
    assert attention.shape == (2, 4, 4)
    torch.testing.assert_close(attention.flatten(1), expected)
    assert (attention.sum((1, 2)) < 3).all()  # three blocks, and the class token keeps a share for itself


def test_attention_does_not_change_the_logits() -> None:
    """Explicit matrices and timm's fused attention are the same network."""
    network, images = _vit("tscam"), torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        explicit = network(images).logits
        for block in network.backbone.net.blocks:
            assert block.attn.fused_attn is False
            block.attn.fused_attn = True
        torch.testing.assert_close(network.logits_from_features(network.backbone(images)[5]), explicit)


@pytest.mark.parametrize(
    "backbone", ["eva02_tiny_patch14_224", "beit_base_patch16_224", "vit_small_patch14_reg4_dinov2"]
)
def test_tscam_runs_on_relatives_of_vit(backbone: str) -> None:
    kwargs = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2}
    network = _vit("tscam", backbone=backbone, kwargs=kwargs)
    assert network(torch.rand(1, 3, 32, 32)).attention.shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("backbone", "kwargs", "reason"),
    [
        ("resnet18", {}, "ResNet gives no class-token attention"),
        ("swin_tiny_patch4_window7_224", {}, "SwinTransformer gives no class-token attention"),
        ("cait_xxs24_224", {}, "Cait gives no class-token attention"),
        ("vit_tiny_patch16_224", {"class_token": False, "global_pool": "avg"}, "has no class token"),
    ],
)
def test_tscam_says_what_it_cannot_use(backbone: str, kwargs: dict[str, Any], reason: str) -> None:
    section = {"backbone": backbone, "kwargs": kwargs, "method": "tscam", "input_size": 64}
    assert reason in str(classifier.unsuitable(section))
    assert classifier.unsuitable({**section, "method": "cam"}) is None


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    batch = {"labels": torch.tensor([0, 1])}
    output = Output(logits=logits, features={})
    parts = _cam().loss(output, batch)
    assert parts["loss"].item() == pytest.approx((math.log(4) + math.log(2)) / 2)
    assert parts["cross_entropy"] is parts["loss"]
    weighted = _cam().loss(output, batch, torch.tensor([3.0, 1.0]))
    assert weighted["loss"].item() == pytest.approx((3 * math.log(4) + math.log(2)) / 4)


def test_loss_is_taken_in_single_precision() -> None:
    output = Output(logits=torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16), features={})
    assert _cam().loss(output, {"labels": torch.tensor([0])})["loss"].dtype == torch.float32
