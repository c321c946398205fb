"""The two protocols: `clean`, which we recommend, and `paper`, which is faithful to the published code."""

from dataclasses import dataclass
from typing import Literal

Resize = Literal["paper", "halfpixel"]


@dataclass(frozen=True)
class Protocol:
    """What a protocol decides.

    resize: operator for attention and its target, in the loss and in the score (method facts D4).
    selection_split: the split that chooses the checkpoint; `paper` uses the test split as the published code does (D1).
    later_tie_wins: whether a later epoch that equals the best replaces it (D2).
    shift_in_loss, shift_in_score: whether attention with a negative minimum is shifted up to zero (D5). Attention of a
        transformer has an arbitrary sign; `clean` shifts it alike in both places, the published code in the score only.
    resampling: how images are brought to the input size (see `fer_bench.resample`).
    stepwise: whether every geometric step of the augmentation resamples image and map anew, as published (D23), instead
        of once for all.
    validates_untrained: whether the network is scored once before training, as a first candidate for the checkpoint.
    """

    name: str
    resize: Resize
    selection_split: Literal["val", "test"]
    later_tie_wins: bool
    shift_in_loss: bool
    shift_in_score: bool
    validates_untrained: bool
    resampling: Literal["area", "bilinear"]
    stepwise: bool


PROTOCOLS = {
    "clean": Protocol(
        "clean",
        "halfpixel",
        "val",
        later_tie_wins=False,
        shift_in_loss=True,
        shift_in_score=True,
        validates_untrained=False,
        resampling="area",
        stepwise=False,
    ),
    "paper": Protocol(
        "paper",
        "paper",
        "test",
        later_tie_wins=True,
        shift_in_loss=False,
        shift_in_score=True,
        validates_untrained=True,
        resampling="bilinear",
        stepwise=True,
    ),
}
