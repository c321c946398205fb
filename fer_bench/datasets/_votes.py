"""One expression from the votes of ten annotators."""

from typing import Literal

import numpy as np

Rule = Literal["majority", "plurality"]
# columns of fer2013new.csv after usage and name
CANDIDATES = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
NO_EXPRESSION = ("unknown", "NF")


def decide(votes: np.ndarray, rule: Rule, outlier_votes: int) -> tuple[list[str], list[str]]:
    """Return the expression of each face, and why it has none ("" where it has one).

    A candidate with at most `outlier_votes` votes does not count, and its votes are not counted either.
    `majority`: more than half of the votes that are left, as in Barsoum et al. 2016 (arXiv 1608.01041, released code).
    `plurality`: more votes than any other. Faces won by `unknown` or `NF` (no face) have none.

    Args:
        votes: (N, 10) in the order of `CANDIDATES`.
        rule: see above.
        outlier_votes: 1 in the paper, 0 counts every vote.
    """
    counted = np.where(votes > outlier_votes, votes, 0)
    most, total = counted.max(axis=1), counted.sum(axis=1)
    clear = 2 * most > total if rule == "majority" else (counted == most[:, None]).sum(axis=1) == 1
    winners = [CANDIDATES[place] for place in counted.argmax(axis=1)]
    reasons = [_reason(*face, rule) for face in zip(winners, clear & (most > 0), strict=True)]
    return winners, reasons


def _reason(winner: str, clear: bool, rule: Rule) -> str:
    if not clear:
        return f"no {rule} of the votes"
    return {"unknown": "voted unknown", "NF": "voted no face"}.get(winner, "")
