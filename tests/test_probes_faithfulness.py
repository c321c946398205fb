"""Deletion, insertion and randomisation by hand, and on a small network whose weights are known to be left alone."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_bench import classifier
from fer_bench.data import Faces
from fer_bench.probes import _likeness, _orders, _randomise, deletion_insertion, randomisation
from fer_bench.probes._curves import STEPS, area, curves
from fer_bench.probes._sample import sampled
from fer_bench.probes.base import Subject

SIDE = 10
# A pixel of row r is worth r / 450: the rows 0 to 9 are worth 0, 1/45, ..., 9/45, the whole image 1.
WORTH = (torch.arange(10.0, dtype=torch.float64) / 450)[:, None].expand(SIDE, SIDE)


def value(images):
    return (images.mean(dim=1) * WORTH).sum(dim=(1, 2))[:, None]


def follow(*orders):
    images = torch.ones(1, 3, SIDE, SIDE, dtype=torch.float64)
    return curves(value, images, torch.zeros_like(images), torch.stack(orders)[:, None])


UP = torch.arange(SIDE * SIDE)  # the worthless row first
DOWN = UP.flip(0)


def test_curves_of_a_linear_classifier_are_those_by_hand():
    found = follow(DOWN)
    left = torch.tensor([45.0, 36, 28, 21, 15, 10, 6, 3, 1, 0, 0], dtype=torch.float64) / 45
    torch.testing.assert_close(found["deletion"][0, 0, :, 0], left)
    torch.testing.assert_close(found["insertion"][0, 0, :, 0], 1 - left)
    assert area(found["deletion"]).item() == pytest.approx(142.5 / 450)  # (45/2 + 36 + ... + 1) / 45 / 10
    assert area(found["insertion"]).item() == pytest.approx(1 - 142.5 / 450)


def test_a_perfect_order_beats_random_patches_and_its_reverse_loses_as_much():
    patches = [_orders.by_patches((5, 5), SIDE, np.random.default_rng(seed)) for seed in range(300)]
    best, worst, *random = (area(found) for found in follow(DOWN, UP, *patches)["deletion"])
    assert torch.stack(random).mean().item() == pytest.approx(0.5, abs=0.015)  # chance: a straight line
    assert best.item() == pytest.approx(0.5 - (worst.item() - 0.5))
    assert best < min(random) and worst > max(random)


def test_shuffled_maps_score_the_chance_level():
    cells = torch.arange(25.0).view(1, 25)
    shuffled = torch.cat([cells[:, torch.randperm(25, generator=torch.Generator().manual_seed(s))] for s in range(300)])
    maps = shuffled.view(-1, 5, 5).repeat_interleave(2, 1).repeat_interleave(2, 2)
    orders = _orders.by_map(maps, torch.arange(100).expand(len(maps), -1))
    areas = area(follow(*orders)["deletion"])
    assert areas.mean().item() == pytest.approx(0.5, abs=0.015)


def test_patches_are_whole_cells_of_the_grid():
    order = _orders.by_patches((3, 2), 12, np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(144))
    for part in order.view(6, 24):
        rows, columns = part // 12, part % 12
        assert len(set((rows // 4).tolist())) == len(set((columns // 6).tolist())) == 1


def test_equal_values_follow_the_given_order():
    ties = torch.tensor([[3, 1, 0, 2]])
    assert _orders.by_map(torch.ones(1, 2, 2), ties).tolist() == [[3, 1, 0, 2]]
    assert _orders.by_map(torch.tensor([[[0.0, 0.0], [2.0, 0.0]]]), ties).tolist() == [[2, 3, 1, 0]]


def test_leading_pixels_are_a_share_of_all():
    mask = _orders.leading(torch.tensor([[3, 1, 0, 2]]), 0.5, 2)
    assert mask[0, 0].tolist() == [[False, True], [False, True]]


def test_the_draw_of_images_depends_on_ids_alone():
    ids = [f"face_{number}" for number in range(200)]
    drawn = {ids[row] for row in sampled(ids, 20)}
    backwards = ids[::-1]
    assert {backwards[row] for row in sampled(backwards, 20)} == drawn and len(drawn) == 20
    assert len({ids[row] for row in sampled(ids[:190], 20)} - drawn) == len(drawn - set(ids[:190]))
    assert list(sampled(ids[:5], 20)) == [0, 1, 2, 3, 4]


def test_likeness_by_hand():
    first = np.array([[[1.0, 2], [3, 4]], [[1, 2], [3, 4]], [[1, 1], [1, 1]]])
    second = np.array([[[4.0, 3], [2, 1]], [[10, 30], [20, 40]], [[1, 2], [3, 4]]])
    rank = _likeness.pairwise("rank", first, second)
    assert rank[:2] == pytest.approx([-1.0, 0.8]) and np.isnan(rank[2])  # 1 - 6 * 2 / (4 * 15)
    cosine = _likeness.pairwise("cosine", first, second)
    assert cosine[0] == pytest.approx(20 / 30) and cosine[2] == pytest.approx(10 / np.sqrt(4 * 30))


def test_likeness_between_images_leaves_each_image_itself_out():
    maps = np.array([[[1.0, 2], [3, 4]], [[1, 2], [3, 4]], [[4, 3], [2, 1]], [[1, 1], [1, 1]]])
    found = _likeness.between("rank", maps)
    assert found[:3] == pytest.approx([0.0, 0.0, -1.0]) and np.isnan(found[3])


# A small network with faces made of noise.


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        section = {"backbone": "resnet10t", "weights": "random", "method": "cam", "input_size": 64}
        return classifier.build(section).eval()


def subject(network, batch_size=4, count=5):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    frame = pd.DataFrame({"id": [f"n{row}" for row in range(count)], "path": [str(row) for row in range(count)]})
    faces = Faces(frame, np.arange(count) % 7, Path(), None)
    faces.decode = lambda row, size: pixels[row]
    files = SimpleNamespace(faces=lambda split: faces)
    return Subject(network, ["cam", "gradcam"], files, 64, batch_size, "halfpixel", seed=1)


@pytest.mark.parametrize("probe", [deletion_insertion, randomisation])
def test_batch_size_does_not_matter(network, probe):
    results = [probe.Probe().run(subject(network, batch_size)) for batch_size in (2, 5)]
    (rows, frame), (others, other) = results
    pd.testing.assert_frame_equal(
        frame.sort_values(list(frame)[:1], kind="stable", ignore_index=True),
        other.sort_values(list(other)[:1], kind="stable", ignore_index=True),
        rtol=1e-4,
        atol=1e-5,
    )
    pd.testing.assert_frame_equal(pd.DataFrame(rows), pd.DataFrame(others), rtol=1e-3, atol=1e-3)


def test_curves_begin_and_end_with_the_same_two_images(network):
    rows, frame = deletion_insertion.Probe().run(subject(network))
    assert set(frame["source"]) == {"cam", "gradcam", "attention", "chance"}
    assert len(frame) == 5 * 4 * (STEPS + 1)
    for value_name in ("probability", "logit"):
        for share, other in ((0.0, 1.0), (1.0, 0.0)):
            ends = frame[frame["share"] == share].groupby("id")[f"deletion.{value_name}"]
            opposite = frame[frame["share"] == other].groupby("id")[f"insertion.{value_name}"]
            assert ends.nunique().max() == 1
            assert (ends.first() == opposite.first()).all()
    by_name = {(row["metric"], row["explainer"], row["layer"]): row["value"] for row in rows}
    for mode, sign in (("deletion", -1), ("insertion", 1)):
        own, chance, gain = (by_name[f"{mode}_logit{suffix}", "", "5"] for suffix in ("", "_chance", "_gain"))
        assert gain == pytest.approx(sign * (own - chance), abs=2e-6)


class Linear(torch.nn.Module):
    """The logit of class 0 is the sum of all pixels, that of the others 0."""

    layers = (5,)

    def forward(self, images):
        total = images.double().mean(dim=1).sum(dim=(1, 2))
        return SimpleNamespace(logits=torch.stack([total, *[torch.zeros_like(total)] * 6], dim=1))


@pytest.mark.parametrize(("sign", "wins"), [(1, True), (-1, False)])
def test_the_exact_map_gains_and_its_reverse_loses(monkeypatch, sign, wins):
    def exact(_network, images, _classes, _explainers):
        soft = torch.stack([deletion_insertion._soft(image) for image in images])
        return {"cam": sign * (images - soft).mean(dim=1)}

    monkeypatch.setattr(deletion_insertion, "shown_maps", exact)
    asked = subject(Linear())
    asked.files.faces("test").labels[:] = 0
    rows, _ = deletion_insertion.Probe().run(asked)
    gains = [row["value"] for row in rows if row["metric"].endswith("logit_gain")]
    assert len(gains) == 2 and all((gain > 1) == wins for gain in gains)


def test_redrawing_leaves_the_network_and_the_random_state_alone(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.random.get_rng_state()
    copies = {step: _randomise.redrawn(network, 7, step).state_dict() for step in _randomise.STEPS}
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    weights = [name for name, tensor in before.items() if tensor.ndim > 1 and name.startswith(("backbone.", "method."))]
    changed = {step: [n for n in weights if not torch.equal(copy[n], before[n])] for step, copy in copies.items()}
    assert changed["all"] == weights
    assert changed["head"] == [name for name in weights if name.startswith("method.")]
    assert set(changed["head"]) < set(changed["upper_half"]) < set(changed["all"])
    assert weights[0] not in changed["upper_half"]  # the first convolution


def test_redrawn_weights_come_from_the_seed(network):
    one, same, other = (_randomise.redrawn(network, seed, "all").state_dict() for seed in (7, 7, 8))
    name = next(name for name in one if name.startswith("method."))
    assert torch.equal(one[name], same[name]) and not torch.equal(one[name], other[name])


def test_attention_does_not_depend_on_the_head(network):
    rows, _ = randomisation.Probe().run(subject(network))
    rank = {row["subset"]: row["value"] for row in rows if row["metric"] == "randomised_rank" and row["layer"] == "5"}
    assert rank["head"] == pytest.approx(1.0)
    assert rank["all"] < 0.9
