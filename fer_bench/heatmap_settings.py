"""The section `heatmaps` of params.yaml."""

from pydantic import Field

from fer_bench.settings import Settings


class HeatmapSettings(Settings):
    """Which map variants are stored."""

    variants: list[str] = Field(["paper", "facs"], min_length=1)
    # Side of the image on which the regions of `paper` are drawn: they have radii in pixels, made for 224.
    paper_side: int | None = Field(224, ge=28)  # None: the stored image's own
