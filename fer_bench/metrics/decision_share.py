"""Share of the attention in the channels that decide."""

import torch

from fer_bench.metrics.base import DecisionMetric

CARRIED = 0.9  # share of the sum of |contribution| that the deciding channels carry


class Metric(DecisionMetric):
    """Mass of the attention in the fewest channels that carry 90 % of Σ_c |w_c mean(F_c)|, w of the true class.

    A mean over channels can be satisfied by channels that do not decide: then this share is low. Chance, with as many
    channels drawn at random, is their number over all channels.
    """

    id = "decision_share"
    label = "attention in deciding channels"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = ""

    def per_image(self, features: torch.Tensor, contributions: torch.Tensor) -> dict[str, torch.Tensor]:
        """(N,) in [0, 1]: the share and, as `_chance_random`, its chance level; NaN where nothing contributes.

        The mass of a channel is |mean(F_c)|: of features that cannot be negative, its part of the attention.
        """
        carried, mass = contributions.mean(dim=(2, 3)).abs(), features.mean(dim=(2, 3)).abs()
        ordered, order = carried.sort(dim=1, descending=True)
        before = ordered.cumsum(dim=1) - ordered
        deciding = before < CARRIED * ordered.sum(dim=1, keepdim=True)  # each is needed to reach the share
        share = (mass.gather(1, order) * deciding).sum(dim=1) / mass.sum(dim=1)
        chance = torch.where(deciding.any(dim=1), deciding.float().mean(dim=1), torch.nan)
        return {"": torch.where(deciding.any(dim=1), share, torch.nan), "_chance_random": chance}
