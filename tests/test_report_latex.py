"""LaTeX code of tables: the check that runs whenever one is written, headings, parts, repeated words."""

import pytest

from fer_bench.report import latex, latex_check
from fer_bench.report.table import Column, Row, Table
from fer_bench.report.value import Value

COLUMNS = (Column("Dataset"), Column("Network"), Column("Method"), Column("CL"))


def table(rows, **changes):
    return Table("t", "Table 9: a title", "A caption.", COLUMNS, tuple(rows), 3, **({"headed": 2} | changes))


def row(network, method, block="", quiet=False):
    return Row(("Data", network, method, Value({0: 0.5}, 1)), block or network, quiet)


def body(code):
    return [line for line in code.splitlines() if line.endswith(r"\\")]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (r"\textbf{a & b \\", "1 braces are left open"),
        (r"a} & b \\", "a closing brace without an opening one"),
        (r"a & b & c \\", r"3 cells for 2 columns"),
        (r"\multicolumn{3}{l}{a} \\", r"3 cells for 2 columns"),
        (r"a \\", "1 cells for 2 columns"),
        (r"\begin{table} a & b \\", "environment table does not end"),
        (r"\begin{a}\begin{b}\end{a}\end{b}", "environment a ends but has not begun"),
        (r"50 % & b \\", "a comment sign within a line"),
        (r"# & b \\", "a bare #"),
        ("\u00e9 & b \\\\", "not ASCII"),
    ],
)
def test_what_is_wrong_is_named(code, problem):
    assert any(found.startswith(problem) for found in latex_check.problems(code, 2))


def test_well_formed_code_has_no_problems():
    code = "\\begin{table}\n\\ferbenchfit{%\na\\% \\& \\# & \\{ \\} \\\\\n\\multicolumn{2}{l}{x} \\\\\n}\n\\end{table}"
    assert latex_check.problems(code, 2) == []


def test_nothing_that_is_not_well_formed_is_written(monkeypatch):
    monkeypatch.setattr(latex, "escape", lambda words: words)
    with pytest.raises(ValueError, match="table t: LaTeX is not well formed: a bare #"):
        latex.render(table([row("A", "#1")]))


def test_headings_stand_above_their_rows():
    code = latex.render(table([row("A", "x"), row("A", "y"), row("B", "x")]))
    assert body(code)[1:] == [
        r"\multicolumn{2}{@{}l}{\textbf{Data, A}} \\",
        r"x & 0.500 \\",
        r"y & 0.500 \\",
        r"\multicolumn{2}{@{}l}{\textbf{Data, B}} \\",
        r"x & 0.500 \\",
    ]
    assert code.count(r"\midrule") == 2  # below the names of the columns, and between the networks


def test_a_word_that_repeats_the_line_above_is_left_out():
    columns = (Column("Network"), Column("Method"), Column("Training"), Column("CL"))
    rows = [Row((network, method, arm, "1")) for network in "AB" for method in "xy" for arm in ("with", "without")]
    code = latex.render(Table("t", "T", "", columns, tuple(rows), 3, headed=1))
    first = [line.split(" & ")[0] for line in body(code)[1:] if "multicolumn" not in line]
    assert first == ["x", "", "y", "", "x", "", "y", ""]


def test_the_last_word_is_always_there():
    code = latex.render(table([row("A", "x"), row("A", "x")]))
    assert body(code)[-2:] == [r"x & 0.500 \\", r"x & 0.500 \\"]


def test_a_long_table_is_continued():
    rows = [row(f"N{number // 10}", f"m{number}") for number in range(100)]
    code = latex.render(table(rows, notes=("A note.",)))
    floats = code.split(r"\begin{table*}")[1:]
    assert [len(body(part)) for part in floats] == [1 + 3 * 11] * 3 + [1 + 11]
    assert [r"\label{tab:t}" in part for part in floats] == [True, False, False, False]
    assert [r"\addtocounter{table}{-1}" in part for part in floats] == [False, True, True, True]
    assert [r"(continued) a title." in part for part in floats] == [False, True, True, True]
    assert ["A note." in part for part in floats] == [False, False, False, True]
    assert all(f"m{number} &" in code for number in range(100))


def test_references_stay_with_the_scores_below_them():
    rows = [row("A", f"m{number}") for number in range(30)]
    rows += [row("any", f"chance {number}", quiet=True) for number in range(5)]
    rows += [row("B", f"n{number}") for number in range(10)]
    floats = latex.render(table(rows)).split(r"\begin{table*}")[1:]
    assert ["chance 0" in part for part in floats] == [False, True]


def test_references_below_scores_stay_with_them():
    rows = [row("A", f"m{number}", f"block {number}") for number in range(19)]
    rows += [row("A", f"ceiling {number}", "references", quiet=True) for number in range(3)]
    floats = latex.render(table([*rows, row("B", "n")])).split(r"\begin{table*}")[1:]
    assert [("m18" in part, "ceiling 2" in part) for part in floats] == [(False, False), (True, True)]


def test_a_block_longer_than_a_page_is_cut():
    floats = latex.render(table([row("A", f"m{number}") for number in range(60)])).split(r"\begin{table*}")[1:]
    assert [sum("multicolumn" not in line for line in body(part)) - 1 for part in floats] == [39, 21]


def test_an_empty_table_has_its_heading():
    assert body(latex.render(table([]))) == [r"Method & CL \\"]
