"""What a network says of one face: probabilities, attention, and the class activation maps of its own answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fer_bench.classifier_output import Output
from fer_bench.errors import unknown
from fer_bench.explainers import explain_all
from fer_bench.resample import resample
from fer_bench.trained import Trained


@dataclass(frozen=True, eq=False)
class NetworkMaps:
    """What one forward pass and the explainers give.

    probabilities: (K,), soft-max. attention: (h, w), mean over channels of the last features. cams: explainer -> (h, w)
    map of the predicted class in [0, 1].
    """

    probabilities: np.ndarray
    attention: np.ndarray
    cams: dict[str, np.ndarray]

    @property
    def predicted(self) -> int:
        """Class of the largest probability."""
        return int(self.probabilities.argmax())


def chosen_explainers(trained: Trained, names: Sequence[str] | None) -> list[str]:
    """Explainers as asked for; by default the first one that the cell is scored with. InputError for unknown ones."""
    known = trained.about.reading.explainers
    for name in names or ():
        if name not in known:
            raise unknown("explainer of this network", name, "--explainer", known)
    return list(dict.fromkeys(names)) if names else list(known[:1])


def network_maps(trained: Trained, crop: np.ndarray, explainers: Sequence[str]) -> NetworkMaps:
    """Put a face crop (H, W, 3) uint8 through the network as a test image of its dataset would go."""
    how = trained.about.preparation
    pixels = resample(crop, how.input_size, how.resampling)
    images = torch.from_numpy(pixels[None]).permute(0, 3, 1, 2).float().div(255)
    cams, output = explain_all(trained.classifier, images, _predicted, explainers)
    return NetworkMaps(
        probabilities=output.logits.softmax(dim=1)[0].double().numpy(),
        attention=output.features[max(output.features)].mean(dim=1)[0].numpy(),
        cams={name: maps[0, 0].numpy() for name, maps in cams.items()},
    )


def _predicted(output: Output) -> torch.Tensor:
    return output.logits.argmax(dim=1)[:, None]
