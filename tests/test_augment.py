"""Augmentation: maps follow the geometry, draws are reproducible, ranges hold."""

import math

import pytest
import torch

from fer_bench.augment import augment, erase, geometry, jitter, to_grayscale
from fer_bench.train_settings import Augmentation

NOTHING = Augmentation(
    rotation_probability=0,
    crop_area=(1.0, 1.0),
    flip_probability=0,
    grayscale_probability=0,
    jitter_probability=0,
    erasing_probability=0,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def changed(**options: object) -> Augmentation:
    return NOTHING.model_copy(update=options)


def batch(count: int = 8, size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(7)
    return torch.rand(count, 3, size, size, generator=random), torch.rand(count, size, size, generator=random)


def test_nothing_switched_on_changes_nothing():
    images, maps = batch()
    seen, followed = augment(images, maps, 16, NOTHING, generator())
    torch.testing.assert_close(seen, images, atol=1e-5, rtol=0)
    torch.testing.assert_close(followed, maps, atol=1e-5, rtol=0)


def test_flip_mirrors_image_and_map_alike():
    images, maps = batch()
    seen, followed = augment(images, maps, 16, changed(flip_probability=1.0), generator())
    torch.testing.assert_close(seen, images.flip(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(followed, maps.flip(-1), atol=1e-5, rtol=0)


def test_map_follows_a_bright_spot_through_all_geometry():
    settings = changed(rotation=30.0, rotation_probability=1.0, crop_area=(0.6, 0.9), flip_probability=0.5)
    size = 65
    maps = torch.zeros(16, size, size)
    maps[:, 20:27, 36:43] = 1.0
    images = maps[:, None].repeat(1, 3, 1, 1)
    seen, followed = augment(images, maps, 64, settings, generator(3))
    agreement = torch.nn.functional.cosine_similarity(seen[:, 0].flatten(1), followed.flatten(1))
    assert agreement.min() > 0.95  # bilinear against nearest: equal but for the rim


def test_rotation_by_ninety_degrees_by_hand():
    settings = changed(rotation=90.0, rotation_probability=1.0)
    matrices = geometry(2000, settings, generator())
    angles = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]) * 180 / math.pi
    assert -90 <= angles.min() < -85 and 85 < angles.max() <= 90
    # A rotation keeps lengths: the columns are orthonormal.
    torch.testing.assert_close(matrices[:, :, 0].norm(dim=1), torch.ones(2000))


def test_crop_stays_inside_and_has_the_area_asked_for():
    matrices = geometry(2000, changed(crop_area=(0.5, 0.8)), generator())
    side = matrices[:, 0, 0]
    area = side**2
    assert 0.5 <= area.min() < 0.52 and 0.78 < area.max() <= 0.8
    reach = matrices[:, :, 2].abs().amax(dim=1) + side
    assert reach.max() <= 1 + 1e-6


def test_grayscale_has_equal_channels():
    images, _ = batch()
    grey = to_grayscale(images, changed(grayscale_probability=1.0), generator())
    torch.testing.assert_close(grey[:, 0], grey[:, 1])
    expected = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    torch.testing.assert_close(grey[:, 2], expected)


def test_jitter_stays_in_range_and_differs_between_images():
    images = torch.full((6, 3, 8, 8), 0.4)
    seen = jitter(images, changed(jitter_probability=1.0), generator())
    assert seen.min() >= 0 and seen.max() <= 1
    assert len(seen.flatten(1).mean(dim=1).unique()) == 6


def test_erasing_covers_the_area_asked_for_with_noise():
    images = torch.full((500, 3, 64, 64), 0.5)
    seen = erase(images, changed(erasing_probability=1.0, erasing_area=(0.1, 0.1)), generator())
    gone = (seen != 0.5).any(dim=1).float().mean(dim=(1, 2))
    assert gone.min() > 0.08 and gone.max() < 0.12
    noise = seen[seen != 0.5]
    assert abs(float(noise.mean())) < 0.02 and abs(float(noise.std()) - 1) < 0.02


@pytest.mark.parametrize("probability", [0.2, 0.5])
def test_probability_is_per_image(probability):
    images = torch.full((3000, 3, 4, 4), 0.5)
    seen = erase(images, changed(erasing_probability=probability), generator())
    assert abs(float((seen != 0.5).flatten(1).any(dim=1).float().mean()) - probability) < 0.03


def test_same_generator_same_batch():
    images, maps = batch()
    first = augment(images, maps, 12, Augmentation(), generator(5))
    second = augment(images, maps, 12, Augmentation(), generator(5))
    other = augment(images, maps, 12, Augmentation(), generator(6))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (8, 3, 12, 12) and first[1].shape == (8, 12, 12)
