"""Probes by hand: shares of a map, scores against known pixels, equal-area patches, rows of the shortcut probe."""

import math

import numpy as np
import pytest
import torch

from fer_bench.probes import _share, shortcut
from fer_bench.probes._patches import TILES, patches
from fer_bench.probes._truth import SCORES, energy, pointing, precision

NAN = float("nan")


def test_energy_share_counts_what_lies_on_the_cue():
    maps = torch.tensor([[[1.0, 3.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    covers = torch.tensor([[[0.0, 1.0], [0.0, 0.5]]]).expand(2, 2, 2)
    share = _share.energy_share(maps, covers)
    assert share[0] == pytest.approx((3 + 2) / 8)
    assert share[1].isnan()


def test_covers_keep_their_area_at_another_size():
    covers = np.zeros((1, 8, 8), bool)
    covers[0, 2:5, 1:6] = True
    small = _share.covers_at(covers, 4)
    assert small.shape == (1, 4, 4)
    assert small.mean() == pytest.approx(covers.mean())


def test_ceiling_is_reached_by_the_best_single_cell_and_by_no_other_map():
    generator = torch.Generator().manual_seed(0)
    covers = (torch.rand(5, 16, 16, generator=generator) < 0.1).float()
    best = _share.ceiling(covers, (4, 4))
    single = torch.eye(16).view(16, 4, 4)
    shares = torch.stack(
        [_share.energy_share(_share.at_size(single, 16), cover.expand(16, 16, 16)) for cover in covers]
    )
    torch.testing.assert_close(best, shares.amax(dim=1))
    noise = _share.at_size(torch.rand(5, 4, 4, generator=generator), 16)
    assert (_share.energy_share(noise, covers) <= best).all()


def test_scores_against_known_pixels():
    truth = np.array([[True, False], [True, False]])
    found = np.array([[3.0, 2.0], [1.0, 0.0]])
    assert energy(found, truth) == pytest.approx(4 / 6)
    assert precision(found, truth) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)  # recall rises at ranks 1 and 3
    assert pointing(found, truth) == 1.0
    assert pointing(1 - found, truth) == 0.0


def test_a_perfect_map_scores_one_and_a_constant_map_its_chance_level():
    truth = np.zeros((10, 10), bool)
    truth[2:4, 3:8] = True
    for score in SCORES.values():
        assert score(truth.astype(float), truth) == pytest.approx(1.0)
        assert score(np.ones(truth.shape), truth) == pytest.approx(truth.mean())
        assert math.isnan(score(np.zeros(truth.shape), truth))


def test_patches_cover_exactly_the_area_asked_for_and_only_face():
    face = np.zeros((40, 40), bool)
    face[4:36, 8:30] = True
    for area in (0, 1, 100, int(face.sum())):
        covered = patches(face, area, np.random.default_rng(area))
        assert covered.sum() == area
        assert not (covered & ~face).any()


def test_patches_fill_whole_tiles_and_differ_by_order():
    face = np.ones((40, 40), bool)
    tile = (40 // TILES) ** 2
    drawn = [patches(face, 10 * tile, np.random.default_rng(seed)) for seed in range(4)]
    for covered in drawn:
        counts = covered.reshape(TILES, 5, TILES, 5).sum(axis=(1, 3))
        assert sorted(set(counts.ravel().tolist())) == [0, tile]
    assert len({covered.tobytes() for covered in drawn}) == 4
    hits = np.mean([patches(face, 400, np.random.default_rng(seed)) for seed in range(400)], axis=0)
    assert abs(hits - 0.25).max() < 0.1  # every tile alike


def test_accuracy_and_following_count_the_faces_that_have_a_cue():
    predicted, labels, cue = np.array([0, 1, 2, 3]), np.array([0, 1, 0, 0]), np.array([1, 1, 2, 3])
    there = np.array([True, True, True, False])
    rows = shortcut._predictions("random", predicted, labels, cue, there)
    assert [(row["metric"], row["value"], row["n"], row["subset"]) for row in rows] == [
        ("shortcut_accuracy", pytest.approx(200 / 3, abs=1e-6), 3, "random"),
        ("shortcut_followed", pytest.approx(200 / 3, abs=1e-6), 3, "random"),
    ]
    assert len(shortcut._predictions("clean", predicted, labels, None, there)) == 1


def test_reliance_is_aligned_minus_conflict():
    labels, there = np.zeros(4, int), np.ones(4, bool)
    answers = {"clean": [0, 0, 1, 1], "aligned": [0, 0, 0, 1], "random": [0, 1, 1, 1], "conflict": [1, 1, 1, 1]}
    rows = [
        row
        for view, predicted in answers.items()
        for row in shortcut._predictions(view, np.array(predicted), labels, None, there)
    ]
    assert shortcut._reliance(rows)["value"] == 75.0


def test_a_share_is_a_mean_over_faces_that_have_a_cue_and_a_map():
    shares = np.array([0.1, 0.3, NAN, 0.9])
    found = shortcut._share("cam.gradcam", "aligned", shares, np.array([True, True, True, False]))
    assert (found["value"], found["n"], found["explainer"], found["direction"]) == (20.0, 2, "gradcam", "lower")
