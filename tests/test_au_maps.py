"""The `paper` variant: published values, and a literal OpenCV drawing as the peer."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opencv_maps import draw

from fer_bench.au import (
    CODEBOOK,
    REGIONS,
    au_map,
    au_maps,
    compose,
    halfpixel,
    region_maps,
    rows_of,
    stretch,
    tiles,
    wanted_rows,
)
from fer_bench.au.composition import blend
from fer_bench.au.ellipse_spans import SpanTable
from fer_bench.au.preview import TEMPLATE
from fer_bench.errors import InputError

SIZE = (224, 224)
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")

# FACS: (mean, maximum) after the final upsampling, scale 0-255, on the template.
REGION_VALUES = {
    1: (20.7351, 255.0),
    2: (20.7351, 255.0),
    4: (6.3426, 170.0),
    5: (2.0329, 91.641),
    6: (15.6937, 255.0),
    7: (6.9118, 225.339),
    9: (11.7093, 255.0),
    10: (12.5224, 255.0),
    12: (13.3356, 254.972),
    14: (13.3356, 254.972),
    15: (13.3356, 254.972),
    17: (2.1956, 161.589),
    20: (13.3356, 254.972),
    23: (4.6350, 236.406),
    24: (4.6350, 236.406),
    26: (4.6350, 236.406),
    27: (4.6350, 236.406),
    25: (8.4567, 254.557),
    43: (6.9118, 225.339),
    16: (13.0103, 255.0),
}
# mean, pixels >= 0.5, centroid x, y, mean and maximum at 28x28, cosine with a constant at 224, 28, 14, 7
EXPRESSION_VALUES = {
    "anger": (0.10408, 4530, 106.517, 126.171, 0.09765, 0.98638, 0.42104, 0.41849, 0.43141, 0.48668),
    "disgust": (0.10481, 4741, 112.095, 143.273, 0.09833, 0.99244, 0.39289, 0.38764, 0.39226, 0.42350),
    "fear": (0.17884, 8501, 109.739, 104.659, 0.16779, 0.99574, 0.50033, 0.49312, 0.49943, 0.56091),
    "happiness": (0.10728, 5240, 112.849, 151.105, 0.10065, 0.98650, 0.39006, 0.38469, 0.38885, 0.42453),
    "sadness": (0.18101, 8394, 112.220, 116.237, 0.16984, 0.99574, 0.51678, 0.51081, 0.51992, 0.58384),
    "surprise": (0.13877, 6464, 112.030, 85.304, 0.13019, 0.99574, 0.44662, 0.44065, 0.44726, 0.50748),
}
# (x, y) -> anger, disgust, fear, happiness, sadness, surprise
SAMPLES = {
    (86, 162): (0.9097, 0.8229, 0.8455, 0.9984, 0.9984, 0.2365),
    (138, 162): (0.4514, 0.8472, 0.5725, 0.9971, 0.9971, 0.2270),
    (112, 165): (0.9878, 0.9878, 0.9878, 0.9878, 0.3125, 0.8924),
    (83, 73): (0.5972, 0.0, 1.0, 0.0, 1.0, 1.0),
    (112, 72): (0.6667, 0.0, 0.8403, 0.0, 0.8403, 0.8403),
    (84, 97): (0.7847, 0.3229, 0.4323, 0.0, 0.4323, 0.4323),
    (74, 138): (0.4553, 0.0169, 0.0, 1.0, 1.0, 0.0),
    (150, 138): (0.0, 0.0334, 0.0, 1.0, 1.0, 0.0),
    (98, 116): (0.0195, 0.9987, 0.0, 0.0569, 0.0569, 0.0),
    (112, 190): (0.4015, 0.4015, 0.4392, 0.2292, 0.4015, 0.0),
}


def template_map(expression):
    return au_map(TEMPLATE, expression, SIZE)


@pytest.mark.parametrize("unit", sorted(REGION_VALUES))
def test_published_values_of_a_unit(unit):
    maps, drawn = region_maps(TEMPLATE[None], SIZE)
    row = rows_of([unit])[0]
    assert drawn[0, row]
    enlarged = blend(maps[:, row : row + 1], SIZE, normalise=False)[0] * 255
    mean, peak = REGION_VALUES[unit]
    assert enlarged.mean().item() == pytest.approx(mean, abs=2e-4)
    assert enlarged.max().item() == pytest.approx(peak, abs=2e-3)
    assert maps[0, row].mean().item() * 255 == pytest.approx(mean, abs=2e-4)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_published_values_of_an_expression(expression):
    values = template_map(expression)
    mean, bright, x, y, coarse_mean, coarse_peak, *constant = EXPRESSION_VALUES[expression]
    rows, columns = np.mgrid[:224, :224]
    assert values.dtype == np.float32
    assert values.mean() == pytest.approx(mean, abs=6e-6)
    assert (values >= 0.5).sum() == bright
    assert (values * columns).sum() / values.sum() == pytest.approx(x, abs=1e-3)
    assert (values * rows).sum() / values.sum() == pytest.approx(y, abs=1e-3)
    coarse = {side: stretch(torch.from_numpy(values), (side, side)) for side in (224, 28, 14, 7)}
    assert coarse[28].mean().item() == pytest.approx(coarse_mean, abs=6e-6)
    assert coarse[28].max().item() == pytest.approx(coarse_peak, abs=6e-6)
    cosines = [(grid.mean() / grid.square().mean().sqrt()).item() for grid in coarse.values()]
    assert cosines == pytest.approx(constant, abs=6e-6)


@pytest.mark.parametrize("place", sorted(SAMPLES))
def test_published_samples(place):
    x, y = place
    assert [template_map(name)[y, x] for name in EXPRESSIONS] == pytest.approx(SAMPLES[place], abs=6e-5)


def assert_same(ours, peer):
    assert (ours is None) == (peer is None)
    if ours is None:
        return
    assert np.abs(ours - peer).mean() <= 1e-6
    norms = np.linalg.norm(ours) * np.linalg.norm(peer)
    assert (ours * peer).sum() >= (1 - 1e-5) * norms


SIZES = st.sampled_from([(112, 112), (224, 224), (100, 150), (64, 48), (37, 301)])


@given(SIZES, st.sampled_from(EXPRESSIONS), st.integers(0, 2**31), st.sampled_from([1.0, 6.0, 40.0]))
@settings(max_examples=150, deadline=None)
def test_equals_the_opencv_drawing_on_moved_faces(size, expression, seed, noise):
    generator = np.random.default_rng(seed)
    points = TEMPLATE * (np.array(size[::-1]) / 224) + generator.normal(0, noise, (68, 2))
    points += generator.normal(0, 0.4, 2) * size[::-1]
    assert_same(au_map(points, expression, size), draw(points, CODEBOOK[expression].drawn, size))


@given(SIZES, st.sampled_from(EXPRESSIONS), st.integers(0, 2**31), st.sampled_from([50.0, 300.0, 3000.0]))
@settings(max_examples=100, deadline=None)
def test_equals_the_opencv_drawing_on_arbitrary_landmarks(size, expression, seed, spread):
    points = np.random.default_rng(seed).uniform(-spread, spread + 150, (68, 2))
    ours, peer = au_map(points, expression, size), draw(points, CODEBOOK[expression].drawn, size)
    # Where OpenCV leaves a gap in a row of an ellipse that the border cuts, a pixel may differ.
    assert (ours is None) == (peer is None)
    if ours is not None:
        assert np.abs(ours - peer).mean() <= 1e-3
        assert (ours * peer).sum() >= 0.9999 * np.linalg.norm(ours) * np.linalg.norm(peer)


def spans_as_mask(table, ellipse, canvas):
    start, stop, _ = table.lookup(np.array([ellipse]), canvas, np.arange(canvas[0]))
    columns = np.arange(canvas[1])
    return (columns >= start[0][:, None]) & (columns < stop[0][:, None])


def opencv_mask(ellipse, canvas):
    x, y, a, b = (int(value) for value in ellipse)
    return cv2.ellipse(np.zeros(canvas, np.uint8), (x, y), (a, b), 0, 0, 360, 1, -1) > 0


def test_spans_equal_every_filled_ellipse_up_to_60():
    table = SpanTable()
    for a in range(61):
        for b in range(61):
            ellipse, canvas = (65, 66, a, b), (133, 132)
            assert (spans_as_mask(table, ellipse, canvas) == opencv_mask(ellipse, canvas)).all(), (a, b)


def test_spans_equal_ellipses_cut_by_the_border():
    table, generator = SpanTable(), np.random.default_rng(0)
    gaps = 0
    for _ in range(6000):
        canvas = tuple(generator.integers(1, 130, 2).tolist())
        ellipse = (*generator.integers(-70, 200, 2), *generator.integers(0, 61, 2))
        ours, peer = spans_as_mask(table, ellipse, canvas), opencv_mask(ellipse, canvas)
        if (ours != peer).any():
            gaps += 1
            filled = np.logical_or.accumulate(peer, 1) & np.logical_or.accumulate(peer[:, ::-1], 1)[:, ::-1]
            assert (ours == filled).all()
    assert gaps <= 6


def test_a_unit_outside_is_dropped_and_a_face_outside_has_no_map():
    points = TEMPLATE.copy()
    points[[41, 46]] += (0, 500)  # the cheeks leave the image
    assert np.array_equal(au_map(points, {6, 12}, SIZE), au_map(points, {12}, SIZE))
    assert au_map(points, {6}, SIZE) is None
    assert au_map(TEMPLATE + 1000, "fear", SIZE) is None


def test_a_region_that_covers_the_image_is_drawn_but_constant():
    points = TEMPLATE.copy()
    points[[48, 54], 0] = -2000, 2200
    points[[51, 57], 1] = -2000, 2200
    whole = au_map(points, {26}, SIZE)
    assert whole is not None
    assert not whole.any()


@pytest.mark.parametrize("variant", ["paper", "facs"])
def test_no_map_without_expression_or_landmarks(variant):
    assert au_map(TEMPLATE, "neutral", SIZE, variant) is None
    assert (au_map(TEMPLATE, "contempt", SIZE, variant) is None) == (variant == "paper")
    for broken in (np.nan, np.inf):
        points = TEMPLATE.copy()
        points[0, 0] = broken
        assert au_map(points, "fear", SIZE, variant) is None


@pytest.mark.parametrize("variant", ["paper", "facs"])
def test_batch_equals_single_faces_in_any_order(variant):
    generator = torch.Generator().manual_seed(1)
    points = torch.from_numpy(TEMPLATE) + 4 * torch.randn(40, 68, 2, generator=generator)
    points[7] = torch.nan
    names = [EXPRESSIONS[index % 6] if index % 9 else "neutral" for index in range(40)]
    maps, valid = au_maps(points, names, (56, 70), variant, canvas=SIZE)
    assert maps.shape == (40, 56, 70)
    assert maps.dtype == torch.float32
    assert valid.tolist() == [name != "neutral" and index != 7 for index, name in enumerate(names)]
    assert not maps[~valid].any()
    order = torch.randperm(40, generator=generator)
    shuffled, _ = au_maps(points[order], [names[index] for index in order], (56, 70), variant, canvas=SIZE)
    torch.testing.assert_close(shuffled, maps[order], atol=1e-6, rtol=0)
    for index in (0, 1, 7, 39):
        single = au_map(points[index], names[index], (56, 70), variant, canvas=SIZE)
        assert (single is not None) == bool(valid[index])
        if single is not None:
            torch.testing.assert_close(single, maps[index], atol=1e-6, rtol=0)


@given(
    st.sampled_from(["paper", "facs"]),
    st.sampled_from([(7, 7), (14, 28), (28, 28), (64, 64), (112, 50)]),
    st.integers(0, 2**31),
)
@settings(max_examples=40, deadline=None)
def test_maps_stay_in_range_at_any_size(variant, size, seed):
    generator = torch.Generator().manual_seed(seed)
    points = torch.from_numpy(TEMPLATE) + 60 * torch.randn(6, 68, 2, generator=generator)
    maps, _ = au_maps(points, list(EXPRESSIONS), size, variant, canvas=SIZE)
    assert maps.shape == (6, *size)
    assert torch.isfinite(maps).all()
    assert (maps >= 0).all()
    assert (maps <= 1).all()


def test_coarse_maps_agree_with_the_reduced_full_map():
    full, _ = au_maps(np.repeat(TEMPLATE[None], 6, 0), list(EXPRESSIONS), SIZE)
    for side in (28, 14, 7):
        coarse, _ = au_maps(np.repeat(TEMPLATE[None], 6, 0), list(EXPRESSIONS), (side, side), canvas=SIZE)
        cosine = torch.nn.functional.cosine_similarity(coarse.flatten(1), halfpixel(full, (side, side)).flatten(1))
        assert cosine.min() > 0.996, side


@pytest.mark.parametrize("size", [(56, 28), (84, 140), (112, 112), (224, 224), (448, 224), (64, 64), (100, 150)])
def test_blending_equals_enlarging_every_layer_with_opencv(size):
    generator = np.random.default_rng(0)
    layers = np.zeros((11, 5, 28, 28), np.float32)
    for layer in layers[1:].reshape(-1, 28, 28)[::2]:  # boxes of all sizes, at the border too, and empty layers
        top, left = generator.integers(0, 28, 2)
        box = layer[top : top + generator.integers(1, 15), left : left + generator.integers(1, 29)]
        box[:] = generator.random(box.shape)
    layers[5] = generator.random((5, 28, 28))
    layers[6] = layers[6, :1]  # equal everywhere
    peer = [[cv2.resize(layer, size[::-1], interpolation=cv2.INTER_LINEAR) for layer in face] for face in layers]
    blended = blend(torch.from_numpy(layers), size, normalise=False)
    np.testing.assert_allclose(blended, np.array(peer).max(1), atol=1e-6, rtol=0)
    assert not blended[0].any()


@pytest.mark.parametrize("variant", ["paper", "facs"])
@pytest.mark.parametrize("size", [(112, 84), (70, 90)])
def test_drawing_in_small_steps_changes_nothing(variant, size, monkeypatch):
    generator = torch.Generator().manual_seed(2)
    points = torch.from_numpy(TEMPLATE) + 6 * torch.randn(23, 68, 2, generator=generator)
    names = [("neutral", *EXPRESSIONS)[index % 7] for index in range(23)]
    at_once, _ = au_maps(points, names, size, variant, canvas=SIZE)
    pixels = size[0] * size[1]
    for name, value in {"_CPU_BATCH": 9 * pixels, "_CPU_STEP": 4 * pixels, "_CPU_SURFACES": 3000}.items():
        monkeypatch.setattr(tiles, name, value)
    in_steps, _ = au_maps(points, names, size, variant, canvas=SIZE)
    torch.testing.assert_close(in_steps, at_once, atol=1e-6, rtol=0)


def test_names_ids_and_sets_mean_the_same():
    points = torch.from_numpy(np.repeat(TEMPLATE[None], 3, 0))
    by_name, _ = au_maps(points, ["happiness", "neutral", "fear"], (28, 28), canvas=SIZE)
    by_id, _ = au_maps(points, torch.tensor([1, 0, 3]), (28, 28), canvas=SIZE)
    by_set, _ = au_maps(points, [{6, 12, 25}, None, CODEBOOK["fear"].drawn], (28, 28), canvas=SIZE)
    assert torch.equal(by_name, by_id)
    assert torch.equal(by_name, by_set)


@pytest.mark.parametrize("variant", ["paper", "facs"])
@pytest.mark.parametrize("size", [(28, 28), (112, 112), (14, 14)])
def test_composing_regions_equals_drawing_at_once(variant, size):
    points = np.repeat(TEMPLATE[None], 6, 0)
    regions, drawn = region_maps(points, SIZE, variant)
    assert regions.shape == (6, len(REGIONS[variant]), 28, 28)
    composed, valid = compose(regions, wanted_rows(EXPRESSIONS, variant) & drawn, size, variant)
    direct, _ = au_maps(points, list(EXPRESSIONS), size, variant, canvas=SIZE)
    assert valid.all()
    if variant == "paper":
        torch.testing.assert_close(composed, direct, atol=2e-6, rtol=0)
    else:  # drawn directly they are sampled on no grid in between
        assert torch.nn.functional.cosine_similarity(composed.flatten(1), direct.flatten(1)).min() > 0.95


def test_wrong_shapes_are_told():
    with pytest.raises(InputError, match=r"\(2, 5, 2\); \(N, 68, 2\) is wanted"):
        au_maps(torch.zeros(2, 5, 2), ["fear", "fear"], SIZE)
    with pytest.raises(InputError, match="2 faces but 1 expressions"):
        au_maps(torch.zeros(2, 68, 2), ["fear"], SIZE)


def test_no_faces_give_no_maps():
    for variant in REGIONS:
        maps, valid = au_maps(torch.zeros(0, 68, 2), [], (28, 28), variant)
        assert maps.shape == (0, 28, 28)
        assert valid.shape == (0,)
