import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn import functional

from fer_bench import registry
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.guidance import alignment_loss, au, none
from fer_bench.metrics import attention_cosine

# Two samples, one channel, 2x2: T of the first is (1, 2, 3, 4), of the second (1, 0, 0, 0).
FEATURES = {5: torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]], [[[1.0, 0.0], [0.0, 0.0]]]])}
MAPS = torch.tensor([[[0.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
BOTH = torch.tensor([True, True])
COS_FIRST, COS_SECOND = 4 / 30**0.5, 1 / 2**0.5


def random_batch(seed=0, batch=4, size=16, grid=8):
    generator = torch.Generator().manual_seed(seed)
    features = {4: torch.rand(batch, 6, grid * 2, grid * 2, generator=generator)}
    features[5] = torch.rand(batch, 6, grid, grid, generator=generator)
    return features, torch.rand(batch, size, size, generator=generator), torch.ones(batch, dtype=torch.bool)


def test_cosine_by_hand():
    assert alignment_loss(FEATURES, MAPS, BOTH, [5]).item() == pytest.approx(1 - (COS_FIRST + COS_SECOND) / 2)


def test_attention_is_the_mean_of_the_channels_asked_for():
    features = {5: torch.cat([FEATURES[5], 7 * MAPS[:, None]], dim=1)}
    assert alignment_loss(features, MAPS, BOTH, [5], attention="avg_half_right").item() == pytest.approx(0, abs=1e-6)
    left = alignment_loss(features, MAPS, BOTH, [5], attention="avg_half_left")
    assert left.item() == pytest.approx(1 - (COS_FIRST + COS_SECOND) / 2)
    mean = ((FEATURES[5][:, 0] + 7 * MAPS) / 2).flatten(1)
    expected = 1 - functional.cosine_similarity(mean, MAPS.flatten(1)).mean()
    assert alignment_loss(features, MAPS, BOTH, [5]).item() == pytest.approx(expected.item())


def test_layers_are_averaged_not_summed():
    features, maps, valid = random_batch()
    single = [alignment_loss(features, maps, valid, [layer]) for layer in (4, 5)]
    assert alignment_loss(features, maps, valid, [4, 5]).item() == pytest.approx(sum(single).item() / 2)
    assert alignment_loss(features, maps, valid, ["last"]).item() == single[1].item()


def test_std_cosine_by_hand():
    # (1, 2, 3, 4) standardised: deviations (-1.5, -0.5, 0.5, 1.5), sample deviation sqrt(5 / 3); the scale drops out.
    only_first = torch.tensor([True, False])
    value = alignment_loss(FEATURES, MAPS, only_first, [5], loss="std_cosine").item()
    assert value == pytest.approx(1 - 1.5 / 5**0.5, abs=1e-6)


def test_l1_and_l2_by_hand():
    # |T - A| of the first sample: 1, 2, 3, 3; of the second: 0, 0, 0, 1.
    assert alignment_loss(FEATURES, MAPS, BOTH, [5], loss="l1").item() == pytest.approx(10 / 8)
    assert alignment_loss(FEATURES, MAPS, BOTH, [5], loss="l2").item() == pytest.approx((1 + 4 + 9 + 9 + 1) / 8)


def test_kl_is_the_mean_bernoulli_divergence():
    attention = torch.tensor([[[[0.0, 0.0], [0.0, torch.log(torch.tensor(5.0))]]]])  # softmax: 1/8, 1/8, 1/8, 5/8
    target = torch.tensor([[[0.5, 0.0], [0.0, 1.0]]])
    inside, outside = torch.tensor([1 / 8, 1 / 8, 1 / 8, 5 / 8]), torch.tensor([7 / 8, 7 / 8, 7 / 8, 3 / 8])
    half = 0.5 * (torch.log(0.5 / inside[0]) + torch.log(0.5 / outside[0]))
    expected = (half - torch.log(outside[1]) - torch.log(outside[2]) - torch.log(inside[3])) / 4
    found = alignment_loss({5: attention}, target, torch.tensor([True]), [5], loss="kl")
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_softmax_normalisation_comes_before_the_loss():
    features, maps, valid = random_batch()
    attention = features[5].mean(1).flatten(1).softmax(1).view(4, 1, 8, 8)
    expected = alignment_loss({5: attention}, maps, valid, [5], loss="l1")
    found = alignment_loss(features, maps, valid, [5], loss="l1", normalise="softmax")
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(("how", "corners"), [("paper", True), ("halfpixel", False)])
def test_map_is_brought_to_the_grid_by_the_operator_named(how, corners):
    features, maps, valid = random_batch(size=56)
    resized = functional.interpolate(maps[:, None], (8, 8), mode="bilinear", align_corners=corners, antialias=True)
    expected = (features[5].mean(1) - resized[:, 0]).abs().mean()
    found = alignment_loss(features, maps, valid, [5], loss="l1", resize=how)
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_scale_to_heatmap_resizes_the_attention_instead():
    features, maps, valid = random_batch()
    found = alignment_loss(features, maps, valid, [5], resize="halfpixel", scale_to="heatmap")
    score = attention_cosine(features[5], maps, resize="halfpixel")
    assert found.item() == pytest.approx(1 - score.mean().item(), abs=1e-6)


@pytest.mark.parametrize("shift", [False, True])
def test_loss_and_score_agree_where_no_resize_is_needed(shift):
    features = {5: torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(1))}
    maps = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    loss = alignment_loss(features, maps, torch.ones(3, dtype=torch.bool), [5], resize="halfpixel", shift=shift)
    score = attention_cosine(features[5], maps, resize="halfpixel", shift=shift)
    assert loss.item() == pytest.approx(1 - score.mean().item(), abs=1e-6)


@pytest.mark.parametrize("rubbish", [0.0, float("inf"), float("nan")])
def test_invalid_samples_change_neither_value_nor_gradient(rubbish):
    features, maps, valid = random_batch()
    source = features[5].clone().requires_grad_()
    expected = alignment_loss({5: features[5][:3]}, maps[:3], valid[:3], [5])
    spoilt = maps.clone()
    spoilt[3] = rubbish
    found = alignment_loss({5: source}, spoilt, torch.tensor([True, True, True, False]), [5])
    found.backward()
    assert found.item() == pytest.approx(expected.item())
    assert source.grad[3].abs().max() == 0
    assert source.grad[:3].abs().max() > 0


def test_an_infinite_pixel_makes_a_map_invalid():
    features, maps, valid = random_batch()
    spoilt = maps.clone()
    spoilt[0, 3, 3] = torch.inf
    expected = alignment_loss(features, maps, torch.tensor([False, True, True, True]), [5])
    assert alignment_loss(features, spoilt, valid, [5]).item() == expected.item()


@pytest.mark.parametrize("loss", ["cosine", "std_cosine", "l1", "l2", "kl"])
def test_nothing_valid_gives_zero_with_a_graph(loss):
    features, maps, valid = random_batch()
    source = features[5].requires_grad_()
    term = alignment_loss({5: source}, maps, ~valid, [5], loss=loss)
    term.backward()
    assert term.item() == 0
    assert source.grad.abs().max() == 0


@pytest.mark.parametrize("loss", ["cosine", "std_cosine", "l1", "l2", "kl"])
def test_dead_attention_has_a_finite_gradient(loss):
    source = torch.zeros(2, 3, 8, 8, requires_grad=True)
    alignment_loss({5: source}, torch.rand(2, 8, 8), BOTH, [5], loss=loss).backward()
    assert torch.isfinite(source.grad).all()


@pytest.mark.parametrize("loss", ["cosine", "std_cosine", "l1", "l2", "kl"])
@pytest.mark.parametrize("scale_to", ["attention", "heatmap"])
def test_gradient_against_finite_differences(loss, scale_to):
    source = torch.rand(2, 2, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    maps = torch.rand(2, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))

    def term(features):
        return alignment_loss({5: features}, maps, BOTH, [5], loss=loss, scale_to=scale_to)

    assert torch.autograd.gradcheck(term, source)


def test_float32_under_autocast():
    features, maps, valid = random_batch()
    half = {5: features[5].bfloat16()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = alignment_loss(half, maps, valid, [5])
    expected = alignment_loss({5: half[5].float()}, maps, valid, [5])
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100), how=st.sampled_from(["paper", "halfpixel"]))
def test_cosine_ignores_the_scale_of_attention_and_stays_in_range(seed, scale, how):
    features, maps, valid = random_batch(seed, batch=2)
    value = alignment_loss(features, maps, valid, [4, 5], resize=how).item()
    scaled = {layer: scale * found for layer, found in features.items()}
    assert 0 <= value <= 1
    assert alignment_loss(scaled, maps, valid, [4, 5], resize=how).item() == pytest.approx(value, abs=1e-5)


def test_learning_the_target_makes_the_loss_vanish():
    _, maps, valid = random_batch()
    assert alignment_loss({5: maps[:, None]}, maps, valid, [5]).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "cosin"}, "cosine"),
        ({"attention": "mean"}, "avg"),
        ({"normalise": "norm"}, "softmax"),
        ({"scale_to": "image"}, "heatmap"),
        ({"resize": "bicubic"}, "halfpixel"),
    ],
)
def test_unknown_options_name_what_would_work(options, message):
    features, maps, valid = random_batch()
    with pytest.raises(InputError, match=message):
        alignment_loss(features, maps, valid, [5], **options)


@pytest.mark.parametrize("layers", [[], [3]])
def test_layers_that_do_not_exist_are_refused(layers):
    features, maps, valid = random_batch()
    with pytest.raises(InputError, match="layer"):
        alignment_loss(features, maps, valid, layers)


def output_of(features):
    return Output(torch.zeros(len(next(iter(features.values()))), 7), features)


def test_au_guidance_is_the_weighted_term_under_the_protocol():
    features, maps, valid = random_batch()
    guidance = au.Guidance(au.Settings(weight=9.0, layers=(4, "last")), resize="paper")
    expected = 9 * alignment_loss(features, maps, valid, [4, 5], resize="paper")
    assert guidance.loss(output_of(features), maps, valid).item() == pytest.approx(expected.item())


def test_a_section_overrides_the_resize_of_the_protocol():
    features, maps, valid = random_batch()
    guidance = au.Guidance(au.Settings(weight=1.0, resize="halfpixel"), resize="paper")
    expected = alignment_loss(features, maps, valid, ["last"], resize="halfpixel")
    assert guidance.loss(output_of(features), maps, valid).item() == expected.item()


def test_au_guidance_wants_the_map_of_the_true_expression():
    guidance = au.Guidance(au.Settings())
    assert [guidance.wanted(label) for label in (1, 6)] == ["happiness", "sadness"]


def test_a_codebook_other_than_the_variants_own_gives_its_units():
    printed = au.Guidance(au.Settings(codebook="printed"))
    assert printed.wanted(5) == {9, 10, 16, 17, 25, 26}
    assert not printed.wanted(0)
    assert 22 in au.Guidance(au.Settings(variant="facs", codebook="cited")).wanted(4)
    with pytest.raises(ValidationError, match="AU22"):
        au.Settings(variant="paper", codebook="cited")


def test_no_guidance_adds_nothing():
    features, maps, valid = random_batch()
    guidance = none.Guidance(none.Settings())
    assert guidance.loss(output_of(features), maps, valid).item() == 0
    assert guidance.wanted(1) is None
    assert not guidance.needs_maps


@pytest.mark.parametrize("section", [{"lambda": 4}, {"loss": "mse"}, {"layers": []}, {"layers": [6]}, {"weight": -1.0}])
def test_settings_refuse_what_they_do_not_know(section):
    with pytest.raises(ValidationError):
        au.Settings.model_validate_json(json.dumps(section))


@pytest.mark.parametrize("name", registry.names("guidance"))
def test_every_guidance_keeps_the_contract(name):
    features, maps, valid = random_batch()
    guidance = registry.plugin("guidance", name)(registry.settings("guidance", name)())
    term = guidance.loss(output_of(features), maps, valid)
    assert term.shape == ()
    assert torch.isfinite(term)
    assert isinstance(guidance.needs_maps, bool)
    assert guidance.needs_maps == any(guidance.wanted(label) for label in range(7))
