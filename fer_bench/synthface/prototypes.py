"""Which action units a face shows for an expression: variants that one face can show at once.

The sets are those of the codebook that the benchmark's maps are made of (Martinez et al., 2017, DOI
10.1109/TAFFC.2017.2731763, as printed in Fig. 2 of Belharbi et al., arXiv 2402.00281), split where units exclude one
another, as the variants of the FACS Investigator's Guide (EMFACS) do: anger with pressed lips or with bared teeth,
disgust with a raised chin or a lowered lip, surprise with a dropped or a stretched jaw.
"""

from dataclasses import dataclass

CODEBOOK: dict[str, frozenset[int]] = {
    "neutral": frozenset(),
    "happiness": frozenset({6, 12, 25}),
    "surprise": frozenset({1, 2, 5, 26, 27}),
    "fear": frozenset({1, 2, 4, 5, 20, 25, 26, 27}),
    "anger": frozenset({4, 5, 7, 10, 17, 23, 24, 25, 26}),
    "disgust": frozenset({9, 10, 16, 17, 25, 26}),
    "sadness": frozenset({1, 4, 6, 15, 17}),
}


@dataclass(frozen=True)
class Variant:
    """One way to show an expression: its share among the variants, and each unit's intensity relative to the whole."""

    share: float
    intensities: dict[int, float]


VARIANTS: dict[str, tuple[Variant, ...]] = {
    "neutral": (Variant(1.0, {}),),
    "happiness": (Variant(1.0, {6: 0.9, 12: 1.0, 25: 0.9}),),
    "surprise": (
        Variant(0.6, {1: 1.0, 2: 1.0, 5: 1.0, 27: 0.8}),
        Variant(0.4, {1: 0.9, 2: 0.9, 5: 0.9, 26: 0.9}),
    ),
    "fear": (
        Variant(0.75, {1: 1.0, 2: 0.6, 4: 0.6, 5: 1.0, 20: 1.0, 25: 0.8, 26: 0.5}),
        Variant(0.25, {1: 1.0, 2: 0.6, 4: 0.6, 5: 1.0, 20: 1.0, 25: 0.4, 27: 0.4}),
    ),
    "anger": (
        Variant(0.5, {4: 1.0, 5: 0.5, 7: 0.9, 17: 0.7, 23: 0.9, 24: 0.9}),
        Variant(0.5, {4: 1.0, 5: 0.5, 7: 0.9, 10: 0.8, 25: 0.8, 26: 0.4}),
    ),
    "disgust": (
        Variant(0.5, {9: 1.0, 10: 1.0, 17: 0.7}),
        Variant(0.5, {9: 1.0, 10: 1.0, 16: 0.8, 25: 0.7, 26: 0.3}),
    ),
    "sadness": (Variant(1.0, {1: 1.0, 4: 0.6, 6: 0.5, 15: 1.0, 17: 0.7}),),
}
