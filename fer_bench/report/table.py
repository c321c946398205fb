"""A table as data, before it is written as Markdown, LaTeX or CSV."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fer_bench.report.value import Value


class Exact(str):
    """Words with the numbers behind them, which a CSV prints in full: name of a number (may be empty) -> number."""

    numbers: Mapping[str, float]

    def __new__(cls, words: str, numbers: Mapping[str, float]) -> "Exact":
        """Make words that know their numbers."""
        made = super().__new__(cls, words)
        made.numbers = numbers
        return made


Content = Value | str


@dataclass(frozen=True)
class Column:
    """A column: its heading, and the heading it shares with its neighbours (empty: none)."""

    name: str
    group: str = ""

    @property
    def title(self) -> str:
        """Both headings in one line."""
        return f"{self.group}, {self.name}" if self.group else self.name


@dataclass(frozen=True)
class Row:
    """One line: its contents, one per column; rows of one block stand together, quiet ones are set in italics."""

    contents: tuple[Content, ...]
    block: str = ""
    quiet: bool = False


@dataclass(frozen=True)
class Table:
    """A table with everything that is printed around it.

    name: file name without ending. title: short name. caption: what a reader must know to use the numbers.
    notes: lines below the table: marks, missing and skipped cells, left-out classes.
    texts: number of leading columns that hold words. headed: how many of them LaTeX prints above the rows they name.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    texts: int
    notes: tuple[str, ...] = field(default=())
    headed: int = 0

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the columns: nothing is padded or cut later."""
        wrong = [row for row in self.rows if len(row.contents) != len(self.columns)]
        if wrong:
            raise ValueError(f"table {self.name}: {len(wrong[0].contents)} contents for {len(self.columns)} columns")


def text(content: Content) -> str:
    """A cell as plain text."""
    return content if isinstance(content, str) else content.text()
