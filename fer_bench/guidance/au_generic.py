"""Control: the units of all expressions together, on the face itself; knows where units act, not the class."""

from fer_bench.guidance import _control, base


class Settings(_control.NeutralSettings):
    """Options of the alignment term."""

    label: str = "all units"


class Guidance(_control.Control):
    """The same set of units for every face."""

    knows = "where units of any class are on this face"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Draw every unit of the codebook."""
        units = [self.all_units(split)] * len(split.labels)
        return self.unit_drawing(split.unit_maps(units, self.settings.variant))
