"""The published augmentation, step by step: against Pillow by hand, and maps that follow."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_augment import NOTHING, changed, generator

from fer_bench.augment_stepwise import _Geometry, augment
from fer_bench.protocols import PROTOCOLS
from fer_bench.resample import resample

SIDE = 32


def batch(count: int = 6, side: int = SIDE) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(5)
    images = torch.randint(0, 256, (count, 3, side, side), generator=random).float() / 255
    return images, torch.rand(count, side, side, generator=random)


def test_nothing_switched_on_changes_nothing():
    images, maps = batch()
    seen, followed = augment(images, maps, SIDE, NOTHING, generator())
    torch.testing.assert_close(seen, images)
    assert torch.equal(followed, maps)


def test_flip_mirrors_image_and_map_alike():
    images, maps = batch()
    seen, followed = augment(images, maps, SIDE, changed(flip_probability=1.0), generator())
    torch.testing.assert_close(seen, images.flip(-1))
    assert torch.equal(followed, maps.flip(-1))


def test_each_step_is_the_published_resampling():
    """Bicubic rotation, crop, bilinear resize for the image; nearest in all of them for the map."""
    image, map_ = (part[0] for part in batch(1))
    step = _Geometry(angle=5.0, left=2, top=3, side=28, mirrored=True)
    pixels = Image.fromarray((image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy())
    turned = (
        pixels.rotate(5.0, Image.Resampling.BICUBIC).crop((2, 3, 30, 31)).resize((24, 24), Image.Resampling.BILINEAR)
    )
    expected = torch.from_numpy(np.array(turned)).permute(2, 0, 1).flip(-1) / 255
    torch.testing.assert_close(step.image(image, 24), expected)
    values = torch.unique(step.map(map_, 24))
    assert set(values.tolist()) <= {0.0, *map_.flatten().tolist()}  # nearest makes no new values


def test_a_quarter_turn_goes_counter_clockwise():
    map_ = torch.zeros(SIDE, SIDE)
    map_[:4, -4:] = 1.0  # top right
    turned = _Geometry(angle=90.0, left=0, top=0, side=SIDE, mirrored=False).map(map_, SIDE)
    assert turned[:4, :4].min() == 1 and turned.sum() == 16  # top left


def test_maps_follow_images_through_everything():
    maps = torch.zeros(16, SIDE * 2, SIDE * 2)
    maps[:, 20:34, 30:50] = 1.0
    settings = changed(rotation=30.0, rotation_probability=1.0, crop_area=(0.6, 0.9), flip_probability=0.5)
    seen, followed = augment(maps[:, None].repeat(1, 3, 1, 1), maps, SIDE, settings, generator(3))
    agreement = torch.nn.functional.cosine_similarity(seen[:, 0].flatten(1), followed.flatten(1))
    assert agreement.min() > 0.9


def test_maps_start_at_the_resolution_of_the_stored_image():
    images, _ = batch(1, 16)
    stored = torch.arange(64.0).view(1, 8, 8) / 64
    _, followed = augment(images, stored, 16, NOTHING, generator())
    assert torch.equal(followed, stored.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_crops_stay_inside_and_keep_the_share_asked_for():
    settings = changed(crop_area=(0.8, 1.0))
    random = generator()
    steps = [_Geometry.draw(256, settings, random) for _ in range(300)]
    assert all(0 <= s.left <= 256 - s.side and 0 <= s.top <= 256 - s.side for s in steps)
    shares = [s.side**2 / 256**2 for s in steps]
    assert 0.795 < min(shares) < 0.82 and 0.98 < max(shares) <= 1.0


def test_the_same_generator_gives_the_same_batch():
    images, maps = batch()
    settings = changed(rotation=6.0, rotation_probability=0.5, erasing_probability=0.5, jitter_probability=0.8)
    one, other = (augment(images, maps, 24, settings, generator(9)) for _ in range(2))
    assert all(torch.equal(first, second) for first, second in zip(one, other, strict=True))


@pytest.mark.parametrize(("how", "value"), [("area", 127.5), ("bilinear", 127.5)])
def test_resampling_of_a_checkerboard_keeps_its_mean(how, value):
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    assert abs(resample(board, 16, how).mean() - value) <= 1  # without antialiasing it would be black or white
    assert resample(board, 64, how) is board


def test_only_the_published_protocol_steps():
    assert PROTOCOLS["paper"].stepwise and not PROTOCOLS["clean"].stepwise
