"""The `facs` variant: hand-computed ellipses, symmetry, roll, scale."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from fer_bench.au import CODEBOOK, REGIONS, au_map, au_maps, rows_of, wanted_rows
from fer_bench.au.preview import TEMPLATE
from fer_bench.au.raster_facs import scaled
from fer_bench.au.regions_facs import REGION_OF, drawn, forms
from fer_bench.expressions import EXPRESSIONS_8

SIZE = (224, 224)
# landmark -> its mirror image
MIRROR = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
    *[54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],
    *[64, 63, 62, 61, 60, 67, 66, 65],
]


def simple_face(offset=(0.0, 0.0), factor=1.0):
    """A face whose eye centres are 100 apart and level, with D = 100: numbers that can be checked by hand."""
    points = np.zeros((68, 2))
    points[36:42] = [(30, 100), (45, 90), (55, 90), (70, 100), (55, 110), (45, 110)]
    points[42:48] = [(130, 100), (145, 90), (155, 90), (170, 100), (155, 110), (145, 110)]
    points[48:60] = (100, 180)
    points[[48, 54]] = [(70, 180), (130, 180)]
    points[[51, 57]] = [(100, 170), (100, 190)]
    points[60:68] = (100, 180)
    points[66] = (100, 184)
    points[[17, 18, 19]] = [(20, 70), (30, 65), (40, 60)]
    points[[24, 25, 26]] = [(160, 60), (170, 65), (180, 70)]
    points[[20, 21, 22, 23]] = [(55, 62), (75, 66), (125, 66), (145, 62)]
    points[27:31] = [(100, 96), (100, 104), (100, 120), (100, 135)]
    points[31:36] = [(80, 140), (90, 142), (100, 150), (110, 142), (120, 140)]
    points[8] = (100, 230)
    return points * factor + np.array(offset)


def ellipses(unit, points):
    """Return (x, y, half width, half height) of the unit's ellipses on a level face."""
    table = forms(torch.from_numpy(points)[None])[0].double()
    row = rows_of([unit], "facs")[0]
    chosen = table[[index for index, region in enumerate(REGION_OF) if region == row]]
    assert chosen[:, 3].abs().max() < 1e-9
    return torch.cat([chosen[:, :2], chosen[:, [2, 4]] ** -0.5], dim=1).tolist()


HAND = {
    1: [(75, 56, 25, 25), (125, 56, 25, 25)],
    2: [(30, 55, 35, 25), (170, 55, 35, 25)],
    4: [(100, 76, 45, 25)],
    5: [(50, 90, 20, 12), (150, 90, 20, 12)],
    6: [(38, 135, 32, 22), (162, 135, 32, 22), (15, 100, 15, 18), (185, 100, 15, 18)],
    7: [(50, 100, 20, 24), (150, 100, 20, 24)],
    9: [(85, 102, 22, 28), (115, 102, 22, 28)],
    10: [(100, 160, 30, 15)],
    11: [(75, 160, 22, 22), (125, 160, 22, 22)],
    12: [(60, 162, 20, 20), (140, 162, 20, 20)],
    14: [(50, 180, 22, 22), (150, 180, 22, 22)],
    15: [(60, 198, 20, 20), (140, 198, 20, 20)],
    16: [(100, 195, 30, 15)],
    17: [(100, 210, 30, 20)],
    20: [(55, 180, 28, 28), (145, 180, 28, 28)],
    22: [(100, 180, 30, 10)],
    23: [(100, 180, 30, 10)],
    25: [(100, 180, 30, 10)],
    26: [(100, 200, 45, 30)],
    43: [(50, 100, 20, 24), (150, 100, 20, 24)],
}


@pytest.mark.parametrize("unit", sorted(HAND))
def test_ellipses_computed_by_hand(unit):
    assert np.array(ellipses(unit, simple_face())) == pytest.approx(np.array(HAND[unit], float), rel=1e-5)


def test_the_hand_computed_units_are_all_there_are():
    assert {unit for units in REGIONS["facs"] for unit in units} - set(HAND) == {24, 27, 112, 114}


@pytest.mark.parametrize(
    ("corner", "height", "puller", "dimpler"),
    [
        (48, 172, (60, 154), (50, 172)),
        (54, 172, (140, 154), (150, 172)),
        (54, 188, (60, 162), (50, 180)),  # the other corner is then the higher one
        (54, 180, (60, 162), (50, 180)),  # level: the image's left
    ],
)
def test_contempt_is_drawn_at_the_higher_corner_alone(corner, height, puller, dimpler):
    points = simple_face()
    points[corner, 1] = height
    for unit, centre, half in ((112, puller, 20), (114, dimpler, 22)):
        assert np.array(ellipses(unit, points)) == pytest.approx(np.array([(*centre, half, half)], float), rel=1e-5)
    drawn = au_map(points, "contempt", (240, 240), "facs")
    assert_allclose(drawn, au_map(points, {112, 114}, (240, 240), "facs"))
    assert au_map(points, "contempt", (240, 240), "paper") is None


def test_the_higher_corner_is_told_across_the_eye_line_of_a_rolled_head():
    """A face turned by 20 degrees, its right corner 6 px above the other in its own frame, but lower in the image."""
    points = simple_face()
    points[54, 1] -= 6
    angle = np.radians(20)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    rolled = (points - 120) @ turn + 120
    assert rolled[54, 1] > rolled[48, 1]
    table = forms(torch.from_numpy(rolled)[None])[0]
    centre = table[REGION_OF.index(rows_of([114], "facs")[0]), :2].numpy()
    assert np.linalg.norm(centre - rolled[54]) < np.linalg.norm(centre - rolled[48])


def test_parted_lips_are_never_thinner_than_a_tenth():
    points = simple_face()
    points[[51, 57]] = [(100, 178), (100, 182)]
    assert ellipses(25, points)[0][3] == pytest.approx(10, rel=1e-5)
    assert ellipses(23, points)[0][3] == pytest.approx(2, rel=1e-5)


def test_the_scale_survives_a_turned_head():
    points = simple_face()
    points[:, 0] = 100 + (points[:, 0] - 100) * 0.2  # eye centres 20 apart, mouth 80 below: D = 0.87 * 80
    assert ellipses(4, points)[0][2] == pytest.approx(0.45 * 0.87 * 80, rel=1e-5)


def test_the_value_is_one_in_the_centre_and_exp_minus_one_on_the_edge():
    values = au_map(simple_face(), {4}, (240, 240), "facs")
    assert values[76, 100] == pytest.approx(1, abs=1e-6)
    for x, y in ((145, 76), (55, 76), (100, 101), (100, 51)):
        assert values[y, x] == pytest.approx(np.exp(-1), rel=1e-4)
    assert values[76, 122] == pytest.approx(np.exp(-((22 / 45) ** 2)), rel=1e-4)


def test_maximum_over_units():
    both = au_map(simple_face(), {4, 26}, (240, 240), "facs")
    single = [au_map(simple_face(), {unit}, (240, 240), "facs") for unit in (4, 26)]
    assert_allclose(both, np.maximum(*single), atol=1e-6)


@pytest.mark.parametrize("size", [(224, 224), (100, 150), (37, 301), (28, 28), (7, 14), (1, 1), (3, 400)])
@pytest.mark.parametrize("noise", [3.0, 12.0, 60.0])
def test_equals_the_formula_at_every_pixel(size, noise):
    generator = torch.Generator().manual_seed(0)
    points = torch.from_numpy(TEMPLATE) + noise * torch.randn(12, 68, 2, generator=generator)
    units = [set(CODEBOOK[name].cited) for name in CODEBOOK] * 2
    maps, _ = au_maps(points, units[:12], size, "facs", canvas=SIZE)
    x, y, p, q, r = scaled(forms(points), SIZE, size).double()[..., None, None].unbind(2)
    across, down = torch.arange(size[1]) - x, torch.arange(size[0])[:, None] - y
    values = torch.exp(-(p * across**2 + 2 * q * across * down + r * down**2))
    used = (wanted_rows(units[:12], "facs") & drawn(forms(points), SIZE))[:, list(REGION_OF)]
    expected = torch.where(used[..., None, None], values, 0).amax(1)
    # In float32: the exponent beside a thin ellipse is the small difference of numbers up to a thousand.
    torch.testing.assert_close(maps.double(), expected, atol=5e-5, rtol=0)


@given(st.integers(0, 2**31), st.sampled_from([*EXPRESSIONS_8[1:]]))
@settings(max_examples=40, deadline=None)
def test_a_mirrored_face_has_the_mirrored_map(seed, expression):
    points = TEMPLATE + np.random.default_rng(seed).normal(0, 4, (68, 2))
    mirrored = points[MIRROR] * (-1, 1) + (SIZE[1] - 1, 0)
    direct = au_map(points, expression, SIZE, "facs")
    assert_allclose(au_map(mirrored, expression, SIZE, "facs")[:, ::-1], direct, atol=2e-5)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_rolled_face_has_the_rolled_map(quarters):
    turn = np.array([[0, 1], [-1, 0]])
    centred = TEMPLATE - 111.5
    for _ in range(quarters):
        centred = centred @ turn.T
    rolled = au_map(centred + 111.5, "fear", SIZE, "facs")
    assert_allclose(np.rot90(au_map(TEMPLATE, "fear", SIZE, "facs"), quarters), rolled, atol=2e-5)


def test_the_map_follows_the_size_of_the_face():
    small = au_map(simple_face(), "fear", (240, 240), "facs")
    large = au_map(simple_face(factor=2), "fear", (480, 480), "facs")
    assert_allclose(large[::2, ::2], small, atol=1e-5)


def test_rendering_at_another_size_samples_the_same_surface():
    # Pixel centres of 75 px are every third of 225 px, from 1 on.
    full = au_map(TEMPLATE, "anger", (225, 225), "facs")
    third = au_map(TEMPLATE, "anger", (75, 75), "facs", canvas=(225, 225))
    assert_allclose(third, full[1::3, 1::3], atol=1e-5)


def test_scaling_there_and_back():
    table = forms(torch.from_numpy(TEMPLATE)[None])
    again = scaled(scaled(table, (224, 200), (1, 1)), (1, 1), (224, 200))
    torch.testing.assert_close(again, table, rtol=1e-4, atol=1e-4)


def test_outside_the_image_and_degenerate_landmarks():
    assert au_map(TEMPLATE + 600, "fear", SIZE, "facs") is None
    assert au_map(np.full((68, 2), 50.0), "fear", SIZE, "facs") is None
    points = TEMPLATE.copy()
    points[36:48, 1] += 0.0  # closed eyes and a closed mouth still have regions
    points[[37, 38, 40, 41, 43, 44, 46, 47], 1] = 97
    points[48:68, 1] = 165
    maps, valid = au_maps(points[None].repeat(3, 0), ["fear", {43}, {23}], SIZE, "facs")
    assert valid.all()
    assert torch.isfinite(maps).all()
    assert maps.amax((1, 2)).min() > 0.5
