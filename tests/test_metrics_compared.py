"""Metrics of compared maps: by hand, against independent implementations, their chance levels and their references."""

import cv2
import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from fer_bench import registry
from fer_bench.au.resize import halfpixel
from fer_bench.compared_scores import Comparison, compared_metrics, partners
from fer_bench.expressions import EXPRESSIONS
from fer_bench.metrics import Found, Pair, Wanted, as_attention, as_cam, attention_cosine, cam_cosine, cosine, macro
from fer_bench.metrics.base import ComparedMetric
from fer_bench.normalised_rows import normalised_rows
from fer_bench.protocols import PROTOCOLS
from fer_bench.score_rows import row
from fer_bench.targets import PRESENT

NAMES = [name for name in registry.names("metrics") if issubclass(registry.plugin("metrics", name), ComparedMetric)]
SIDE = 24


def maps(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def blobs(seed, count, size=SIDE):
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(count, 2, generator=generator) * 0.6 + 0.2
    y, x = torch.meshgrid(*2 * [torch.linspace(0, 1, size)], indexing="ij")
    distance = (y - centre[:, 0, None, None]) ** 2 + (x - centre[:, 1, None, None]) ** 2
    return (1.1 * torch.exp(-distance / 0.02) - 0.1).clamp(0, 1)


def pair(found, target, others=None, prior=None):
    prior = torch.ones(target.shape[1:]) if prior is None else prior
    return Pair(Found(found), Wanted(target, others, prior))


def score(name, *given, **options):
    return registry.plugin("metrics", name)().per_image(pair(*given, **options))


FOUND = torch.tensor([[[4.0, 1.0], [3.0, 0.0]]])
TARGET = torch.tensor([[[1.0, 0.6], [0.0, 0.4]]])  # the region is the upper row


def test_scores_by_hand():
    assert score("energy", FOUND, TARGET).item() == pytest.approx(5 / 8)
    assert score("pointing_game", FOUND, TARGET).item() == 1
    # In order 4 (in), 3 (out), 1 (in), 0 (out): precision 1 at recall 1/2, 2/3 at recall 1.
    assert score("pixel_average_precision", FOUND, TARGET).item() == pytest.approx((1 + 2 / 3) / 2)
    # Otsu parts {4, 3} from {1, 0}: one pixel in common of three.
    assert score("otsu_iou", FOUND, TARGET).item() == pytest.approx(1 / 3)
    # Negatives weigh 0.4 at 3 and 0.2 at each other pixel: 4 beats 0.8 and half of its own 0.2, 1 beats 0.2 and 0.1.
    prior = torch.tensor([[0.2, 0.2], [0.4, 0.2]])
    assert score("shuffled_auc", FOUND, TARGET, prior=prior).item() == pytest.approx((0.9 + 0.3) / 2)


def test_class_specificity_by_hand():
    others = torch.tensor([[[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]], [[torch.inf] * 2] * 2]])
    own = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    norm = 26**0.5
    expected = 4 / norm - (3 / norm + 1 / norm) / 2
    assert score("class_specificity", FOUND, own, others=others).item() == pytest.approx(expected, abs=1e-6)
    assert torch.isnan(score("class_specificity", FOUND, own)).all()


def test_ties_are_shared():
    ties = torch.tensor([[[2.0, 0.0], [2.0, 0.0]]])
    assert score("pointing_game", ties, TARGET).item() == 0.5
    # Both levels hold one pixel inside and one outside.
    assert score("pixel_average_precision", ties, TARGET).item() == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["energy", "pointing_game", "pixel_average_precision"])
def test_a_constant_map_scores_the_area_of_the_region(name):
    target = blobs(0, 5)
    area = (target >= 0.5).float().mean(dim=(1, 2))
    assert torch.allclose(score(name, torch.full_like(target, 0.3), target), area)


def test_constant_maps_elsewhere():
    target, flat = blobs(1, 4), torch.full((4, SIDE, SIDE), 0.3)
    assert score("otsu_iou", flat, target).tolist() == [0, 0, 0, 0]
    assert torch.allclose(score("shuffled_auc", flat, target, prior=maps(0, SIDE, SIDE)), torch.full((4,), 0.5))


def test_average_precision_is_that_of_scikit_learn():
    found, target = maps(2, 6, SIDE, SIDE), blobs(2, 6)
    given = pair(found, target)
    got = score("pixel_average_precision", found, target).numpy()
    for k in range(6):
        truth = given.wanted.region[k].ravel()
        assert got[k] == pytest.approx(average_precision_score(truth, given.found.levels[k]), abs=1e-6)
        assert got[k] == pytest.approx(average_precision_score(truth, found[k].flatten().numpy()), abs=5e-3)


def test_shuffled_auc_is_a_weighted_auc():
    found, target, prior = maps(3, 4, SIDE, SIDE), blobs(3, 4), maps(4, SIDE, SIDE)
    got = score("shuffled_auc", found, target, prior=prior)
    given = pair(found, target)
    for k in range(4):
        inside, level = given.wanted.region[k].ravel(), given.found.levels[k]
        values = np.concatenate([level[inside], level])
        truth = np.concatenate([np.ones(inside.sum()), np.zeros(level.size)])
        weights = np.concatenate([np.ones(inside.sum()), prior.flatten().numpy()])
        assert got[k].item() == pytest.approx(roc_auc_score(truth, values, sample_weight=weights), abs=1e-6)


def test_otsu_threshold_parts_a_map_as_opencv_does():
    found = torch.cat([blobs(5, 4), maps(5, 2, SIDE, SIDE)])
    above = Found(found).above
    for k, one in enumerate(found.numpy()):
        grey = np.round(255 * (one - one.min()) / (one.max() - one.min())).astype(np.uint8)
        _, expected = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        assert (above[k] != expected.astype(bool)).mean() < 0.01


@pytest.mark.parametrize("name", [name for name in NAMES if name != "class_specificity"])
def test_a_perfect_map_has_the_highest_score(name):
    target = (blobs(6, 5) >= 0.5).float()
    perfect, random = score(name, target, target), score(name, maps(6, 5, SIDE, SIDE), target)
    assert (random < perfect).all()
    if name != "shuffled_auc":  # its negatives lie inside the region too
        assert torch.allclose(perfect, torch.ones(5))


@pytest.mark.parametrize("name", NAMES)
def test_the_batch_does_not_change_a_score(name):
    found, target, others = maps(7, 7, SIDE, SIDE), blobs(7, 7), blobs(8, 21).view(7, 3, SIDE, SIDE)
    target[2] = torch.inf
    together = score(name, found, target, others)
    parts = [score(name, found[k : k + 3], target[k : k + 3], others[k : k + 3]) for k in (0, 3, 6)]
    assert torch.allclose(together, torch.cat(parts), atol=1e-6, equal_nan=True)
    assert torch.isnan(together).tolist() == [k == 2 for k in range(7)]


AREA = {"energy", "pointing_game", "pixel_average_precision"}  # whose chance level is the region's share of the pixels


@pytest.mark.parametrize("name", [*sorted(AREA), "shuffled_auc", "class_specificity", "otsu_iou"])
def test_a_shuffled_map_scores_what_a_random_one_does(name):
    """Without any order of its pixels a map keeps the chance level: the region's area, one half, or no specificity."""
    target, others = blobs(9, 300), blobs(10, 600).view(300, 2, SIDE, SIDE)
    order = torch.stack([torch.randperm(SIDE**2, generator=torch.Generator().manual_seed(k)) for k in range(300)])
    found = blobs(11, 300).flatten(1).gather(1, order).view_as(target)
    area, above = (target >= 0.5).float().mean().item(), float(Found(found).above.mean())
    chance = dict.fromkeys(AREA, area) | {"shuffled_auc": 0.5, "class_specificity": 0.0}
    chance["otsu_iou"] = area * above / (area + above - area * above)  # two independent regions
    assert score(name, found, target, others).mean().item() == pytest.approx(chance[name], abs=0.02)


@pytest.mark.parametrize("resize", ["paper", "halfpixel"])
def test_maps_are_brought_to_size_as_the_cosines_do(resize):
    native, target = maps(12, 4, 7, 7) - 0.3, blobs(12, 4)
    attention = as_attention(native, (SIDE, SIDE), resize, True).maps
    assert torch.allclose(cosine(attention, target), attention_cosine(native, target, resize, True), atol=1e-6)
    cam = as_cam(native, (SIDE, SIDE)).maps
    assert torch.allclose(cosine(cam, target), cam_cosine(native, target), atol=1e-6)


# ---- over a split


class Split:
    """Targets of 84 faces whose maps lie in a place of their class."""

    side, names = SIDE, ["paper", PRESENT]
    labels = np.arange(84) % 7
    places = blobs(13, 7)

    def of_classes(self, name, rows, classes):
        found = self.places[torch.as_tensor(classes)]
        return torch.where(torch.as_tensor(classes == 0)[:, None, None], torch.inf, found)

    def true(self, name, rows):
        return self.of_classes(name, rows, self.labels[rows])


def comparison(found, batch=64):
    priors = dict.fromkeys(Split.names, Split.places[1:].mean(dim=0))
    ids = [f"face {k}" for k in range(84)]
    return Comparison(compared_metrics(NAMES), found, Split(), priors, ids, 7, PROTOCOLS["clean"], 5, batch)


def mean(scores):
    return macro(scores, Split.labels, EXPRESSIONS).value


def test_references_over_a_split():
    perfect = halfpixel(Split.places[Split.labels], (8, 8))
    own, references = comparison({"att.5": perfect, "cam.cam": perfect, "cam.gradcam": perfect}).scores()
    for name in NAMES:
        if name == "class_specificity":
            assert mean(references[f"att_{name}_chance_random", "5", "paper"]) == pytest.approx(0, abs=0.02)
            assert np.isnan(own[f"att_{name}.5.{PRESENT}.true_true"]).all()
        got = mean(own[f"att_{name}.5.paper.true_true"])
        ideal = mean(references[f"att_{name}_target_scored", "5", "paper"])
        assert got == pytest.approx(ideal, abs=1e-6)
        for chance in ("chance_random", "chance_shuffled"):
            assert mean(references[f"att_{name}_{chance}", "5", "paper"]) < got - 0.2, (name, chance)
        # Explainers of one grid share what does not depend on them.
        assert (f"cam_{name}_chance_random", "", "paper") in references
        assert (f"cam_{name}_chance_shuffled", "gradcam", "paper") in references
    assert all(np.isnan(scores[Split.labels == 0]).all() for scores in own.values())


def test_a_map_that_is_the_same_for_every_class_is_not_specific():
    blind = Split.places[1:].mean(dim=0).expand(84, SIDE, SIDE)
    own, _ = comparison({"att.5": blind}).scores()
    assert mean(own["att_class_specificity.5.paper.true_true"]) == pytest.approx(0, abs=1e-6)
    assert cosine(blind[:1], Split.places[1:2]).item() > 0.3
    assert mean(own["att_shuffled_auc.5.paper.true_true"]) == pytest.approx(0.6, abs=0.02)  # regions leave out tails


def test_scores_over_a_split_do_not_depend_on_the_batch():
    given = {"att.5": maps(14, 84, 8, 8)}
    for one, other in zip(comparison(given, 64).scores(), comparison(given, 10).scores(), strict=True):
        assert one.keys() == other.keys()
        assert all(np.allclose(one[key], other[key], atol=1e-6, equal_nan=True) for key in one)


def test_nobody_is_compared_with_his_own_map():
    found = partners(50, 3)
    assert sorted(found) == list(range(50))
    assert (found != np.arange(50)).all()
    assert (found == partners(50, 3)).all()


# ---- between floor and ceiling


def test_normalised_cosines_by_hand():
    place = {"layer": "5", "target": "paper", "subset": "all", "average": "macro"}
    rows = [
        row("att_cos", 0.7, 40, **place, pairing="true_true"),
        row("att_cos_ceiling", 0.9, 6, **place),
        row("att_cos_chance_constant", 0.5, 40, **(place | {"layer": ""})),
        row("att_cos_reference_blind_mean", 0.8, 40, **(place | {"layer": ""})),
        row("cam_cos", 0.7, 40, **place, pairing="true_true"),  # without its references there is nothing to say
    ]
    found = {one["metric"]: one["value"] for one in normalised_rows(rows)}
    assert found == {"att_cos_normalised": pytest.approx(0.5), "att_cos_normalised_blind": pytest.approx(-1.0)}
