"""Control: the map of another image of any class, drawn on that image's landmarks."""

import numpy as np

from fer_bench.guidance import _control, _shuffled, base


class Settings(_control.Settings):
    """Options of the alignment term."""

    label: str = "map of another face, any class"


class Guidance(_shuffled.Shuffled):
    """A fixed map per image that looks like the right kind of map and says nothing about the image."""

    knows = "what such maps look like"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Exchange maps over all classes; by chance, a lender may be of the same class."""
        group = np.flatnonzero(self.takes_part(split))
        return self.borrowed(split, _shuffled.lenders([group], len(split.labels), self.seed))
