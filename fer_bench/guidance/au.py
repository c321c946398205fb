"""Guidance by spatial action units: attention is aligned with the map of the face's true expression."""

from fer_bench.guidance import _aligned, base


class Settings(_aligned.Settings):
    """Options of the alignment term (Belharbi et al., arXiv 2402.00281; Table 3 for layers, Fig. 5 for λ)."""

    label: str = "w/ AU"


class Guidance(_aligned.Aligned):
    """The paper's guidance."""

    knows = "the class, its units, and where they are on this face"

    @property
    def optimises(self) -> str:
        """The map of the true expression in its variant."""
        return str(self.settings.variant)

    def maps(self, split: base.Split) -> base.MapSource:
        """Draw the units of each face's true expression on the face itself."""
        return split.unit_maps(self.own_units(split), self.settings.variant)
