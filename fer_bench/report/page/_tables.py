"""Tables as the page shows them: headings with their spans, and a key to sort every cell by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from fer_bench.report.table import Column, Content, Exact, Row, Table, text
from fer_bench.report.value import MINUS, Value

# Shown open, above everything else; the others follow the pictures, folded.
FIRST = ("table1", "table2", "table3", "figure5", "tuned", "controls", "comparison")


@dataclass(frozen=True)
class Head:
    """A heading above `span` columns; own: the heading of one column, with nothing above it; place: its number."""

    words: str
    span: int
    own: bool
    place: int


@dataclass(frozen=True)
class Cell:
    """Words of a cell, and the number that sorts it (empty: none)."""

    words: str
    key: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Line:
    """A row; quiet: a chance level, reference or ceiling."""

    cells: tuple[Cell, ...]
    quiet: bool


@dataclass(frozen=True)
class View:
    """A table: upper headings, lower headings (empty where no column shares one), and its rows."""

    name: str
    title: str
    caption: str
    notes: tuple[str, ...]
    texts: int
    upper: tuple[Head, ...]
    lower: tuple[Head, ...]
    lines: tuple[Line, ...]


def split(tables: Sequence[Table]) -> tuple[list[View], list[View]]:
    """The tables that are shown open, and the others."""
    views = [view(table) for table in tables]
    return [v for v in views if v.name in FIRST], [v for v in views if v.name not in FIRST]


def view(table: Table) -> View:
    """Lay a table out for the page."""
    upper, lower = _heads(table.columns)
    lines = tuple(_line(row, table.texts) for row in table.rows)
    return View(table.name, table.title, table.caption, table.notes, table.texts, upper, lower, lines)


def _heads(columns: Sequence[Column]) -> tuple[tuple[Head, ...], tuple[Head, ...]]:
    upper: list[Head] = []
    lower: list[Head] = []
    for group, members in groupby(enumerate(columns), key=lambda pair: pair[1].group):
        heads = [Head(column.name, 1, True, place) for place, column in members]
        if group:
            upper.append(Head(group, len(heads), False, heads[0].place))
            lower += heads
        else:
            upper += heads
    return tuple(upper), tuple(lower)


def _line(row: Row, texts: int) -> Line:
    cells = (_cell(content, place < texts) for place, content in enumerate(row.contents))
    return Line(tuple(cells), row.quiet)


def _cell(content: Content, is_text: bool) -> Cell:
    strong = isinstance(content, Value) and content.bold
    return Cell(text(content), "" if is_text else sort_key(content), strong)


def sort_key(content: Content) -> str:
    """The number to sort a cell by: a mean, the first of the numbers behind words, or words that are a number."""
    if isinstance(content, Value):
        return _number(content.mean)
    if isinstance(content, Exact):
        return _number(next(iter(content.numbers.values()), math.nan))
    try:
        return _number(float(content.replace(MINUS, "-").replace(",", "")))
    except ValueError:
        return ""


def _number(number: float) -> str:
    return f"{number:.8g}" if math.isfinite(number) else ""
