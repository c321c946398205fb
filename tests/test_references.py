import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from fer_bench.au import au_map
from fer_bench.au.resize import resize
from fer_bench.metrics import cosine
from fer_bench.metrics.references import (
    MeanMaps,
    ceiling,
    ceiling_maps,
    centred_gaussian,
    chance_constant,
    chance_random,
    chance_untrained,
    fixed_map,
    normalised,
    random_smooth_maps,
    training_target_scored,
)

# A frontal face of 224 px, drawn by hand for tests.
FACE = """
40,95 42,112 45,129 50,146 58,162 70,176 84,187 99,195 112,198 125,195 140,187 154,176 166,162 174,146 179,129 182,112
184,95 52,80 61,73 72,71 83,73 94,78 130,78 141,73 152,71 163,73 172,80 112,92 112,104 112,116 112,128 98,136 105,139
112,141 119,139 126,136 66,97 74,92 84,92 92,98 84,101 74,101 132,98 140,92 150,92 158,97 150,101 140,101 86,162 95,156
105,153 112,155 119,153 129,156 138,162 129,170 119,174 112,175 105,174 95,170 90,162 105,160 112,161 119,160 134,162
119,165 112,166 105,165
"""
# Cosine of a constant with the map of each expression at 224, 28, 14 and 7 px (stretch resize), by the published code.
CONSTANT = {
    "anger": (0.42104, 0.41849, 0.43141, 0.48668),
    "disgust": (0.39289, 0.38764, 0.39226, 0.42350),
    "fear": (0.50033, 0.49312, 0.49943, 0.56091),
    "happiness": (0.39006, 0.38469, 0.38885, 0.42453),
    "sadness": (0.51678, 0.51081, 0.51992, 0.58384),
    "surprise": (0.44662, 0.44065, 0.44726, 0.50748),
}


@pytest.fixture(scope="module")
def maps():
    """(6, 224, 224) maps of the hand-drawn face, alphabetical expressions."""
    points = torch.tensor([[float(x) for x in pair.split(",")] for pair in FACE.split()])
    return torch.stack([torch.as_tensor(au_map(points, name, (224, 224))) for name in CONSTANT])


@pytest.fixture(scope="module")
def small(maps):
    return resize(maps, (56, 56), "halfpixel")


def test_constant_attention_has_the_published_chance_level(maps):
    for column, size in enumerate((224, 28, 14, 7)):
        expected = [values[column] for values in CONSTANT.values()]
        found = chance_constant(resize(maps, (size, size), "paper"))
        assert found.tolist() == pytest.approx(expected, abs=2e-4), size
    assert chance_constant(maps).mean().item() == pytest.approx(0.445, abs=5e-4)


@pytest.mark.parametrize(
    ("grid", "attention", "cam", "both_half"),
    [(28, 0.998, 0.969, 0.998), (14, 0.984, 0.881, 0.986), (7, 0.892, 0.681, 0.927)],
)
def test_training_target_scored_by_every_pair_of_operators(maps, grid, attention, cam, both_half):
    happiness = maps[3:4]
    found = (
        training_target_scored(happiness, (grid, grid), "paper", "paper"),
        training_target_scored(happiness, (grid, grid), "paper", "halfpixel", as_cam=True),
        training_target_scored(happiness, (grid, grid), "halfpixel", "halfpixel"),
    )
    assert [value.item() for value in found] == pytest.approx([attention, cam, both_half], abs=6e-4)


@pytest.mark.parametrize("offset", [0.25, 1.0])
def test_an_offset_lowers_the_score_of_a_perfect_attention(maps, offset):
    # |A|² + oΣA over |A| |A + o|, with Σ and |A|² of the map: no other property of the map enters.
    total, square, pixels = maps.sum((1, 2)), maps.square().sum((1, 2)), maps[0].numel()
    moved = square + 2 * offset * total + offset**2 * pixels
    expected = (square + offset * total) / (square * moved).sqrt()
    assert torch.allclose(fixed_map(maps + offset, maps), expected, atol=1e-4)
    assert (expected < 0.95).all()


def reference_ceiling(map_, grid, how):
    """The slow way: the basis written out and scipy's active-set solver."""
    basis = resize(torch.eye(grid * grid, dtype=torch.float64).view(-1, grid, grid), map_.shape, how).flatten(1).T
    solution, _ = nnls(basis.numpy(), map_.double().flatten().numpy())
    return solution.reshape(grid, grid), np.asarray(basis @ torch.from_numpy(solution)).reshape(map_.shape)


@pytest.mark.parametrize("how", ["paper", "halfpixel"])
@pytest.mark.parametrize("grid", [4, 7, 8])
def test_ceiling_maps_are_the_non_negative_least_squares_fit(small, grid, how):
    found = ceiling_maps(small[:2], (grid, grid), how)
    for index in (0, 1):
        coarse, grown = reference_ceiling(small[index], grid, how)
        assert np.allclose(found[index].numpy(), coarse, atol=1e-5)
        expected = cosine(torch.from_numpy(grown)[None], small[index][None].double())
        assert ceiling(small[index][None], (grid, grid), how).item() == pytest.approx(expected.item(), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), grid=st.integers(4, 9), how=st.sampled_from(["paper", "halfpixel"]))
def test_no_other_coarse_map_beats_the_ceiling(small, seed, grid, how):
    target = small[:2].double()
    best = ceiling_maps(target, (grid, grid), how)
    limit = ceiling(target, (grid, grid), how)
    generator = torch.Generator().manual_seed(seed)
    other = torch.rand(best.shape, generator=generator, dtype=torch.float64)
    for candidate in (other, best + 0.1 * other, (best - 0.1 * other).clamp_min(0), best * (1 + 0.2 * other)):
        assert (cosine(resize(candidate, (56, 56), how), target) <= limit + 1e-9).all()


def test_ceiling_is_above_the_target_and_grows_with_the_grid(small):
    previous = chance_constant(small)
    for grid in (4, 7, 14, 28, 56):
        best = ceiling(small, (grid, grid))
        assert (best >= training_target_scored(small, (grid, grid)) - 1e-6).all()
        assert (best > previous - 1e-6).all()
        previous = best
    assert previous.min().item() == pytest.approx(1)


def test_ceiling_as_cam_equals_the_ceiling_where_the_best_map_touches_zero(small):
    assert ceiling_maps(small, (8, 8)).amin((1, 2)).max() == 0
    assert torch.allclose(ceiling(small, (8, 8), as_cam=True), ceiling(small, (8, 8)))


def test_ceiling_of_a_grid_finer_than_the_map_is_one(small):
    assert ceiling(small, (80, 80)).min().item() > 0.999


def test_references_are_ordered_as_their_knowledge_is(maps):
    means = MeanMaps(7)
    labels = torch.tensor([4, 5, 3, 1, 6, 2])
    means.add(maps, labels, torch.ones(6, dtype=torch.bool))
    constant = chance_constant(maps).mean()
    blind = fixed_map(means.blind_mean, maps).mean()
    assert constant < blind < 1
    assert fixed_map(means.class_means[labels], maps).tolist() == pytest.approx([1] * 6)
    assert constant < fixed_map(centred_gaussian((224, 224)), maps).mean() < 1


def test_mean_maps_by_hand_and_in_any_batches():
    rows = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 1.0]], [[torch.inf, torch.inf]]])
    labels, valid = torch.tensor([1, 1, 2, 2]), torch.tensor([True, True, True, False])
    together, parts = MeanMaps(3), MeanMaps(3)
    together.add(rows, labels, valid)
    for i in range(4):
        parts.add(rows[i : i + 1], labels[i : i + 1], valid[i : i + 1])
    assert together.class_means.tolist() == [[[0, 0]], [[0.5, 0.5]], [[1, 1]]]
    assert together.counts.tolist() == [0, 2, 1]
    assert torch.allclose(together.blind_mean, torch.tensor([[2 / 3, 2 / 3]]))
    assert torch.equal(parts.class_means, together.class_means)
    with pytest.raises(ValueError, match="nothing"):
        MeanMaps(3).blind_mean  # noqa: B018


def test_random_maps_depend_on_name_grid_and_seed_alone():
    first = random_smooth_maps(["a", "b"], (7, 7))
    again = random_smooth_maps(["b", "a"], (7, 7))
    assert torch.equal(first, again.flip(0))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, random_smooth_maps(["a", "b"], (7, 7), seed=1))
    # A value of this generator on record: a change of it would change every chance level.
    assert first[0, 0, 0].item() == pytest.approx(-0.473904, abs=1e-5)


@pytest.mark.parametrize("grid", [7, 8, 28])
def test_random_cams_score_near_a_constant_attention(maps, grid):
    names = [f"face {i}" for i in range(120)]
    many = resize(maps, (56, 56), "halfpixel").repeat(20, 1, 1)
    random = chance_random(many, names, (grid, grid)).mean().item()
    assert 0.85 < random / chance_constant(many).mean().item() < 1


def test_untrained_cams_are_scored_like_any_cam(small):
    cams = random_smooth_maps([str(i) for i in range(6)], (8, 8))
    assert torch.equal(chance_untrained(cams, small), chance_random(small, [str(i) for i in range(6)], (8, 8)))


def test_faces_without_a_map_stay_undefined(small):
    spoilt = small.clone()
    spoilt[2] = torch.inf
    names = [str(i) for i in range(6)]
    for found in (
        chance_constant(spoilt),
        chance_random(spoilt, names, (8, 8)),
        fixed_map(centred_gaussian((56, 56)), spoilt),
        ceiling(spoilt, (8, 8)),
        training_target_scored(spoilt, (8, 8)),
    ):
        assert torch.isnan(found).tolist() == [False, False, True, False, False, False]


def test_gaussian_is_symmetric_and_peaks_in_the_middle():
    bell = centred_gaussian((9, 7), width=0.25)
    assert torch.allclose(bell, bell.flip(0))
    assert torch.allclose(bell, bell.flip(1))
    assert bell[4, 3].item() == bell.max().item() == 1
    assert bell[4, 0].item() == pytest.approx(np.exp(-0.5 * (3 / 7 / 0.25) ** 2))


def test_normalised_by_hand():
    assert normalised(0.7, chance=0.4, ceiling=0.9) == pytest.approx(0.6)
