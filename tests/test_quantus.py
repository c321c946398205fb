"""The deletion curve against the `quantus` package, where it is installed: `pip install quantus`, no dependency."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_bench.probes._curves import curves
from fer_bench.probes._orders import by_map

quantus = pytest.importorskip("quantus", reason="quantus is not installed")
SIDE = 10


class Small(nn.Module):
    """A convolution that is not linear in its image, on grey images: the package orders channels one by one."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (SIDE - 2) ** 2, 7))

    def forward(self, images):
        return self.layers(images)


def test_deletion_curve_is_that_of_pixel_flipping():
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Small().eval()
    images, soft = torch.rand(2, 3, 1, SIDE, SIDE, generator=generator)
    maps = torch.rand(3, SIDE, SIDE, generator=generator)
    classes = torch.tensor([0, 3, 6])

    def probability(shown):
        with torch.no_grad():
            return network(shown).softmax(dim=1).gather(1, classes[:, None])

    def blur(arr, indices, **_):
        changed = arr.copy()
        new = np.take_along_axis(soft.numpy().reshape(len(soft), -1), indices, axis=1)
        np.put_along_axis(changed, indices, new, axis=1)
        return changed

    flipping = quantus.PixelFlipping(
        features_in_step=SIDE, perturb_func=blur, abs=False, normalise=False, disable_warnings=True
    )
    theirs = flipping(
        model=network, x_batch=images.numpy(), y_batch=classes.numpy(), a_batch=maps[:, None].numpy(), softmax=True
    )
    orders = by_map(maps, torch.arange(SIDE * SIDE).expand(3, -1))
    ours = curves(probability, images, soft, orders[None])["deletion"][0, :, 1:, 0]
    np.testing.assert_allclose(ours.numpy(), np.array(theirs), atol=1e-6)
