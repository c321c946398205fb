"""APViT: token choice and pooling by hand, attention against other implementations, published names and numbers."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from timm.models.vision_transformer import Block as TimmBlock
from torch import nn

from fer_bench import classifier, registry
from fer_bench.classifier import Classifier
from fer_bench.errors import InputError
from fer_bench.explainers import explain_all, supported
from fer_bench.methods._attentive_pooling import Attention, Block, keep_largest, kept_count
from fer_bench.methods.apvit import Method, Settings, published_names
from fer_bench.validation import validate

SMALL: dict[str, Any] = {"dim": 24, "depth": 4, "heads": 3, "keep_tokens": 52, "pooled_blocks": [3, 4]}
SECTION: dict[str, Any] = {
    "backbone": "ir50",
    "kwargs": {"channels": [8, 16, 24], "depths": [1, 1, 2]},
    "method": "apvit",
    "method_kwargs": SMALL,
    "input_size": 64,
}


def _settings(**options: Any) -> Settings:
    return validate(Settings, options, "method_kwargs")


def _method(map_size: tuple[int, int] = (2, 2), channels: int = 4, seed: int = 0, **options: Any) -> Method:
    torch.manual_seed(seed)
    sizes = {"dim": 8, "depth": 2, "heads": 2, "pooled_blocks": [2]}
    method = Method(channels, 7, _settings(**(sizes | options)), map_size).eval()
    nn.init.normal_(method.head.weight)  # the published zeros hide everything before them
    return method


@contextmanager
def _token_counts(method: Method) -> Iterator[list[int]]:
    """Collect what comes out of each block: patch tokens, the class token not counted."""
    counts: list[int] = []
    handles = [
        block.register_forward_hook(lambda _module, _inputs, tokens: counts.append(tokens.shape[1] - 1))
        for block in method.blocks
    ]
    yield counts
    for handle in handles:
        handle.remove()


# --- numbers of the published network


def _formula_weights(network: Classifier) -> None:
    """Fill every parameter and statistic with numbers that need no random generator, by order of published name."""
    state = network.state_dict()
    ours = {theirs: name for name, theirs in published_names(state).items()}
    for index, theirs in enumerate(sorted(ours)):
        value = state[ours[theirs]]
        if value.is_floating_point():
            steps = torch.arange(value.numel(), dtype=torch.float64)
            wave = torch.sin(0.37 * steps * steps + index).reshape(value.shape)
            if value.ndim > 1 and value.shape[0] > 1:
                value.copy_(wave * math.sqrt(4 / value[0].numel()))
            else:
                value.copy_(1 + wave / 2 if theirs.endswith(("running_var", ".weight")) else wave / 2)


def test_outputs_are_those_of_the_published_code() -> None:
    """The expected numbers were computed once with the published code (arXiv 2402.00281), made this small."""
    network = classifier.build(SECTION).eval()
    with torch.no_grad():
        _formula_weights(network)
        rows, columns = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
        image = torch.stack([columns, rows, torch.sin(9 * columns) * torch.cos(7 * rows) / 2 + 0.5])[None]
        output = network(image)
    features, weights = output.features[5], output.extra["token_weights"]
    assert features.mean().item() == pytest.approx(-0.9940, abs=1e-3)
    assert features.std().item() == pytest.approx(86.7987, abs=1e-3)
    assert weights.flatten()[[0, 27, 63]].tolist() == pytest.approx([1296.8456, 2923.3259, 2106.9751], abs=1e-1)
    expected = [-0.8951, 2.3081, 0.1220, -0.2282, 2.9858, 0.5901, 0.8626]
    assert output.logits[0].tolist() == pytest.approx(expected, abs=1e-3)


@pytest.fixture(scope="module")
def published() -> Classifier:
    """The network of the paper, without values."""
    with torch.device("meta"):
        return classifier.build({"backbone": "ir50", "method": "apvit", "input_size": 112})


def test_names_and_shapes_are_those_of_the_released_checkpoints(published: Classifier) -> None:
    state = published.state_dict()
    names = published_names(state)
    assert set(state) - set(names) == {"mean", "std"}
    shapes = {theirs: tuple(state[ours].shape) for ours, theirs in names.items()}
    assert len(shapes) == len(names)
    extractor = {name for name in shapes if name.startswith("extractor.")}
    assert extractor == {f"extractor.{name}" for name in published.backbone.net.state_dict()}
    expected: dict[str, tuple[int, ...]] = {
        "vit.projs.0.weight": (768, 256, 1, 1),
        "vit.projs.0.bias": (768,),
        "vit.cls_token": (1, 1, 768),
        "vit.cls_pos_embed": (1, 1, 768),
        "vit.patch_pos_embed": (1, 196, 768),
        "vit.norm.weight": (768,),
        "vit.norm.bias": (768,),
        "classification_head.fc.weight": (7, 768),
        "classification_head.fc.bias": (7,),
    }
    for block in (f"vit.blocks.{number}." for number in range(8)):
        expected |= {f"{block}{norm}.{part}": (768,) for norm in ("norm1", "norm2") for part in ("weight", "bias")}
        expected |= {f"{block}attn.qkv.weight": (2304, 768), f"{block}attn.proj.weight": (768, 768)}
        expected |= {f"{block}mlp.fc1.weight": (2304, 768), f"{block}mlp.fc2.weight": (768, 2304)}
        expected |= {f"{block}attn.proj.bias": (768,), f"{block}mlp.fc1.bias": (2304,), f"{block}mlp.fc2.bias": (768,)}
    assert {name: shape for name, shape in shapes.items() if name not in extractor} == expected


def test_number_of_parameters_by_hand(published: Classifier) -> None:
    dim, hidden = 768, 2304
    block = 2 * 2 * dim + 3 * dim * dim + dim * dim + dim + dim * hidden + hidden + hidden * dim + dim
    head = 256 * dim + dim + 2 * dim + 196 * dim + 8 * block + 2 * dim + 7 * dim + 7
    assert head == 47_597_575
    assert sum(value.numel() for value in published.method.parameters()) == head
    assert published.describe()["parameters"] == 17_611_968 + head


def test_an_unknown_name_has_no_published_one() -> None:
    with pytest.raises(InputError, match=r"'method\.cls' is no parameter of an APViT classifier"):
        published_names(["method.cls"])


def test_token_counts_of_the_published_network() -> None:
    method = Method(4, 7, _settings(dim=8, heads=2)).eval()
    with _token_counts(method) as counts, torch.no_grad():
        method.score(torch.randn(2, 4, 14, 14))
    assert method.kept == 160
    assert counts == [160, 160, 160, 160, 144, 129, 116, 104]


# --- which tokens are kept


def test_the_largest_tokens_are_kept_in_their_order() -> None:
    tokens = torch.arange(10.0).reshape(1, 5, 2)
    kept = keep_largest(tokens, torch.tensor([[3.0, 9.0, 1.0, 5.0, 7.0]]), 3)
    assert kept.tolist() == [[[2.0, 3.0], [6.0, 7.0], [8.0, 9.0]]]
    assert keep_largest(tokens, torch.zeros(1, 5), 5) is tokens


def test_of_equal_weights_the_earlier_token_is_kept() -> None:
    tokens = torch.arange(200.0).reshape(1, 200, 1)
    assert keep_largest(tokens, torch.ones(1, 200), 160).flatten().tolist() == list(range(160))


def test_every_image_keeps_its_own_tokens() -> None:
    tokens = torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    assert keep_largest(tokens, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 1).tolist() == [[[1.0]], [[4.0]]]


def test_token_choice_on_a_2x2_map_by_hand() -> None:
    method = _method(channels=1, dim=2, heads=1, keep_tokens=2)
    with torch.no_grad():
        method.projection.weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
        method.projection.bias.copy_(torch.tensor([0.0, 1.0]))
        method.class_token.copy_(torch.tensor([[[5.0, 6.0]]]))
        method.class_position.copy_(torch.tensor([[[0.5, 0.5]]]))
        method.patch_positions.copy_(torch.tensor([[[0.0, 90.0], [0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]]))
    entering: list[torch.Tensor] = []
    method.blocks[0].register_forward_pre_hook(lambda _module, inputs: entering.append(inputs[0]))
    output = method({5: torch.tensor([[[[0.5, -3.0], [2.0, -1.0]]]])})
    # tokens (x, 1 - 2x): (0.5, 0), (-3, 7), (2, -3), (-1, 3); the weights know nothing of the position embeddings
    assert output.extra["token_weights"].tolist() == [[[0.5, 10.0], [5.0, 4.0]]]
    expected = [[5.5, 6.5], [-2.9, 7.1], [2.2, -2.8]]
    torch.testing.assert_close(entering[0], torch.tensor([expected]))


def test_a_forward_on_a_2x2_map_by_hand() -> None:
    """Two tokens of two channels; the block adds half of what it attends to, the MLP nothing."""
    method = Method(1, 2, _settings(dim=2, depth=1, heads=1, mlp_ratio=1, keep_tokens=2, pooled_blocks=[]), (2, 2))
    with torch.no_grad():
        for parameter in method.parameters():
            parameter.zero_()
        method.projection.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        block = method.blocks[0]
        block.norm1.weight.fill_(1.0)
        block.attn.qkv.weight[4:].copy_(torch.eye(2))  # queries and keys are zero: all tokens attend alike
        block.attn.proj.weight.copy_(torch.eye(2))
        block.attn.proj.bias.copy_(torch.tensor([0.25, 0.25]))
        method.class_token.copy_(torch.tensor([[[1.0, 3.0]]]))
        method.norm.weight.copy_(torch.tensor([2.0, 1.0]))
        method.norm.bias.copy_(torch.tensor([0.5, 0.0]))
        method.head.weight.copy_(torch.tensor([[1.0, 1.0], [0.0, -1.0]]))
        method.head.bias.copy_(torch.tensor([0.0, 10.0]))
    logits, weights = method._classify(torch.tensor([[[[2.0, 0.0], [-1.0, 4.0]]]]))
    assert weights.tolist() == [[[4.0, 0.0], [2.0, 8.0]]]
    # kept: (2, -2) and (4, -4), normed (1, -1) both; the class token (1, 3) normed (-1, 1); their mean (1/3, -1/3).
    # The class token becomes (1 + 1/3 + 1/4, 3 - 1/3 + 1/4), normed (-1, 1), then (-1.5, 1): logits -0.5 and 9.
    assert logits[0].tolist() == pytest.approx([-0.5, 9.0], abs=1e-4)


@pytest.mark.parametrize(("tokens", "kept"), [(196, 160), (64, 52), (49, 40), (16, 13), (2, 1), (1, 1)])
def test_the_published_share_of_another_map(tokens: int, kept: int) -> None:
    assert Settings().kept(tokens) == kept


def test_a_given_number_of_tokens_is_taken_as_it_is() -> None:
    assert Settings(keep_tokens=60).kept(64) == 60
    assert Settings(keep_tokens=64).kept(64) == 64


@pytest.mark.parametrize(
    ("tokens", "fraction", "kept"), [(160, 0.9, 144), (129, 0.9, 116), (100, 0.57, 57), (1, 0.1, 1)]
)
def test_kept_count_is_the_whole_part(tokens: int, fraction: float, kept: int) -> None:
    assert kept_count(tokens, fraction) == kept


# --- a block


def test_attention_is_torchs_multi_head_attention() -> None:
    torch.manual_seed(0)
    ours, theirs = Attention(12, 3), nn.MultiheadAttention(12, 3, bias=False, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.out_proj.weight.copy_(ours.proj.weight)
        tokens = torch.randn(2, 5, 12)
        expected = theirs(tokens, tokens, tokens, need_weights=False)[0] + ours.proj.bias
        torch.testing.assert_close(ours(tokens)[0], expected)


def test_attention_is_scaled_dot_product_attention_of_each_head() -> None:
    torch.manual_seed(0)
    attention, tokens = Attention(12, 3), torch.randn(2, 5, 12)
    with torch.no_grad():
        query, key, value = attention.qkv(tokens).chunk(3, dim=2)
        heads = [slice(4 * number, 4 * number + 4) for number in range(3)]
        scores = torch.stack([query[..., h] @ key[..., h].mT / 2.0 for h in heads])  # sqrt of 4 channels a head
        mixed = [row.softmax(2) @ value[..., h] for row, h in zip(scores, heads, strict=True)]
        dotted = [nn.functional.scaled_dot_product_attention(query[..., h], key[..., h], value[..., h]) for h in heads]
        torch.testing.assert_close(torch.cat(mixed, 2), torch.cat(dotted, 2))
        attended, class_scores = attention(tokens)
        torch.testing.assert_close(attended, attention.proj(torch.cat(mixed, 2)))
        torch.testing.assert_close(class_scores, scores[:, :, 0].sum(0))  # before the soft-max, summed over heads


def test_a_block_that_drops_nothing_is_timms_block() -> None:
    torch.manual_seed(0)
    ours = Block(24, 3, 72, 1.0)
    theirs = TimmBlock(24, 3, mlp_ratio=3, norm_layer=partial(nn.LayerNorm, eps=1e-6))
    theirs.load_state_dict(ours.state_dict(), strict=True)
    tokens = torch.randn(2, 7, 24)
    torch.testing.assert_close(ours(tokens), theirs(tokens))


def _one_head_block(keep_fraction: float) -> Block:
    """A block of two channels whose queries are the class token's and whose keys are the tokens themselves."""
    block = Block(2, 1, 4, keep_fraction)
    with torch.no_grad():
        block.attn.qkv.weight.copy_(torch.cat([torch.eye(2), torch.eye(2), torch.zeros(2, 2)]))
        for parameter in (*block.attn.proj.parameters(), *block.mlp.parameters()):
            parameter.zero_()
    block.norm1 = nn.Identity()  # type: ignore[assignment]
    return block


def test_tokens_are_ranked_by_the_class_tokens_scores() -> None:
    block = _one_head_block(0.5)
    class_token, patches = [1.0, -1.0], [[0.0, 3.0], [5.0, 1.0], [1.0, 2.0], [4.0, 2.0]]
    # products with the class token: -3, 4, -1, 2; the largest half stays, the negative scores are no large ones
    assert block(torch.tensor([[class_token, *patches]])).tolist() == [[class_token, patches[1], patches[3]]]


def test_the_class_token_stays_whatever_its_score() -> None:
    block = _one_head_block(0.5)
    tokens = torch.tensor([[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]])  # all scores equal: the earlier patch stays
    assert block(tokens).tolist() == [[[0.0, 0.0], [1.0, 1.0]]]


def test_pooling_comes_after_the_attentions_residual_and_before_the_mlp() -> None:
    torch.manual_seed(0)
    block, tokens = Block(8, 2, 24, 0.5).eval(), torch.randn(1, 5, 8)
    seen: list[int] = []
    block.mlp.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].shape[1]))
    with torch.no_grad():
        result = block(tokens)
        attended, scores = block.attn(block.norm1(tokens))
        best = [0, *sorted(1 + index for index in scores[0, 1:].topk(2).indices.tolist())]
        middle = (tokens + attended)[:, best]  # every token was attended to, also those that go now
        torch.testing.assert_close(result, middle + block.mlp(block.norm2(middle)))
    assert seen == [3, 3]


def test_pooling_does_not_depend_on_the_batch() -> None:
    """Published code leaves the pooling out when there are as many images as tokens, here 5."""
    method, features = _method(keep_tokens=4, keep_fraction=0.5), torch.randn(5, 4, 2, 2)
    with _token_counts(method) as counts, torch.no_grad():
        together = method.score(features)[0]
    assert counts == [4, 2]
    with torch.no_grad():
        alone = torch.cat([method.score(features[i : i + 1])[0] for i in range(5)])
    torch.testing.assert_close(together, alone)


# --- the head


def test_initial_values() -> None:
    torch.manual_seed(0)
    method = Method(64, 7, Settings())
    assert not method.head.weight.any() and not method.head.bias.any()
    assert not method.class_position.any()
    for values in (method.patch_positions, method.class_token, method.blocks[7].mlp.fc2.weight):
        assert values.std().item() == pytest.approx(0.02, rel=0.08)
    assert not method.blocks[0].attn.proj.bias.any()
    assert method.blocks[0].attn.qkv.bias is None
    assert 0 < method.projection.weight.abs().max() <= 1 / 8  # torch's own: 1 / sqrt(fan-in)


def test_a_narrow_network_starts_with_layers_of_the_published_gain() -> None:
    torch.manual_seed(0)
    method = Method(64, 7, _settings(dim=48, heads=4))
    assert method.blocks[0].attn.qkv.weight.std().item() == pytest.approx(0.02 * 4, rel=0.05)  # sqrt of 768 / 48
    assert method.patch_positions.std().item() == pytest.approx(0.02, rel=0.05)


def test_dropped_positions_have_no_gradient_and_all_parameters_have_one() -> None:
    method = _method((4, 4), keep_tokens=10)
    last = torch.randn(2, 4, 4, 4, requires_grad=True)
    output = method({5: last})
    output.logits.square().sum().backward()
    assert last.grad is not None
    kept = torch.zeros(2, 16).scatter(1, output.extra["token_weights"].flatten(1).topk(10).indices, 1.0)
    assert torch.equal((last.grad.abs().sum(1).flatten(1) > 0).float(), kept)
    assert all(value.grad is not None and value.grad.any() for value in method.parameters())


def test_same_seed_same_network_and_same_images_same_logits() -> None:
    last = torch.randn(3, 4, 2, 2)
    first, again, other = _method(seed=1), _method(seed=1), _method(seed=2)
    assert torch.equal(first.score(last)[0], again.score(last)[0])
    assert not torch.equal(first.score(last)[0], other.score(last)[0])
    torch.testing.assert_close(first.score(last.flip(0))[0], first.score(last)[0].flip(0))


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="built for maps of 2x2, given 3x2"):
        _method().score(torch.zeros(1, 4, 3, 2))


def test_mixed_precision_trains() -> None:
    method = _method((4, 4)).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = method({5: torch.randn(4, 4, 4, 4)})
    assert output.extra["token_weights"].dtype == torch.float32
    loss = method.loss(output, {"labels": torch.zeros(4, dtype=torch.long)})["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(value.grad is not None for value in method.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 10, "heads": 4}, "dim 10 cannot be divided among 4 heads"),
        ({"depth": 4}, "pooled_blocks names block 5; there are blocks 1 to 4"),
        ({"depth": 4, "pooled_blocks": [0]}, "pooled_blocks names block 0"),
        ({"keep_fraction": 0.0}, r"keep_fraction: given 0\.0"),
        ({"keep_tokens": 0}, "keep_tokens: given 0"),
    ],
)
def test_settings_that_contradict_themselves(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _settings(**options)


# --- with a backbone


def _small(**changes: Any) -> Classifier:
    torch.manual_seed(0)
    network = classifier.build({**SECTION, **changes}).eval()
    nn.init.normal_(network.method.head.weight)
    return network


def test_more_tokens_than_the_map_has_are_refused() -> None:
    section = {**SECTION, "method_kwargs": {**SMALL, "keep_tokens": 160}}
    reason = "APViT cannot run on ir50: its last map is 8x8, 64 tokens, fewer than keep_tokens 160"
    assert str(classifier.unsuitable(section)).startswith(reason)
    with pytest.raises(InputError, match=reason):
        classifier.build(section)
    assert classifier.unsuitable(SECTION) is None


def test_a_map_of_one_position_is_refused() -> None:
    backbone = SimpleNamespace(name="x", channels={5: 8}, map_sizes={5: (1, 1)}, attention_problem=lambda: None)
    assert "there is nothing to choose from" in str(Method.unsuitable(backbone, Settings()))


def test_a_transformers_patches_are_tokens_too() -> None:
    kwargs = {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2}
    network = _small(
        backbone="deit_tiny_patch16_224", kwargs=kwargs, input_size=48, method_kwargs={**SMALL, "keep_tokens": None}
    )
    assert network.method.map_size == (6, 6)
    assert network.method.kept == 36 * 160 // 196
    assert network(torch.rand(2, 3, 48, 48)).logits.shape == (2, 7)


def test_saving_and_loading_gives_the_same_network(tmp_path: Path) -> None:
    network, images = _small(), torch.rand(2, 3, 64, 64)
    classifier.save(network, tmp_path)
    loaded = classifier.load_folder(tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded(images).logits, network(images).logits)


def test_gradient_explainers_read_it_and_class_maps_are_missing() -> None:
    network, images = _small(), torch.rand(2, 3, 64, 64)
    reasons = supported(network, registry.names("explainers"))
    readable = [name for name in ("gradcam", "gradcampp", "layercam", "token_weights") if not reasons[name]]
    assert readable == ["gradcam", "gradcampp", "layercam", "token_weights"]
    assert "class maps" in reasons["cam"]
    assert "attention" in reasons["tscam"]
    maps, output = explain_all(network, images, torch.tensor([[0, 3], [1, 2]]), readable)
    torch.testing.assert_close(network.logits_from_features(output.features[5]), output.logits)
    for name in readable:
        assert maps[name].shape == (2, 2, 8, 8)
        assert maps[name].amax((2, 3)).eq(1).all(), f"{name} shows something"
    assert not torch.equal(maps["layercam"][:, 0], maps["layercam"][:, 1])


def test_token_weights_are_the_same_for_every_class() -> None:
    network, images = _small(), torch.rand(2, 3, 64, 64)
    maps, output = explain_all(network, images, torch.tensor([[0, 3], [1, 2]]), ["token_weights"], raw=True)
    assert torch.equal(maps["token_weights"][:, 0], maps["token_weights"][:, 1])
    with torch.no_grad():
        expected = network.method.projection(output.features[5]).abs().sum(1)
    torch.testing.assert_close(maps["token_weights"][:, 0], expected)


def test_committed_models(raw_params: dict[str, Any]) -> None:
    models = raw_params["models"]
    assert classifier.unsuitable(models["apvit"]) is None
    assert classifier.map_sizes(models["apvit"])[5] == (14, 14)
    assert validate(Settings, models["apvit"]["method_kwargs"], "").kept(196) == 160
    network = classifier.build(models["apvit_narrow"]).eval()
    with _token_counts(network.method) as counts, torch.no_grad():
        network(torch.rand(1, 3, 64, 64))
    assert network.method.map_size == (8, 8)
    assert counts == [52, 52, 46, 41]
