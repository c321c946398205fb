"""Draw the action units that one face shows, and the label that is stored with it."""

from dataclasses import dataclass

import numpy as np

from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface.action_units import AUS, compatible
from fer_bench.synthface.prototypes import CODEBOOK, VARIANTS
from fer_bench.synthface.settings import SynthSettings

_LEAST, _FOREIGN_MOST = 0.15, 0.5  # intensities: weakest of any shown unit, strongest of a foreign one
_JITTER = 0.2  # relative deviation of a unit's intensity from that of the whole expression


@dataclass(frozen=True)
class Activation:
    """Intensities (18,) in [0, 1] of the left and right half of the image, in the order of AUS."""

    left: np.ndarray
    right: np.ndarray


def sample_activation(
    random: np.random.Generator, expression: str, settings: SynthSettings, prototypical: bool = True
) -> Activation:
    """Draw a variant of the expression, drop units of it, add foreign ones, then set intensities and sides.

    A face that is no prototype keeps two units of its expression at most. The same number of values is drawn whatever
    the settings: changing a probability never changes other draws.
    """
    pick, whole = random.random(2)
    keep, add, order, weak = random.random((4, len(AUS)))
    jitter, tilt_left, tilt_right = random.standard_normal((3, len(AUS)))
    wanted = _variant(expression, pick)
    shown = _kept(wanted, keep, settings.p_drop, len(AUS) if prototypical else 2)
    foreign = _added(shown, expression, add, order, settings.p_add)
    low, high = settings.intensity
    strength = np.zeros(len(AUS))
    for k, unit in enumerate(AUS):
        if unit in shown:
            level = (low + (high - low) * whole) * wanted[unit] * (1 + _JITTER * np.clip(jitter[k], -2, 2))
            strength[k] = np.clip(level, _LEAST, 1.0)
        elif unit in foreign:
            strength[k] = _LEAST + (_FOREIGN_MOST - _LEAST) * weak[k]
    sides = [_tilted(strength, tilt, settings.asymmetry) for tilt in (tilt_left, tilt_right)]
    return Activation(sides[0], sides[1])


def sample_wrong_label(random: np.random.Generator, expression: str) -> str:
    """Draw one of the other expressions."""
    others = [name for name in EXPRESSIONS if name != expression]
    return others[int(random.random() * len(others))]


def _variant(expression: str, pick: float) -> dict[int, float]:
    variants = VARIANTS[expression]
    reached = np.cumsum([variant.share for variant in variants])
    return variants[min(int(np.searchsorted(reached, pick, side="right")), len(variants) - 1)].intensities


def _kept(wanted: dict[int, float], keep: np.ndarray, p_drop: float, most: int) -> set[int]:
    """Drop units with probability p_drop; at least one stays, or the face would not show its expression at all."""
    ranked = sorted(wanted, key=lambda unit: -keep[AUS.index(unit)])
    stay = [unit for unit in ranked if keep[AUS.index(unit)] >= p_drop]
    return set((stay or ranked[:1])[:most])


def _added(shown: set[int], expression: str, add: np.ndarray, order: np.ndarray, p_add: float) -> set[int]:
    """Add units outside the expression's codebook with probability p_add, where the face can show them."""
    added: set[int] = set()
    for k in np.argsort(order):
        unit = AUS[k]
        if unit in CODEBOOK[expression] or add[k] >= p_add:
            continue
        if all(compatible(unit, other) for other in shown | added):
            added.add(unit)
    return added


def _tilted(strength: np.ndarray, tilt: np.ndarray, asymmetry: float) -> np.ndarray:
    side = strength * (1 + asymmetry * np.clip(tilt, -2, 2))
    return np.where(strength > 0, np.clip(side, 0.05, 1.0), 0.0)
