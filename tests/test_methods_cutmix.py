"""CutMix: the rectangle, what is pasted, whose map stays valid and how labels count, by hand."""

import math

import pytest
import torch

from fer_bench.classifier_output import Output
from fer_bench.methods.cutmix import Method, Settings, box_around, mix


def batch(valid: tuple[bool, bool] = (True, True)) -> dict[str, torch.Tensor]:
    """Two images of 4x4 pixels: all 1 and all 2, maps all 0.1 and all 0.2."""
    values = torch.tensor([1.0, 2.0])[:, None, None]
    return {
        "images": values[:, None].expand(2, 3, 4, 4),
        "labels": torch.tensor([3, 5]),
        "maps": (values * 0.1).expand(2, 4, 4) * torch.tensor(valid)[:, None, None],
        "valid": torch.tensor(valid),
    }


SWAP = torch.tensor([1, 0])
WHOLE, NOTHING = (0, 4, 0, 4), (2, 2, 1, 1)


def cutmix(**options: float) -> Method:
    return Method(2, 7, Settings(**options))


@pytest.mark.parametrize(
    ("centre", "share", "expected"),
    [
        ((4, 4), 0.75, (2, 6, 2, 6)),  # side 0.5 * 8
        ((0, 7), 0.75, (0, 2, 5, 8)),  # clipped at two sides
        ((4, 4), 0.4375, (1, 7, 1, 7)),  # 0.75 * 8 = 6
        ((4, 4), 0.6, (2, 6, 2, 6)),  # sqrt(0.4) * 8 = 5.06: 5, an even number below it
        ((4, 4), 0.0, (0, 8, 0, 8)),
        ((3, 3), 0.99, (3, 3, 3, 3)),  # less than one pixel
    ],
)
def test_box_by_hand(centre: tuple[int, int], share: float, expected: tuple[int, ...]) -> None:
    assert box_around(centre, share, (8, 8)) == expected


def test_box_of_an_image_that_is_no_square() -> None:
    assert box_around((2, 8), 0.75, (4, 16)) == (1, 3, 4, 12)


def test_images_maps_and_labels_are_mixed_alike() -> None:
    mixed = mix(batch(), SWAP, (1, 3, 0, 2))
    pasted = torch.zeros(4, 4, dtype=torch.bool)
    pasted[1:3, 0:2] = True
    for host, donor, index in ((1.0, 2.0, 0), (2.0, 1.0, 1)):
        expected = torch.where(pasted, donor, host)
        assert torch.equal(mixed["images"][index], expected.expand(3, 4, 4))
        torch.testing.assert_close(mixed["maps"][index], expected * 0.1)
    assert mixed["labels"].tolist() == [3, 5]
    assert mixed["donor_labels"].tolist() == [5, 3]
    assert mixed["host_share"].item() == 0.75  # 1 - 4 / 16, not what was drawn
    assert mixed["valid"].tolist() == [True, True]


def test_the_batch_that_was_given_is_left_alone() -> None:
    given = batch()
    before = {name: value.clone() for name, value in given.items()}
    mix(given, SWAP, (0, 2, 0, 2))
    assert all(torch.equal(given[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("box", "valid", "expected"),
    [
        ((1, 3, 0, 2), (True, False), [False, False]),  # a donor or a host without a map
        ((1, 3, 0, 2), (False, False), [False, False]),
        (NOTHING, (True, False), [True, False]),  # the host alone is seen
        (WHOLE, (True, False), [False, True]),  # the donor alone is seen
    ],
)
def test_only_what_is_seen_decides_whether_a_map_is_valid(
    box: tuple[int, int, int, int], valid: tuple[bool, bool], expected: list[bool]
) -> None:
    assert mix(batch(valid), SWAP, box)["valid"].tolist() == expected


def test_a_map_of_which_nothing_is_left_is_invalid() -> None:
    given = batch()
    given["maps"] = torch.zeros(2, 4, 4)
    given["maps"][:, 0, 0] = 1
    given["maps"][1] = given["maps"][1].flip(0, 1)
    # the first map's only bright pixel is covered by a dark one; the second keeps its own and gets another
    mixed = mix(given, SWAP, (0, 2, 0, 2))
    assert mixed["valid"].tolist() == [False, True]


def test_loss_by_hand() -> None:
    mixed = mix(batch(), SWAP, (1, 3, 0, 2))
    logits = torch.zeros(2, 7)
    logits[0, 3] = math.log(4)  # 4 / 10 for class 3, 1 / 10 for the others
    logits[1, 5] = math.log(14)  # 14 / 20 and 1 / 20
    found = cutmix().loss(Output(logits, {}), mixed)
    host = (math.log(10 / 4) + math.log(20 / 14)) / 2
    donor = (math.log(10) + math.log(20)) / 2
    assert found["loss"].item() == pytest.approx(0.75 * host + 0.25 * donor)
    weights = torch.ones(7)
    weights[3] = 3
    weighted = cutmix().loss(Output(logits, {}), mixed, weights)
    host = (3 * math.log(10 / 4) + math.log(20 / 14)) / 4
    donor = (math.log(10) + 3 * math.log(20)) / 4
    assert weighted["loss"].item() == pytest.approx(0.75 * host + 0.25 * donor)


def test_predictions_count_by_area() -> None:
    mixed = mix(batch(), SWAP, (1, 3, 0, 2))
    logits = torch.nn.functional.one_hot(torch.tensor([3, 3]), 7).float()
    assert cutmix().hits(logits, mixed).tolist() == [0.75, 0.25]
    assert cutmix().hits(torch.eye(7)[:2], mixed).tolist() == [0.0, 0.0]


def test_without_mixing_it_is_cam() -> None:
    given = batch()
    same = cutmix(probability=0.0).prepare_batch(given, torch.Generator().manual_seed(0))
    assert same is given
    logits = torch.rand(2, 7)
    assert torch.equal(
        cutmix().loss(Output(logits, {}), given)["loss"], torch.nn.functional.cross_entropy(logits, given["labels"])
    )
    assert cutmix().hits(logits, given).tolist() == (logits.argmax(1) == given["labels"]).float().tolist()


def _draw(seed: int, **options: float) -> dict[str, torch.Tensor]:
    images = torch.arange(32.0)[:, None, None, None].expand(32, 3, 64, 64)
    given = {
        "images": images,
        "labels": torch.arange(32) % 7,
        "maps": torch.ones(32, 64, 64),
        "valid": torch.ones(32).bool(),
    }
    return cutmix(**options).prepare_batch(given, torch.Generator().manual_seed(seed))


def test_draws_come_from_the_generator_alone() -> None:
    one = _draw(4)
    torch.manual_seed(99)
    again, other = _draw(4), _draw(5)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["images"], other["images"])


def test_one_box_and_one_permutation_for_the_batch() -> None:
    """Every donor gives once, at the same place, and the share is that of the area."""
    for seed in range(20):
        mixed = _draw(seed)
        foreign = mixed["images"][:, 0] != torch.arange(32.0)[:, None, None]
        covered = foreign.any(0)
        if covered.any():
            rows, columns = covered.any(1).nonzero().flatten(), covered.any(0).nonzero().flatten()
            assert covered.sum() == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
            pasted = mixed["images"][:, 0, covered]
            assert (pasted == pasted[:, :1]).all()
            assert pasted[:, 0].sort().values.tolist() == list(range(32))
        assert mixed["host_share"].item() == pytest.approx(1 - covered.float().mean().item())


def test_the_share_follows_beta() -> None:
    """Beta(1, 1) is uniform; a large beta puts the share, before clipping, near a half."""
    shares = torch.stack([_draw(seed, beta=1e6)["host_share"] for seed in range(40)])
    side = 2 * (int(64 * math.sqrt(0.5)) // 2)
    assert shares.min().item() == pytest.approx(1 - side**2 / 64**2, abs=0.02)
    uniform = torch.stack([_draw(seed)["host_share"] for seed in range(200)])
    assert uniform.min() < 0.2 and uniform.max() > 0.98


def test_batches_are_mixed_as_often_as_asked() -> None:
    mixed = sum("donor_labels" in _draw(seed, probability=0.3) for seed in range(300))
    assert 60 < mixed < 120
    assert all("donor_labels" in _draw(seed) for seed in range(50))
