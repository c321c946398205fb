"""Attention rollout and LeGrad against attention recomputed from queries and keys, and where they are refused."""

import math

import pytest
import torch

from fer_bench import classifier
from fer_bench.errors import InputError
from fer_bench.explainers import explain, explain_all, supported

KWARGS = {"patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2}
CLASSES = torch.tensor([1, 4])
# layer 5 of 32x32 images is 4x4 everywhere below
VARIANTS = {
    "tscam": {"backbone": "deit_tiny_patch16_224", "kwargs": KWARGS, "method": "tscam"},
    "cam": {"backbone": "deit_tiny_patch16_224", "kwargs": KWARGS},
    "distilled": {"backbone": "deit_tiny_distilled_patch16_224", "kwargs": KWARGS, "method": "tscam"},
    "no class token": {
        "backbone": "vit_tiny_patch16_224",
        "kwargs": {**KWARGS, "class_token": False, "global_pool": "avg"},
    },
}


def build(section, seed=0):
    """A small transformer whose attention is far from uniform and whose norms are not the identity."""
    torch.manual_seed(seed)
    network = classifier.build({"input_size": 32, **section}).eval()
    for name, parameter in network.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.5)
        elif "qkv.weight" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return network


@pytest.fixture(scope="module", params=VARIANTS)
def network(request):
    return build(VARIANTS[request.param])


@pytest.fixture
def images():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def embedded(network, images):
    """Tokens (B, N, C) before the first block."""
    net = network.backbone.net
    return net.norm_pre(net._pos_embed(net.patch_embed(network.normalise(images))))


def soft_max(block, tokens):
    """Attention matrices (B, heads, N, N) and values (B, heads, N, d) of a block."""
    attention = block.attn
    qkv = attention.qkv(block.norm1(tokens)).unflatten(-1, (3, attention.num_heads, attention.head_dim))
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    return (query @ key.mT / math.sqrt(attention.head_dim)).softmax(-1), value


def after_block(block, tokens, matrices, values):
    """What a pre-norm block makes of its tokens with given attention matrices."""
    tokens = tokens + block.attn.proj((matrices @ values).transpose(1, 2).flatten(2))
    return tokens + block.mlp(block.norm2(tokens))


def logits_after(network, tokens):
    """What the head says of tokens after any block: patches after the final norms, laid out as 4x4."""
    net = network.backbone.net
    patches = net.norm(tokens)[:, -16:]
    patches = net.fc_norm(patches) if isinstance(net.fc_norm, torch.nn.LayerNorm) else patches
    return network.logits_from_features(patches.transpose(1, 2).unflatten(2, (4, 4)))


def test_the_reference_of_these_tests_is_the_network(network, images):
    with torch.no_grad():
        tokens = embedded(network, images)
        for block in network.backbone.net.blocks:
            tokens = after_block(block, tokens, *soft_max(block, tokens))
        torch.testing.assert_close(logits_after(network, tokens), network(images).logits)


def test_rollout_is_the_product_of_attention_and_identity(network, images):
    with torch.no_grad():
        tokens = embedded(network, images)
        total = torch.eye(tokens.shape[1], dtype=torch.float64).expand(2, -1, -1)
        for block in network.backbone.net.blocks:
            matrices, values = soft_max(block, tokens)
            total = (0.5 * matrices.mean(1).double() + 0.5 * torch.eye(tokens.shape[1])) @ total
            tokens = after_block(block, tokens, matrices, values)
    torch.testing.assert_close(total.sum(-1), torch.ones_like(total[:, 0]))
    # TS-CAM reads the class token's attention, CAM averages the patches.
    rows = total[:, 0] if network.method.needs_attention else total[:, -16:].mean(1)
    found = explain(network, images, CLASSES, "rollout", raw=True)
    torch.testing.assert_close(found.double(), rows[:, -16:].reshape(2, 4, 4), rtol=1e-4, atol=1e-7)
    assert found.flatten(1).std(dim=1).min() > 1e-4  # not flat


def legrad_by_hand(network, images, classes):
    """Every block by itself: its logits as a function of its own matrices, gradient by autograd."""
    tokens, maps = embedded(network, images).detach(), []
    for block in network.backbone.net.blocks:
        matrices, values = soft_max(block, tokens)
        matrices = matrices.detach().requires_grad_()
        output = after_block(block, tokens, matrices, values.detach())
        score = logits_after(network, output)[torch.arange(len(images)), classes].sum()
        gradient = torch.autograd.grad(score, matrices)[0]
        maps.append(gradient.clamp(min=0).mean(1).mean(1)[:, -16:])
        tokens = output.detach()
    return (sum(maps) / len(maps)).reshape(-1, 4, 4)


def test_legrad_is_the_positive_gradient_of_each_block(network, images):
    expected = legrad_by_hand(network, images, CLASSES)
    found = explain(network, images, CLASSES, "legrad", raw=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-8)
    assert found.flatten(1).std(dim=1).min() > 1e-5  # not flat
    other = explain(network, images, CLASSES.flip(0), "legrad", raw=True)
    assert torch.cosine_similarity(found.flatten(1), other.flatten(1)).max() < 0.9999


def test_legrad_by_finite_differences():
    """One block, one entry of its matrix at a time: what the logit gains is the gradient."""
    network = build({**VARIANTS["cam"], "kwargs": {**KWARGS, "depth": 1, "num_heads": 1}}).double()
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    block = network.backbone.net.blocks[0]
    with torch.no_grad():
        tokens = embedded(network, image)
        matrices, values = soft_max(block, tokens)
        steps = 1e-6 * torch.eye(17 * 17, dtype=torch.float64).reshape(-1, 1, 17, 17)
        up, down = (
            logits_after(network, after_block(block, tokens, matrices + sign * steps, values))[:, 4] for sign in (1, -1)
        )
    gradient = ((up - down) / 2e-6).reshape(17, 17)
    expected = gradient.clamp(min=0).mean(0)[1:].reshape(1, 4, 4)
    found = explain(network, image, torch.tensor([4]), "legrad", raw=True)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize(
    ("backbone", "kwargs", "size"),
    [
        ("beit_base_patch16_224", {"patch_size": 8, "depth": 2, "embed_dim": 48, "num_heads": 3}, 32),
        ("eva02_tiny_patch14_224", {"depth": 2}, 56),
        ("vit_small_patch14_reg4_dinov2", {"depth": 2}, 56),
    ],
)
@pytest.mark.parametrize("method", ["cam", "tscam"])
def test_other_families_with_readable_attention(backbone, kwargs, size, method):
    torch.manual_seed(0)
    section = {"backbone": backbone, "kwargs": kwargs, "method": method, "input_size": size}
    network = classifier.build(section).eval()
    images = torch.rand(2, 3, size, size)
    maps, output = explain_all(network, images, CLASSES[:, None], ["rollout", "legrad"], raw=True)
    assert all(found.shape == (2, 1, 4, 4) and found.min() >= 0 and found.max() > 0 for found in maps.values())
    # A share stays with the class token and the registers, the rest is on the patches.
    assert (maps["rollout"].sum((2, 3)) < 1).all()
    torch.testing.assert_close(output.logits, network(images).logits)


@pytest.mark.parametrize(
    ("backbone", "kwargs", "reason"),
    [
        ("resnet10t", {"channels": [4, 8, 8, 8], "output_stride": 8}, "ResNet gives no attention matrices"),
        ("xcit_nano_12_p16_224", {"depth": 2}, "Xcit gives no attention matrices"),
        ("cait_xxs24_224", {"depth": 2}, "Cait gives no attention matrices"),
        ("swin_tiny_patch4_window7_224", {"embed_dim": 24, "depths": [1, 1, 1, 1]}, "SwinTransformer gives no"),
        ("vit_tiny_patch16_224", {**KWARGS, "block_fn": "parallel"}, "ParallelThingsBlock of this VisionTransformer"),
    ],
)
def test_networks_without_readable_attention_are_refused_with_the_reason(backbone, kwargs, reason):
    if kwargs.get("block_fn"):
        from timm.models.vision_transformer import ParallelThingsBlock

        kwargs = {**kwargs, "block_fn": ParallelThingsBlock}
    network = plain(backbone, kwargs)
    reasons = supported(network, ["rollout", "legrad", "cam", "scorecam", "eigencam", "xgradcam"])
    assert reason in reasons["rollout"]
    assert reason in reasons["legrad"]
    assert not any(reasons[name] for name in ("cam", "scorecam", "eigencam", "xgradcam"))
    with pytest.raises(InputError, match=rf"rollout cannot be applied.*{reason}"):
        explain(network, torch.rand(1, 3, 32, 32), torch.tensor([0]), "rollout")


def plain(backbone, kwargs):
    """A classifier around a backbone that a section of params.yaml may not be able to write down."""
    from fer_bench.backbones import build as backbone_of
    from fer_bench.methods.cam import Method, Settings
    from fer_bench.model_settings import ModelSettings

    net = backbone_of(backbone, kwargs, input_size=32)
    section = ModelSettings(backbone=backbone, input_size=32)
    return classifier.Classifier(section, net, Method(net.channels[5], 7, Settings()), net.layers)


def test_rollout_needs_a_token_to_start_from(images):
    network = build(VARIANTS["cam"])
    network.method.__class__ = type("Hidden", (type(network.method),), {"head_weight": None})
    reasons = supported(network, ["rollout", "legrad"])
    assert "no token to start from" in reasons["rollout"]
    assert reasons["legrad"] == ""


def test_passes_are_shared_by_classes_where_the_map_is(images):
    network = build(VARIANTS["cam"])
    seen = []
    network.backbone.register_forward_pre_hook(lambda _module, inputs: seen.append(len(inputs[0])))
    two = torch.tensor([[0, 1], [2, 3]])
    for names, expected in ([["cam", "eigencam"], 1], [["rollout"], 2], [["legrad"], 3], [["rollout", "legrad"], 4]):
        seen.clear()
        explain_all(network, images, two, names)
        assert seen == expected * [2], names


def test_fused_attention_is_on_again_even_after_an_error(images, monkeypatch):
    network = build(VARIANTS["cam"])
    fused = [module for module in network.modules() if getattr(module, "fused_attn", False)]
    assert fused
    monkeypatch.setattr(network, "logits_from_features", lambda last: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explain(network, images, CLASSES, "legrad")
    assert all(module.fused_attn for module in fused)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
