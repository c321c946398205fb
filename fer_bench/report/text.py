"""Tables as Markdown and as CSV."""

import io

import pandas as pd
from tabulate import tabulate

from fer_bench.report.table import Content, Exact, Row, Table, text
from fer_bench.report.value import Value


def markdown(table: Table) -> str:
    """Write a table with its title, caption and notes as Markdown."""
    aligned = ["left"] * table.texts + ["right"] * (len(table.columns) - table.texts)
    rows = [
        [_cell(content, row, column < table.texts) for column, content in enumerate(row.contents)] for row in table.rows
    ]
    headings = [_escape(column.title) for column in table.columns]
    grid = tabulate(rows, headings, tablefmt="pipe", colalign=aligned, disable_numparse=True)
    notes = [f"- {_escape(note)}" for note in table.notes]
    parts = [f"## {table.title}", _escape(table.caption), grid, "\n".join(notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def csv(table: Table) -> str:
    """Write a table as CSV with full precision: of every score its mean, sample deviation and number of seeds."""
    columns: dict[str, list[object]] = {}
    for index, column in enumerate(table.columns):
        contents = [row.contents[index] for row in table.rows]
        if any(isinstance(content, Exact) for content in contents):
            columns |= _exact(column.title, contents)
        elif index < table.texts or not any(isinstance(content, Value) for content in contents):
            columns[column.title] = [text(content) for content in contents]
        else:
            columns |= _numbers(column.title, contents)
    buffer = io.StringIO()
    pd.DataFrame(columns).to_csv(buffer, index=False, float_format="%.6f", lineterminator="\n")
    return buffer.getvalue()


def _numbers(title: str, contents: list[Content]) -> dict[str, list[object]]:
    values = [content if isinstance(content, Value) else None for content in contents]
    varying = [value if value and not value.is_constant else None for value in values]
    return {
        title: [value.mean if value else None for value in values],
        f"{title}, sample deviation": [value.deviation if value else None for value in varying],
        f"{title}, seeds": [str(value.n) if value else "" for value in varying],
    }


def _exact(title: str, contents: list[Content]) -> dict[str, list[object]]:
    found = [content.numbers if isinstance(content, Exact) else {} for content in contents]
    names = dict.fromkeys(name for numbers in found for name in numbers)
    return {f"{title}, {name}" if name else title: [numbers.get(name) for numbers in found] for name in names}


def _cell(content: Content, row: Row, is_text: bool) -> str:
    if isinstance(content, Value):
        return f"**{content.text()}**" if content.bold else content.text()
    return f"*{_escape(content)}*" if row.quiet and is_text and content else _escape(content)


def _escape(words: str) -> str:
    return words.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")
