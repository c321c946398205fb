from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench import registry
from fer_bench.expressions import EXPRESSIONS
from fer_bench.metrics import (
    attention_cosine,
    cam_cosine,
    confusion_matrix,
    cosine,
    macro,
    micro,
    pearson,
    per_expression,
    subsets,
)
from fer_bench.metrics.base import MapMetric, Needs, PredictionMetric

NAMES = registry.names("metrics")
KINDS = {name: registry.plugin("metrics", name) for name in NAMES}
THREE = ("neutral", "happiness", "fear")
DEFINED_HERE = {"class_specificity", "decision_share"}


def maps(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def blobs(seed, count, size=32):
    """Smooth non-negative maps with empty regions, alike to action-unit maps."""
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(count, 2, generator=generator) * 0.6 + 0.2
    y, x = torch.meshgrid(*2 * [torch.linspace(0, 1, size)], indexing="ij")
    distance = (y - centre[:, 0, None, None]) ** 2 + (x - centre[:, 1, None, None]) ** 2
    return (torch.exp(-distance / 0.02) - 0.05).clamp_min(0)


def score(name, labels, probabilities, expressions=THREE, **options):
    return KINDS[name]().scores(np.array(labels), np.array(probabilities, dtype=float), expressions, **options)


# ---- equal-sized maps


def test_cosine_by_hand():
    a = torch.tensor([[[1.0, 2.0], [2.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
    b = torch.tensor([[[2.0, 1.0], [2.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]], [[-3.0, 0.0], [0.0, 4.0]]])
    assert cosine(a, b).tolist() == pytest.approx([8 / 9, 0.0, -3 / 5])


def test_cosine_turns_nan_into_zero_and_refuses_other_sizes():
    broken = torch.full((1, 4, 4), torch.nan)
    assert cosine(broken, torch.ones(1, 4, 4)).item() == 0
    with pytest.raises(ValueError, match="alike"):
        cosine(torch.ones(1, 4, 4), torch.ones(1, 5, 5))


def test_cosine_takes_whole_numbers_and_half_precision():
    whole = torch.tensor([[[0, 255], [255, 0]]], dtype=torch.uint8)
    assert cosine(whole, whole).item() == pytest.approx(1)
    assert cosine(whole.half(), whole).item() == pytest.approx(1)


def test_pearson_by_hand():
    a = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    b = torch.tensor([[[2.0, 1.0], [4.0, 3.0]]])
    assert pearson(a, b).item() == pytest.approx(0.6)
    assert pearson(a, 5 - a).item() == pytest.approx(-1)
    assert pearson(torch.full((1, 7, 7), 0.1), maps(0, 1, 7, 7)).item() == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), offset=st.floats(-5, 5))
def test_cosine_ignores_scale_and_pearson_ignores_offset_too(seed, scale, offset):
    a, b = maps(seed, 3, 8, 8), maps(seed + 1, 3, 8, 8)
    assert torch.allclose(cosine(scale * a, b), cosine(a, b), atol=1e-5)
    assert torch.allclose(pearson(scale * a + offset, b), pearson(a, b), atol=1e-3)


# ---- ATT-COS and CAM-COS


@pytest.mark.parametrize("resize", ["paper", "halfpixel"])
def test_a_perfect_map_scores_one(resize):
    target = blobs(0, 5)
    assert torch.allclose(attention_cosine(3 * target, target, resize), torch.ones(5))
    assert torch.allclose(cam_cosine(3 * target - 7, target, resize), torch.ones(5))


def test_features_are_averaged_over_channels():
    features = maps(1, 3, 5, 8, 8)
    expected = attention_cosine(features.mean(1), blobs(1, 3))
    assert torch.equal(attention_cosine(features, blobs(1, 3)), expected)


def test_a_negative_minimum_is_subtracted_as_the_published_score_does():
    attention, target = maps(2, 3, 8, 8) - 0.5, blobs(2, 3, 8)
    shifted = attention - attention.amin((1, 2), keepdim=True)
    assert torch.allclose(attention_cosine(attention, target, "paper"), cosine(shifted, target), atol=1e-6)
    assert torch.allclose(attention_cosine(attention, target, "paper", shift=False), cosine(attention, target))
    assert torch.allclose(attention_cosine(attention, target, "halfpixel"), cosine(attention, target))
    assert torch.allclose(attention_cosine(attention, target, "halfpixel", shift=True), cosine(shifted, target))


def test_a_positive_offset_is_kept_and_costs_what_it_costs():
    target = blobs(3, 4)
    flat = target.flatten(1)
    moved = flat + 0.25
    expected = (flat * moved).sum(1) / (flat.norm(dim=1) * moved.norm(dim=1))
    assert torch.allclose(attention_cosine(target + 0.25, target), expected)
    assert torch.allclose(cam_cosine(target + 0.25, target), torch.ones(4))


def test_cams_are_normalised_at_their_own_grid_before_they_grow():
    cam = torch.tensor([[[1.0, 3.0], [1.0, 1.0]]])
    target = blobs(4, 1, 8)
    grown = torch.nn.functional.interpolate((cam[:, None] - 1) / 2, (8, 8), mode="bilinear")[:, 0]
    assert cam_cosine(cam, target).item() == pytest.approx(cosine(grown, target).item())
    assert cam_cosine(10 * cam, target).item() == pytest.approx(cosine(grown, target).item())


def test_a_constant_cam_scores_zero():
    assert cam_cosine(torch.full((2, 7, 7), 3.0), blobs(5, 2)).tolist() == [0, 0]


@pytest.mark.parametrize("function", [attention_cosine, cam_cosine])
@pytest.mark.parametrize("resize", ["paper", "halfpixel"])
def test_without_a_map_the_score_is_undefined(function, resize):
    target = blobs(6, 3)
    target[1] = torch.inf
    found = function(maps(6, 3, 8, 8), target, resize=resize)
    assert torch.isnan(found).tolist() == [False, True, False]


@pytest.mark.parametrize("function", [attention_cosine, cam_cosine])
@pytest.mark.parametrize("resize", ["paper", "halfpixel"])
@pytest.mark.parametrize("similarity", [cosine, pearson])
def test_the_batch_does_not_change_a_score(function, resize, similarity):
    found, target = maps(7, 9, 7, 7), blobs(7, 9)
    together = function(found, target, resize=resize, similarity=similarity)
    parts = [
        function(found[i : i + 2], target[i : i + 2], resize=resize, similarity=similarity) for i in range(0, 9, 2)
    ]
    assert torch.allclose(together, torch.cat(parts), atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), grid=st.integers(4, 20))
def test_flipping_both_changes_nothing_under_half_pixel(seed, grid):
    found, target = maps(seed, 2, grid, grid), blobs(seed, 2, 24)
    for function in (attention_cosine, cam_cosine):
        straight = function(found, target, resize="halfpixel")
        assert torch.allclose(function(found.flip(-1), target.flip(-1), resize="halfpixel"), straight, atol=1e-5)


def test_the_stretch_is_anchored_at_the_top_left_so_flips_do_change_it():
    found, target = blobs(8, 1, 7), blobs(8, 1, 56)
    straight = attention_cosine(found, target, "paper")
    flipped = attention_cosine(found.flip(-1), target.flip(-1), "paper")
    assert abs(straight - flipped).item() > 0.01


def test_shuffled_maps_are_near_the_chance_level():
    """Pearson's chance is 0; the cosine's is that of a constant map for attention without any shape."""
    target = blobs(9, 1, 32).expand(200, 32, 32)
    flat = target.flatten(1)
    order = torch.stack([torch.randperm(32 * 32, generator=torch.Generator().manual_seed(i)) for i in range(200)])
    shuffled = flat.gather(1, order).view_as(target)
    assert abs(pearson(shuffled, target).mean().item()) < 0.01
    expected = cosine(torch.ones(1, 32, 32), target[:1]).item() ** 2  # both maps have this mean over norm
    assert cosine(shuffled, target).mean().item() == pytest.approx(expected, abs=0.01)


# ---- averages


def test_micro_and_macro_by_hand():
    scores = [0.2, 0.4, 0.9, np.nan, np.nan]
    labels = [1, 1, 2, 2, 0]
    assert micro(scores).value == pytest.approx(0.5)
    assert (micro(scores).n, micro(scores).undefined) == (3, 2)
    average = macro(scores, labels, THREE)
    assert average.value == pytest.approx((0.3 + 0.9) / 2)
    assert (average.n, average.undefined, average.left_out) == (3, 2, ())


def test_macro_names_the_expressions_it_leaves_out():
    average = macro([0.2, 0.4, 0.9], [1, 1, 2], THREE, minimum=2)
    assert average.value == pytest.approx(0.3)
    assert average.left_out == ("fear",)
    nothing = macro([np.nan], [0], THREE)
    assert np.isnan(nothing.value)
    assert nothing.left_out == ("happiness", "fear")


def test_neutral_never_enters_a_macro_average_but_is_shown_on_its_own():
    scores, labels = [0.9, 0.1, 0.3], [0, 1, 2]
    assert macro(scores, labels, THREE).value == pytest.approx(0.2)
    assert per_expression(scores, labels, THREE)["neutral"].value == pytest.approx(0.9)


def test_subsets():
    masks = subsets([0, 1, 2], [0, 2, 2])
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "all": [True, True, True],
        "correct": [True, False, True],
        "wrong": [False, True, False],
    }


# ---- predictions

LABELS = [0, 0, 0, 1, 1, 2]
PROBABILITIES = [
    [0.8, 0.1, 0.1],
    [0.6, 0.3, 0.1],
    [0.2, 0.7, 0.1],  # wrong
    [0.1, 0.9, 0.0],
    [0.5, 0.4, 0.1],  # wrong
    [0.3, 0.3, 0.4],
]


def test_classification_scores_by_hand():
    assert score("accuracy", LABELS, PROBABILITIES)[0].value == pytest.approx(100 * 4 / 6)
    assert score("balanced_accuracy", LABELS, PROBABILITIES)[0].value == pytest.approx(100 * (2 / 3 + 1 / 2 + 1) / 3)
    # F1: neutral 2·2/(2·2+1+1), happiness 2·1/(2·1+1+1), fear 1.
    assert score("macro_f1", LABELS, PROBABILITIES)[0].value == pytest.approx(100 * (2 / 3 + 1 / 2 + 1) / 3)
    recalls = score("recall", LABELS, PROBABILITIES)
    assert [found.metric for found in recalls] == ["recall_neutral", "recall_happiness", "recall_fear"]
    assert [found.value for found in recalls] == pytest.approx([200 / 3, 50, 100])
    assert [found.n for found in recalls] == [3, 2, 1]


def test_calibration_error_by_hand():
    # Bins of 1/15: 0.8 alone, 0.6 alone, 0.7 alone (wrong), 0.9 alone, 0.5 (wrong) alone, 0.4 alone.
    gaps = [0.2, 0.4, 0.7, 0.1, 0.5, 0.6]
    found = score("expected_calibration_error", LABELS, PROBABILITIES)[0]
    assert found.value == pytest.approx(100 * sum(gaps) / 6)
    # Two images in one bin, one right and one wrong at 0.5: perfectly calibrated together.
    together = score("expected_calibration_error", [0, 1], [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])[0]
    assert together.value == pytest.approx(0)
    assert score("expected_calibration_error", [0], [[1.0, 0.0, 0.0]])[0].value == 0


def test_small_and_absent_classes():
    found = score("balanced_accuracy", LABELS, PROBABILITIES, minimum=2)[0]
    assert found.value == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)
    assert (found.left_out, found.n) == (("fear",), 5)
    assert score("macro_f1", LABELS[:5], PROBABILITIES[:5])[0].left_out == ("fear",)
    absent = score("recall", LABELS[:5], PROBABILITIES[:5])[2]
    assert (np.isnan(absent.value), absent.n) == (True, 0)


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(KINDS[name], PredictionMetric)])
def test_no_images_give_nan_not_a_number(name):
    for found in score(name, np.zeros(0, dtype=int), np.zeros((0, 3))):
        assert np.isnan(found.value)
        assert found.n == 0


def test_confusion_matrix_keeps_absent_classes():
    assert confusion_matrix([0, 1, 1], [0, 0, 1], 3).tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert confusion_matrix([], [], 3).shape == (3, 3)


# ---- every plug-in


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_declares_itself(name):
    kind = KINDS[name]
    assert kind.id == name
    assert kind.direction in ("higher", "lower")
    assert kind.unit in ("", "%")
    assert kind.needs in get_args(Needs)
    assert kind.label
    # A score that is defined here has no citation; its docstring then is its definition.
    assert kind.citation.startswith(("10.", "arXiv:")) or (not kind.citation and name in DEFINED_HERE)


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(KINDS[name], PredictionMetric)])
def test_a_better_classifier_scores_better_in_the_direction_declared(name):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 7, 300)
    right = np.eye(7)[labels] * 0.93 + 0.01
    wrong = np.eye(7)[(labels + generator.integers(0, 7, 300)) % 7] * 0.93 + 0.01
    better, worse = (KINDS[name]().scores(labels, found, EXPRESSIONS)[0].value for found in (right, wrong))
    assert (better > worse) == (KINDS[name].direction == "higher")


@pytest.mark.parametrize("name", [name for name in NAMES if issubclass(KINDS[name], MapMetric)])
def test_a_perfect_map_has_the_highest_score_of_every_map_metric(name):
    target = blobs(10, 4)
    metric = KINDS[name]()
    perfect = metric.per_image(target, target, resize="halfpixel")
    random = metric.per_image(maps(10, 4, 8, 8), target, resize="halfpixel")
    assert torch.allclose(perfect, torch.ones(4))
    assert (random < perfect).all()
