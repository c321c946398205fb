"""Control: the units of another expression, always the same one, on the face itself."""

from typing import Literal

from fer_bench.errors import InputError
from fer_bench.guidance import _control, base


class Settings(_control.Settings):
    """Which wrong expression, and the options of the alignment term."""

    label: str = "wrong class"
    derangement: Literal[0, 1, 2] = 0  # no two of them give an expression the same wrong one


class Guidance(_control.Control):
    """As informative of the class as `au` is, and as anatomical, but the units do not belong to the expression."""

    knows = "the class, by units of another one on this face"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Draw the wrong expression's units."""
        wrong = self.wrong(split)
        units = [self.units(wrong[name]) if name in wrong else frozenset[int]() for name in _names(split)]
        return self.unit_drawing(split.unit_maps(units, self.settings.variant))

    def wrong(self, split: base.Split) -> dict[str, str]:
        """Return expression -> wrong expression: the one 1, 2 or 3 places further among those that have units.

        Nothing is drawn and nothing chosen: the order is that of the class ids, and the last is followed by the first.
        """
        names = [name for name in split.expressions if self.units(name)]
        shift = self.settings.derangement + 1
        if len(names) <= shift:
            raise InputError(
                f"guidance au_wrong_class: derangement {shift - 1} needs more than {shift} expressions with units; "
                f"there are {len(names)}"
            )
        return {name: names[(place + shift) % len(names)] for place, name in enumerate(names)}


def _names(split: base.Split) -> list[str]:
    return [split.expressions[label] for label in split.labels]
