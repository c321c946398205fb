"""Augmentation: maps follow the geometry, draws are reproducible, ranges hold."""

import math

import pytest
import torch
from torchvision.transforms.v2 import functional as one_image

from fer_bench import augment as batchwise
from fer_bench import augment_colour, augment_stepwise
from fer_bench.augment import augment, geometry
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


def coloured(images: torch.Tensor, seed: int = 0, **options: object) -> torch.Tensor:
    """The steps on colours alone."""
    draws = augment_colour.draw(len(images), images.shape[-1], changed(**options), generator(seed))
    return augment_colour.apply(images, draws)


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
    grey = coloured(images, grayscale_probability=1.0)
    torch.testing.assert_close(grey[:, 0], grey[:, 1])
    expected = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    torch.testing.assert_close(grey[:, 2], expected)


def test_jitter_stays_in_range_and_differs_between_images():
    images = torch.full((6, 3, 8, 8), 0.4)
    seen = coloured(images, jitter_probability=1.0)
    assert seen.min() >= 0 and seen.max() <= 1
    assert len(seen.flatten(1).mean(dim=1).unique()) == 6


def test_hue_turns_as_torchvision_turns_it():
    images, _ = batch(5, 24)
    images[0, :, :8] = 0.3  # grey has no hue
    images[1, 0] = images[1, 1]  # and where two channels are the largest, it is the same from both sides
    turns = torch.tensor([-0.1, 0.05, 0.1, 0.35, -0.5])
    found = augment_colour.turn_hue(images, turns)
    expected = [one_image.adjust_hue(image, float(turn)) for image, turn in zip(images, turns, strict=True)]
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=0)


def test_jitter_is_that_of_torchvision_in_the_order_drawn():
    images, _ = batch(4, 24)
    draws = augment_colour.draw(4, 24, Augmentation(), generator(2))
    expected = []
    for image, factors in zip(images, draws.factors.tolist(), strict=True):
        changed_image = image
        for name in draws.order:
            function = getattr(one_image, f"adjust_{name}")
            changed_image = function(changed_image, factors[augment_colour.STEPS.index(name)])
        expected.append(changed_image)
    # torchvision's luma has four digits
    torch.testing.assert_close(augment_colour.jitter(images, draws), torch.stack(expected), atol=2e-3, rtol=0)


def test_erasing_covers_the_area_asked_for_with_noise():
    images = torch.full((500, 3, 64, 64), 0.5)
    seen = coloured(images, erasing_probability=1.0, erasing_area=(0.1, 0.1))
    gone = (seen != 0.5).any(dim=1).float().mean(dim=(1, 2))
    assert gone.min() > 0.08 and gone.max() < 0.12
    noise = seen[seen != 0.5]
    assert abs(float(noise.mean())) < 0.02 and abs(float(noise.std()) - 1) < 0.02
    assert (images == 0.5).all()  # what was given is left alone


@pytest.mark.parametrize("probability", [0.2, 0.5])
def test_probability_is_per_image(probability):
    images = torch.full((3000, 3, 4, 4), 0.5)
    seen = coloured(images, erasing_probability=probability)
    assert abs(float((seen != 0.5).flatten(1).any(dim=1).float().mean()) - probability) < 0.03


@pytest.mark.parametrize("module", [batchwise, augment_stepwise], ids=["at once", "stepwise"])
def test_a_part_of_a_batch_gets_the_draws_it_has_in_the_whole(module):
    images = torch.randint(0, 256, (7, 3, 20, 20), dtype=torch.uint8, generator=generator(1))
    maps = torch.rand(7, 20, 20, generator=generator(2))
    draws = module.draw(7, 20, 16, Augmentation(), generator(4))
    whole = module.apply(images, maps, 16, draws)
    part = slice(2, 5)
    seen, followed = module.apply(images[part], maps[part], 16, draws[part])
    torch.testing.assert_close(seen, whole[0][part])
    torch.testing.assert_close(followed, whole[1][part])


def test_bytes_are_augmented_as_their_values_are():
    images = torch.randint(0, 256, (5, 3, 20, 20), dtype=torch.uint8, generator=generator(1))
    maps = torch.rand(5, 20, 20, generator=generator(2))
    of_bytes = augment(images, maps, 16, Augmentation(), generator(4))
    of_floats = augment(images.float() / 255, maps, 16, Augmentation(), generator(4))
    assert torch.equal(of_bytes[0], of_floats[0]) and torch.equal(of_bytes[1], of_floats[1])


def test_at_once_and_step_by_step_are_equally_distributed():
    """Two ways of one recipe: colours, positions and sizes of what is seen agree within what chance allows."""
    size, count = 32, 1500
    places = torch.linspace(0, 255, size)
    stack = [places.expand(size, size), places.flip(0)[:, None].expand(size, size), torch.full((size, size), 90.0)]
    images = torch.stack(stack).to(torch.uint8).expand(count, -1, -1, -1)
    maps = torch.zeros(count, size, size)
    maps[:, 12:20, 8:16] = 1.0
    settings = Augmentation(erasing_probability=0)
    found = []
    for module, seed in ((batchwise, 1), (augment_stepwise, 2)):
        parts = []
        for number in range(10):  # an order of the colour steps each
            part = slice(number * count // 10, (number + 1) * count // 10)
            draws = module.draw(count // 10, size, size, settings, generator(100 * seed + number))
            seen, followed = module.apply(images[part], maps[part], size, draws)
            columns = torch.arange(size, dtype=torch.float32)
            mass = followed.sum(dim=(1, 2)).clamp_min(1)
            across = (followed.sum(dim=1) * columns).sum(dim=1) / mass
            parts.append(torch.stack([*seen.mean(dim=(2, 3)).unbind(1), followed.mean(dim=(1, 2)), across], dim=1))
        found.append(torch.cat(parts))
    first, second = found
    deviation = (first.var(dim=0) / count + second.var(dim=0) / count).sqrt()
    # Step by step a crop has whole pixels: at this size its area is off by some percent.
    assert ((first.mean(dim=0) - second.mean(dim=0)).abs() < 4 * deviation + 0.02 * first.mean(dim=0)).all()
    assert ((first.std(dim=0) / second.std(dim=0)).log().abs() < 0.15).all()


def test_same_generator_same_batch():
    images, maps = batch()
    first = augment(images, maps, 12, Augmentation(), generator(5))
    second = augment(images, maps, 12, Augmentation(), generator(5))
    other = augment(images, maps, 12, Augmentation(), generator(6))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (8, 3, 12, 12) and first[1].shape == (8, 12, 12)
