"""Control: the units that are really in the face, each as strong as it is; what a perfect codebook would draw."""

import numpy as np

from fer_bench.au import REGIONS, region_strengths
from fer_bench.guidance import _control, base

PRESENT_FROM = 0.1  # intensity from which a unit counts as there, as in the scores against `present`


class Settings(_control.NeutralSettings):
    """Options of the alignment term."""

    label: str = "units present"


class Guidance(_control.Control):
    """Needs the true intensities: generated faces, or annotated units; units without a region are left out."""

    needs_intensities = True
    knows = "the units really there, by intensity"

    @property
    def optimises(self) -> str:
        """The units present (scored without their intensities)."""
        return "present"

    def drawing(self, split: base.Split) -> _control.Draw:
        """Draw each unit with its intensity as the peak; `paper` then stretches the whole map to [0, 1]."""
        variant = self.settings.variant
        drawn = {unit for units in REGIONS[variant] for unit in units}
        there = [
            {unit: value for unit, value in face.items() if unit in drawn and value >= PRESENT_FROM}
            for face in split.intensities()
        ]
        strengths: np.ndarray = region_strengths(there, variant).numpy()
        return self.unit_drawing(split.unit_maps([frozenset(face) for face in there], variant, strengths=strengths))
