"""Maps of the `grad-cam` package at the grid of the last features, to hold ours against."""

import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn


class Logits(nn.Module):
    """The network as the `grad-cam` package wants it: logits out, a module to hook at the last features."""

    def __init__(self, network):
        super().__init__()
        self.network, self.tap = network, nn.Identity()

    def forward(self, images):
        return self.network.logits_from_features(self.tap(self.network(images).features[5]))


def package_map(kind, network, images, classes):
    """(B, h, w) in [0, 1] from one class of the package, e.g. `GradCAM`."""
    wrapped = Logits(network)
    with kind(wrapped, [wrapped.tap]) as cam:
        cam.get_target_width_height = lambda _: None  # the native grid
        found = cam(images, [ClassifierOutputTarget(int(k)) for k in classes])
    network.zero_grad()
    return torch.from_numpy(found)
