"""One line of the catalogue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A thing that has a name in params.yaml; what its file does not say is empty.

    citation: DOI, arXiv number or reference. cost: in words. licence: of datasets.
    """

    kind: str
    name: str
    description: str
    citation: str = ""
    cost: str = ""
    licence: str = ""

    @property
    def facts(self) -> str:
        """What stands below the description."""
        named = (("cite", self.citation), ("licence", self.licence), ("cost", self.cost))
        return "; ".join(f"{name}: {value}" for name, value in named if value)
