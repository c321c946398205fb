import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cosine_similarity, interpolate

from fer_bench.au import au_map, halfpixel, resize, stretch
from fer_bench.au.preview import TEMPLATE
from fer_bench.errors import InputError

SIDES = st.integers(1, 40)
SIDES_2 = st.integers(2, 40)
OPERATORS = (stretch, halfpixel)


@pytest.mark.parametrize(
    ("source", "target", "first", "last"),
    [
        (224, 28, 4.4124, 221.7606),
        (224, 14, 9.7101, 220.3026),
        (224, 7, 21.6229, 216.9695),
        (28, 224, 0.0, 26.5605),
        (14, 224, 0.0, 12.5291),
        (7, 224, 0.0, 5.5135),
        (14, 112, 0.0, 12.5586),
    ],
)
@pytest.mark.parametrize("axis", [1, 2])
def test_stretch_of_a_ramp(source, target, first, last, axis):
    ramp = torch.arange(source, dtype=torch.float32)
    maps = ramp.expand(1, source, source)
    maps = maps if axis == 2 else maps.transpose(1, 2)
    row = stretch(maps, (target, target)).select(3 - axis, 0).squeeze()
    assert row[0].item() == pytest.approx(first, abs=1e-4)
    assert row[-1].item() == pytest.approx(last, abs=1e-4)


# From two on: PyTorch itself goes wrong on maps that are one sample wide.
@given(st.tuples(SIDES_2, SIDES_2), st.tuples(SIDES_2, SIDES_2), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_both_equal_what_torch_interpolates(size, target, seed):
    maps = torch.rand(2, *size, generator=torch.Generator().manual_seed(seed))
    for operator, aligned in ((stretch, True), (halfpixel, False)):
        peer = interpolate(maps[:, None], target, mode="bilinear", antialias=True, align_corners=aligned)[:, 0]
        torch.testing.assert_close(operator(maps, target), peer, atol=3e-6, rtol=0)


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_range_constants_identity_and_batch_order(size, target, seed):
    maps = torch.rand(3, *size, generator=torch.Generator().manual_seed(seed))
    for operator in OPERATORS:
        result = operator(maps, target)
        assert (result.amin((1, 2)) >= maps.amin((1, 2)) - 1e-6).all()
        assert (result.amax((1, 2)) <= maps.amax((1, 2)) + 1e-6).all()
        torch.testing.assert_close(operator(torch.full((1, *size), 0.3), target), torch.full((1, *target), 0.3))
        assert operator(maps, size) is maps
        torch.testing.assert_close(operator(maps.flip(0), target), result.flip(0))


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES))
@settings(max_examples=40, deadline=None)
def test_halfpixel_commutes_with_a_mirror_and_stretch_does_not_move_the_corner(size, target):
    maps = torch.rand(1, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(halfpixel(maps.flip(2), target), halfpixel(maps, target).flip(2), atol=1e-5, rtol=0)
    if target[0] >= size[0] and target[1] >= size[1]:
        assert stretch(maps, target)[0, 0, 0].item() == pytest.approx(maps[0, 0, 0].item(), abs=1e-6)


# A map reduced to a grid and enlarged again, against itself: (grid, stretch both ways, stretch then half-pixel,
# half-pixel both ways); published on the happiness map of the template.
@pytest.mark.parametrize(
    ("grid", "aligned", "mixed", "ordinary"),
    [(28, 0.998, 0.969, 0.998), (14, 0.984, 0.881, 0.986), (7, 0.892, 0.681, 0.927)],
)
def test_what_a_coarse_map_can_keep(grid, aligned, mixed, ordinary):
    target = torch.from_numpy(au_map(TEMPLATE, "happiness", (224, 224)))

    def kept(down, up):
        again = up(down(target, (grid, grid)), (224, 224))
        return cosine_similarity(again.flatten(), target.flatten(), dim=0).item()

    assert kept(stretch, stretch) == pytest.approx(aligned, abs=6e-4)
    assert kept(stretch, halfpixel) == pytest.approx(mixed, abs=6e-4)
    assert kept(halfpixel, halfpixel) == pytest.approx(ordinary, abs=6e-4)


def test_by_name():
    maps = torch.rand(2, 9, 11, generator=torch.Generator().manual_seed(0))
    assert torch.equal(resize(maps, (5, 5)), stretch(maps, (5, 5)))
    assert torch.equal(resize(maps, (5, 5), "halfpixel"), halfpixel(maps, (5, 5)))
    with pytest.raises(InputError, match="known: paper, halfpixel"):
        resize(maps, (5, 5), "nearest")


def test_gradients_mixed_precision_and_inference_mode_do_not_get_in_the_way():
    with torch.inference_mode():
        stretch(torch.rand(1, 13, 13), (6, 6))  # the matrices made here are used again below
    maps = torch.rand(1, 13, 13, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: stretch(value, (6, 6)), maps)
    single = maps.detach().float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = stretch(single, (6, 6))
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, stretch(maps, (6, 6)).float(), atol=1e-6, rtol=0)
    result.sum().backward()
    assert single.grad is not None
    assert stretch(maps.detach().bfloat16(), (6, 6)).dtype == torch.float32
