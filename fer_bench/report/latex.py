"""Tables as LaTeX for the packages booktabs and graphicx."""

import re

from fer_bench.report import latex_check
from fer_bench.report.latex_parts import parts
from fer_bench.report.table import Column, Content, Row, Table, text
from fer_bench.report.value import OPTIMISED_MARK, Value

MANY = 5  # columns of numbers from which a table is set in a smaller size
# Shrinks a table that is wider than the text. Every file brings the command along, so that it can be input alone.
FIT = (
    r"\providecommand{\ferbenchfit}[1]{\sbox0{#1}"
    r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi}"
)
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
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "Δ": r"$\Delta$",
    "λ": r"$\lambda$",
    "—": "---",
    "\N{EN DASH}": "--",
    "…": r"\dots{}",
    "‡": r"$^{\ddagger}$",  # signs of text mode would come as a bitmap font
    OPTIMISED_MARK: r"$^{\dagger}$",
}


def escape(words: str) -> str:
    """Escape every character that means something to LaTeX; the text is never cut."""
    return "".join(_SPECIAL.get(character, character) for character in words)


def render(table: Table) -> str:
    """Write a table as one or several floats over the full width of the text.

    Datasets and networks stand as headings above their rows; a word that repeats the line above is left out.

    Raises:
        ValueError: the code is not well formed, whatever is in the table; never written then.
    """
    pages = parts(table)
    code = "\n".join([FIT, *(line for number, part in enumerate(pages) for line in _float(table, part, number))]) + "\n"
    if problems := latex_check.problems(code, len(table.columns) - table.headed):
        raise ValueError(f"table {table.name}: LaTeX is not well formed: {'; '.join(problems)}")
    return code


def _float(table: Table, rows: list[Row], number: int) -> list[str]:
    last = rows[-1] is table.rows[-1] if rows else True
    return [
        r"\begin{table*}[tbp]",
        r"\centering",
        *_caption(table, number),
        r"\footnotesize" if len(table.columns) - table.texts < MANY else r"\scriptsize",
        r"\setlength{\tabcolsep}{3.5pt}",
        r"\ferbenchfit{%",
        rf"\begin{{tabular}}{{@{{}}{_alignment(table)}@{{}}}}",
        r"\toprule",
        *_heading(table.columns[table.headed :]),
        r"\midrule",
        *_body(table, rows),
        r"\bottomrule",
        r"\end{tabular}}",
        *(_notes(table.notes) if last else []),
        r"\end{table*}",
    ]


def _caption(table: Table, number: int) -> list[str]:
    """The caption; a continued table keeps its number."""
    if number:
        again = rf"\caption[]{{(continued) {escape(_title(table))}.}}"
        return [r"\addtocounter{table}{-1}", again, r"\vspace{4pt}"]
    return [
        rf"\caption[{escape(_title(table))}]{{{escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        r"\vspace{4pt}",  # most classes leave no room between a caption and what stands below it
    ]


def _title(table: Table) -> str:
    """The title without the number that the paper gives the table: LaTeX counts by itself."""
    return re.sub(r"^(Table|Figure) \d+: ", "", table.title)


def _alignment(table: Table) -> str:
    return "l" * (table.texts - table.headed) + "r" * (len(table.columns) - table.texts)


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


def _body(table: Table, rows: list[Row]) -> list[str]:
    lines: list[str] = []
    above: Row | None = None
    for row in rows:
        changed = above is None or above.contents[: table.headed] != row.contents[: table.headed]
        if above is not None and (changed or above.block != row.block):
            lines.append(r"\midrule" if changed or not table.headed else r"\addlinespace[2pt]")
        if changed and table.headed:
            lines += _headline(table, row)
        lines.append(_line(table, row, None if changed else above))
        above = row
    return lines


def _headline(table: Table, row: Row) -> list[str]:
    """The names that hold for the rows below, over the full width."""
    words = ", ".join(escape(text(item)) for item in row.contents[: table.headed] if text(item))
    width = len(table.columns) - table.headed
    return [rf"\multicolumn{{{width}}}{{@{{}}l}}{{\textbf{{{words}}}}} \\"] if words else []


def _line(table: Table, row: Row, above: Row | None) -> str:
    cells = []
    for index in range(table.headed, len(row.contents)):
        prefix = slice(table.headed, index + 1)
        last_word = index == table.texts - 1
        repeated = above is not None and not last_word and above.contents[prefix] == row.contents[prefix]
        is_word = index < table.texts
        cells.append("" if is_word and repeated else _cell(row.contents[index], row.quiet and is_word))
    return " & ".join(cells) + r" \\"


def _cell(content: Content, quiet: bool) -> str:
    if isinstance(content, Value):
        number = escape(content.text()).replace(r" $\pm$ ", r"\,$\pm$\,")
        return rf"\textbf{{{number}}}" if content.bold else number
    return rf"\textit{{{escape(content)}}}" if quiet and content else escape(content)


def _notes(notes: tuple[str, ...]) -> list[str]:
    if not notes:
        return []
    lines = " \\par\n".join(escape(note) for note in notes)
    return [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright", lines, r"\end{minipage}"]
