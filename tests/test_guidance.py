import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn import functional

from fer_bench import registry
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.guidance import alignment_loss, attention_map, au, none
from fer_bench.guidance._losses import LOSSES, extended_log_barrier
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


@pytest.mark.parametrize(("q", "channels"), [(0.1, 1), (0.34, 2), (0.5, 3), (0.99, 5), (1.0, 6)])
def test_the_first_share_of_the_channels_by_hand(q, channels):
    features = random_batch()[0][5]  # six channels
    expected = features[:, :channels].mean(dim=1)
    assert torch.equal(attention_map(features, "avg_fixed_q", q=q), expected)


def drawn(features, p, seed=7):
    return attention_map(features, "random_avg", p=p, generator=torch.Generator().manual_seed(seed))


def test_random_channels_are_a_mean_of_those_kept():
    # Channel k holds 2**k, so the sum of any subset tells which channels were kept.
    features = (2.0 ** torch.arange(6)).view(1, 6, 1, 1).expand(400, 6, 2, 3)
    means = drawn(features, p=0.5)
    assert torch.equal(means, means[:, :1, :1].expand_as(means))  # one mask for all pixels of a sample
    subsets = [bits for bits in range(64) if bits] + [0]
    possible = torch.tensor([bits / max(bits.bit_count(), 1) for bits in subsets])
    assert torch.isclose(means[:, 0, 0, None], possible).any(dim=1).all()
    assert len(means[:, 0, 0].unique()) > 30  # samples have masks of their own


def test_no_channel_kept_gives_zero_and_all_kept_the_mean():
    features = random_batch()[0][5]
    torch.testing.assert_close(drawn(features, p=1.0), features.mean(dim=1))
    assert drawn(features, p=1e-9).abs().max() == 0  # a sum of nothing divided by 1
    assert torch.equal(attention_map(features, "random_avg", p=0.1), features.mean(dim=1))  # no source: nothing drawn


def test_random_channels_follow_their_own_source_alone():
    features = random_batch()[0][5]
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = drawn(features, p=0.5)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(drawn(features, p=0.5), first)
    assert not torch.equal(drawn(features, p=0.5, seed=8), first)


def test_share_of_kept_channels_is_p():
    features = torch.eye(200).view(1, 200, 1, 200).expand(50, 200, 1, 200)  # pixel k shows channel k alone
    kept = (drawn(features, p=0.3) > 0).float().mean()
    assert kept.item() == pytest.approx(0.3, abs=0.02)  # 10,000 coins: four deviations


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


@pytest.mark.parametrize(
    ("t", "value", "expected"),
    [
        (1.0, -0.3, 0.7),  # the tangent is value + 1
        (1.0, 0.5, 1.5),
        (2.0, -0.5, 0.34657359),  # ln(2) / 2
        (2.0, -0.25, 0.69314718),  # the joint: ln(4) / 2
        (2.0, -0.1, 0.99314718),  # 2 * -0.1 + ln(4) / 2 + 1 / 2
        (2.0, 0.0, 1.19314718),
        (10.0, -1.0, 0.0),
        (10.0, -0.5, 0.06931472),
    ],
)
def test_extended_log_barrier_by_hand(t, value, expected):
    assert extended_log_barrier(torch.tensor(value), t).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("t", [1.0, 1.01, 3.0, 10.0])
def test_extended_log_barrier_is_smooth_at_its_joint_and_grows(t):
    joint = -1 / t**2
    values = torch.tensor([joint - 1e-9, joint + 1e-9], dtype=torch.float64, requires_grad=True)
    penalties = extended_log_barrier(values, t)
    penalties.sum().backward()
    assert penalties[0].item() == pytest.approx(penalties[1].item(), abs=1e-7)
    assert values.grad.tolist() == pytest.approx([t, t], rel=1e-6)
    steps = extended_log_barrier(torch.linspace(-1, 1, 200, dtype=torch.float64), t).diff()
    assert (steps > 0).all()


def test_barrier_of_the_cosine_by_hand():
    # cosines 4 / sqrt(30) = 0.730 and 1 / sqrt(2) = 0.707, both beyond 1 / t**2 = 1 / 4
    found = alignment_loss(FEATURES, MAPS, BOTH, [5], loss="elb", steepness=2.0).item()
    assert found == pytest.approx(-(math.log(COS_FIRST) + math.log(COS_SECOND)) / 4, abs=1e-6)
    start = alignment_loss(FEATURES, MAPS, BOTH, [5], loss="elb").item()
    assert start == pytest.approx(1 - (COS_FIRST + COS_SECOND) / 2, abs=1e-6)


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


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_valid_gives_zero_with_a_graph(loss):
    features, maps, valid = random_batch()
    source = features[5].requires_grad_()
    term = alignment_loss({5: source}, maps, ~valid, [5], loss=loss)
    term.backward()
    assert term.item() == 0
    assert source.grad.abs().max() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_dead_attention_has_a_finite_gradient(loss):
    source = torch.zeros(2, 3, 8, 8, requires_grad=True)
    alignment_loss({5: source}, torch.rand(2, 8, 8), BOTH, [5], loss=loss).backward()
    assert torch.isfinite(source.grad).all()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale_to", ["attention", "heatmap"])
def test_gradient_against_finite_differences(loss, scale_to):
    source = torch.rand(2, 2, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    maps = torch.rand(2, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))

    def term(features):
        return alignment_loss({5: features}, maps, BOTH, [5], loss=loss, scale_to=scale_to, steepness=1.2)

    assert torch.autograd.gradcheck(term, source)


@pytest.mark.parametrize("options", [{"attention": "random_avg", "p": 0.5}, {"attention": "avg_fixed_q", "q": 0.5}])
def test_gradient_through_chosen_channels(options):
    source = torch.rand(2, 4, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3), requires_grad=True)
    maps = torch.rand(2, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(4))

    def term(features):
        generator = torch.Generator().manual_seed(5)
        return alignment_loss({5: features}, maps, BOTH, [5], **options, generator=generator)

    assert torch.autograd.gradcheck(term, source)
    term(source).backward()
    read = source.grad.abs().amax(dim=(2, 3)) > 0
    assert read.any() and not read.all()  # channels that are left out learn nothing


def test_barrier_has_a_finite_gradient_where_the_cosine_is_negative():
    source = (-torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))).requires_grad_()
    alignment_loss({5: source}, torch.rand(2, 8, 8), BOTH, [5], loss="elb", steepness=10.0).backward()
    assert torch.isfinite(source.grad).all() and source.grad.abs().max() > 0


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
        ({"attention": "random_avg", "p": 0.0}, r"p: given 0.0; .*\(0, 1\]"),
        ({"attention": "avg_fixed_q", "q": 1.5}, r"q: given 1.5; .*\(0, 1\]"),
        ({"loss": "elb", "steepness": 0.5}, "steepness: given 0.5"),
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


def guided(seed=0, **section):
    return au.Guidance(au.Settings(weight=1.0, **section), seed=seed)


def test_kept_channels_follow_seed_and_epoch():
    features, maps, valid = random_batch()

    def terms(guidance, epoch):
        guidance.start_epoch(epoch)
        return [guidance.loss(output_of(features), maps, valid).item() for _ in range(3)]

    section = {"attention": "random_avg", "p": 0.5}
    first = terms(guided(**section), 1)
    assert len(set(first)) == 3  # anew in every step
    assert terms(guided(**section), 1) == first
    again = guided(**section)
    assert terms(again, 2) != first
    assert terms(again, 1) == first  # what an earlier epoch drew leaves no trace
    assert terms(guided(seed=5, **section), 1) != first


def test_kept_channels_are_ready_before_an_epoch_is_announced():
    features, maps, valid = random_batch()
    section = {"attention": "random_avg", "p": 0.5}
    early, announced = guided(**section), guided(**section)
    announced.start_epoch(1)
    assert early.loss(output_of(features), maps, valid) == announced.loss(output_of(features), maps, valid)


@pytest.mark.parametrize(("epoch", "t"), [(1, 1.0), (2, 1.01), (3, 1.0201), (232, 9.9594956), (233, 10.0), (400, 10.0)])
def test_barrier_steepens_from_epoch_to_epoch(epoch, t):
    features, maps, valid = random_batch()
    guidance = guided(loss="elb")
    guidance.start_epoch(epoch)
    assert guidance.steepness == pytest.approx(t, rel=1e-6)
    expected = alignment_loss(features, maps, valid, ["last"], loss="elb", resize="halfpixel", steepness=t)
    assert guidance.loss(output_of(features), maps, valid).item() == pytest.approx(expected.item(), rel=1e-5)


def test_channel_share_reaches_the_term():
    features, maps, valid = random_batch()
    found = guided(attention="avg_fixed_q", q=0.5).loss(output_of(features), maps, valid)
    expected = alignment_loss({5: features[5][:, :3]}, maps, valid, ["last"], resize="halfpixel")
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"attention": "random_avg"}, "attention random_avg needs p"),
        ({"attention": "avg_fixed_q", "p": 0.5}, "attention avg_fixed_q has no p"),
        ({"q": 0.5}, "attention avg has no q"),
        ({"attention": "random_avg", "p": 0.0}, "greater than 0"),
        ({"attention": "avg_fixed_q", "q": 1.2}, "less than or equal to 1"),
    ],
)
def test_shares_of_channels_belong_to_their_attention(section, message):
    with pytest.raises(ValidationError, match=message):
        au.Settings(**section)


def test_units_are_those_of_the_codebook_asked_for():
    assert au.Guidance(au.Settings()).units("disgust") == {5, 9, 16, 17, 25, 26}
    printed = au.Guidance(au.Settings(codebook="printed"))
    assert printed.units("disgust") == {9, 10, 16, 17, 25, 26}
    assert not printed.units("neutral")
    assert 22 in au.Guidance(au.Settings(variant="facs", codebook="cited")).units("anger")
    with pytest.raises(ValidationError, match="AU22"):
        au.Settings(variant="paper", codebook="cited")


def test_no_guidance_adds_nothing():
    features, maps, valid = random_batch()
    guidance = none.Guidance(none.Settings())
    assert guidance.loss(output_of(features), maps, valid).item() == 0
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
    assert guidance.needs_maps == (term.item() > 0)
    assert bool(guidance.knows) == guidance.needs_maps  # a line of the table of controls
