"""The section `grid` of params.yaml: which cells there are, and where each is scored."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from fer_bench.settings import Settings

# A name ends up in stage names, folders and cell identities, where a dash separates and a dot means nesting to DVC.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
# A grid may lie in a folder with others.
GridName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)?$")]
RESERVED_GRIDS = ("runs", "metrics", "hygiene", "provenance", "private")


class Block(Settings):
    """A part of the product of models and guidance."""

    models: list[Name] = Field(min_length=1)
    guidance: list[Name] = Field(min_length=1)


class Grid(Settings):
    """The cells of the active grid: the product of four lists, each scored on every test dataset."""

    name: GridName
    protocol: Literal["clean", "paper"] = "clean"
    datasets: list[Name] = Field(min_length=1)
    models: list[Name] = Field(min_length=1)
    guidance: list[Name] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    test_datasets: list[Name] = Field(min_length=1)
    blocks: list[Block] = []  # pairs of model and guidance that are meant; empty: all of them
    train: dict[str, Any] = {}  # overrides of the section `train` for this grid
    evaluate: dict[str, Any] = {}  # overrides of the section `evaluate` for this grid

    def has(self, model: str, guidance: str) -> bool:
        """Whether a model is meant to be trained with a guidance."""
        return not self.blocks or any(model in block.models and guidance in block.guidance for block in self.blocks)
