"""The section `tables` of params.yaml."""

from pydantic import Field

from fer_bench.settings import Settings


class TableSettings(Settings):
    """Layout of tables and figures; nothing here changes a number."""

    explainers: list[str] = []  # rows of Table 1; empty: every explainer that was scored
    target: str = "paper"  # map variant of the main tables
    faces_per_expression: int = Field(1, ge=1)  # rows of the overlay figure
