"""Which action units belong to which expression, as drawn, as printed and as cited, and the names of the units.

Sources:
- drawn, printed: Belharbi, Pedersoli, Koerich, Bacon and Granger, "Guided Interpretable Facial Expression
  Recognition via Spatial Action Unit Cues", FG 2024, arXiv 2402.00281; `drawn` is what its published code draws,
  `printed` its Fig. 2.
- cited: the survey that the paper takes its codebook from: Martinez, Valstar, Jiang and Pantic, "Automatic Analysis of
  Facial Actions: A Survey", IEEE Transactions on Affective Computing 2019, doi 10.1109/TAFFC.2017.2731763.
- contempt, which neither has: Ekman and Friesen, "A New Pan-Cultural Facial Expression of Emotion", Motivation and
  Emotion 1986, doi 10.1007/BF00992253: one corner of the mouth tightened and slightly raised.
- names: Ekman, Friesen and Hager, "Facial Action Coding System", 2002.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fer_bench.errors import InputError, unknown
from fer_bench.expressions import EXPRESSIONS_8

Column = Literal["drawn", "printed", "cited"]

AU_NAMES: dict[int, str] = {
    1: "Inner Brow Raiser",
    2: "Outer Brow Raiser",
    4: "Brow Lowerer",
    5: "Upper Lid Raiser",
    6: "Cheek Raiser",
    7: "Lid Tightener",
    9: "Nose Wrinkler",
    10: "Upper Lip Raiser",
    11: "Nasolabial Deepener",
    12: "Lip Corner Puller",
    14: "Dimpler",
    15: "Lip Corner Depressor",
    16: "Lower Lip Depressor",
    17: "Chin Raiser",
    20: "Lip Stretcher",
    22: "Lip Funneler",
    23: "Lip Tightener",
    24: "Lip Pressor",
    25: "Lips Part",
    26: "Jaw Drop",
    27: "Mouth Stretch",
    43: "Eyes Closed",
    112: "Lip Corner Puller, one side",
    114: "Dimpler, one side",
}  # 100 is added to a unit that acts on one side of the face alone


@dataclass(frozen=True)
class Entry:
    """The action units (FACS numbers, ascending) of one expression in each codebook; empty where it has none."""

    drawn: tuple[int, ...] = ()
    printed: tuple[int, ...] = ()
    cited: tuple[int, ...] = ()

    def named(self, column: Column) -> dict[int, str]:
        """Return FACS number -> name for one codebook."""
        return {unit: AU_NAMES[unit] for unit in getattr(self, column)}


# Disgust: the code draws the upper lid (AU5) where Fig. 2 prints AU10.
# `drawn` and `printed` lack AU22 of anger and AU11 of sadness.
CODEBOOK: dict[str, Entry] = {
    "neutral": Entry(),
    "happiness": Entry((6, 12, 25), (6, 12, 25), (6, 12, 25)),
    "surprise": Entry((1, 2, 5, 26, 27), (1, 2, 5, 26, 27), (1, 2, 5, 26, 27)),
    "fear": Entry(
        (1, 2, 4, 5, 20, 25, 26, 27),
        (1, 2, 4, 5, 20, 25, 26, 27),
        (1, 2, 4, 5, 20, 25, 26, 27),
    ),
    "anger": Entry(
        (4, 5, 7, 10, 17, 23, 24, 25, 26),
        (4, 5, 7, 10, 17, 23, 24, 25, 26),
        (4, 5, 7, 10, 17, 22, 23, 24, 25, 26),
    ),
    "disgust": Entry((5, 9, 16, 17, 25, 26), (9, 10, 16, 17, 25, 26), (9, 10, 16, 17, 25, 26)),
    "sadness": Entry((1, 4, 6, 15, 17), (1, 4, 6, 15, 17), (1, 4, 6, 11, 15, 17)),
    "contempt": Entry(cited=(112, 114)),
}

# The codebook that each map variant uses unless another one is asked for.
DEFAULT_COLUMN: dict[str, Column] = {"paper": "drawn", "facs": "cited"}
VARIANTS: tuple[str, ...] = tuple(DEFAULT_COLUMN)


def check_variant(variant: str) -> None:
    """Raise InputError unless `variant` is a map variant."""
    if variant not in VARIANTS:
        raise unknown("map variant", variant, "au", VARIANTS)


def wanted_aus(expression: str | int, variant: str = "paper", codebook: str | None = None) -> tuple[int, ...]:
    """Return the FACS numbers whose regions make up the map of an expression; empty means: no map.

    Args:
        expression: a name of `EXPRESSIONS_8` or its class id.
        variant: "paper" (codebook "drawn" unless given) or "facs" (codebook "cited" unless given).
        codebook: "drawn", "printed" or "cited".

    """
    check_variant(variant)
    column = codebook or DEFAULT_COLUMN[variant]
    if column not in ("drawn", "printed", "cited"):
        raise unknown("codebook", column, "au", ("drawn", "printed", "cited"))
    return tuple(getattr(CODEBOOK[expression_name(expression)], column))


def expression_name(expression: str | int) -> str:
    """Return the name of an expression given by name or class id; InputError when there is none."""
    if isinstance(expression, str):
        if expression in CODEBOOK:
            return expression
    elif 0 <= int(expression) < len(EXPRESSIONS_8):
        return EXPRESSIONS_8[int(expression)]
    raise unknown("expression", expression, "au", EXPRESSIONS_8)


def union(expressions: Iterable[str | int], variant: str = "paper", codebook: str | None = None) -> tuple[int, ...]:
    """Return every unit that at least one of the expressions uses: the class-blind ("generic") set."""
    return tuple(sorted({unit for name in expressions for unit in wanted_aus(name, variant, codebook)}))


def check_units(units: Iterable[int], known: Iterable[int], variant: str) -> None:
    """Raise InputError when a unit has no region in a variant."""
    available = sorted(known)
    missing = sorted({int(unit) for unit in units} - set(available))
    if missing:
        raise InputError(f"au: variant {variant!r} has no region for AU {missing}; it has {available}")
