"""Control: the map of another image of the same class, drawn on that image's landmarks."""

import numpy as np

from fer_bench.guidance import _control, _shuffled, base


class Settings(_control.Settings):
    """Options of the alignment term."""

    label: str = "map of another face, same class"


class Guidance(_shuffled.Shuffled):
    """The right class and units; position and shape of the face are another one's."""

    knows = "the class and its units, on another face"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Exchange maps within each class."""
        valid = self.takes_part(split)
        groups = [np.flatnonzero(valid & (split.labels == label)) for label in np.unique(split.labels)]
        return self.borrowed(split, _shuffled.lenders(groups, len(split.labels), self.seed))
