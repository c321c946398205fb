"""A Gaussian in the middle of the image: a reference for scores, and a control for guidance."""

import torch

WIDTH = 0.25  # standard deviation as a share of the map's side


def centred_gaussian(size: tuple[int, int], width: float = WIDTH) -> torch.Tensor:
    """(H, W) float32 in (0, 1]: a Gaussian in the middle, its deviation `width` times each side."""
    profiles = []
    for side in size:
        position = (torch.arange(side, dtype=torch.float64) + 0.5) / side - 0.5
        profiles.append(torch.exp(-0.5 * (position / width) ** 2))
    return torch.outer(*profiles).to(torch.float32)
