"""Tables as LaTeX for the booktabs package."""

from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import OPTIMISED_MARK, Value

MANY = 7  # columns from which a table is set in a smaller size
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "\N{MINUS SIGN}": "$-$",
    "→": r"$\rightarrow$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "≥": r"$\geq$",
    "Δ": r"$\Delta$",
    "—": "---",
    "\N{EN DASH}": "--",
    "…": r"\dots{}",
    "‡": r"\textsuperscript{\ddag}",
    OPTIMISED_MARK: r"\textsuperscript{\dag}",
}


def escape(text: str) -> str:
    """Escape every character that means something to LaTeX; the text is never cut."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def render(table: Table) -> str:
    """Write a table as a floating LaTeX table; needs the package booktabs and nothing else."""
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escape(table.caption)}}}",
            rf"\label{{tab:{table.name}}}",
            r"\footnotesize" if len(table.columns) < MANY else r"\scriptsize",
            r"\setlength{\tabcolsep}{3pt}",
            rf"\begin{{tabular}}{{{'l' * table.texts}{'r' * (len(table.columns) - table.texts)}}}",
            r"\toprule",
            *_heading(table.columns),
            r"\midrule",
            *_body(table.rows, table.texts),
            r"\bottomrule",
            r"\end{tabular}",
            *_notes(table.notes),
            r"\end{table}",
            "",
        ]
    )


def _heading(columns: tuple[Column, ...]) -> list[str]:
    names = " & ".join(escape(column.name) for column in columns) + r" \\"
    spans = _spans(columns)
    if not any(group for group, _, _ in spans):
        return [names]
    groups = " & ".join(_group(group, first, last) for group, first, last in spans) + r" \\"
    rules = [rf"\cmidrule(lr){{{first + 1}-{last + 1}}}" for group, first, last in spans if group]
    return [groups, " ".join(rules), names]


def _spans(columns: tuple[Column, ...]) -> list[tuple[str, int, int]]:
    """Runs of neighbours with one group: (group, first index, last index); columns without a group stand alone."""
    spans: list[tuple[str, int, int]] = []
    for index, column in enumerate(columns):
        if spans and column.group and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1], index)
        else:
            spans.append((column.group, index, index))
    return spans


def _group(group: str, first: int, last: int) -> str:
    return rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escape(group)}}}" if group else ""


def _body(rows: tuple[Row, ...], texts: int) -> list[str]:
    lines: list[str] = []
    for index, row in enumerate(rows):
        if index and row.block != rows[index - 1].block:
            lines.append(r"\midrule")
        cells = [_cell(content, row.quiet and column < texts) for column, content in enumerate(row.contents)]
        lines.append(" & ".join(cells) + r" \\")
    return lines


def _cell(content: Content, quiet: bool) -> str:
    if isinstance(content, Value):
        number = escape(content.text())
        return rf"\textbf{{{number}}}" if content.bold else number
    return rf"\textit{{{escape(content)}}}" if quiet and content else escape(content)


def _notes(notes: tuple[str, ...]) -> list[str]:
    if not notes:
        return []
    lines = " \\par\n".join(escape(note) for note in notes)
    return [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize", lines, r"\end{minipage}"]
