"""The printed tables of the recorded results, whole: read by a person once, compared from then on.

To accept a change of layout: FER_BENCH_UPDATE_GOLDEN=1 pytest tests/test_tables_golden.py, then read the diff.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import recorded_results as recorded

from fer_bench.report import latex, results, tables, text

GOLDEN = Path(__file__).parent / "golden"
OMITTED = "synthetic-deit_small-au-s2"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """All tables of the recorded grid, one cell of which is missing."""
    root = tmp_path_factory.mktemp("golden")
    plan = recorded.plan()
    recorded.write(root, plan, omit=(OMITTED,), cached=False)
    return {table.name: table for table in tables.build(results.load(plan, root))}


def compare(name, found):
    path = GOLDEN / name
    if os.environ.get("FER_BENCH_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_every_table_is_there(built):
    assert list(built) == ["table1", "table2", "scores", "recall", "pearson", "cross_map", "pairing", "absent"]


@pytest.mark.parametrize("name", ["table1", "table2", "scores", "recall", "cross_map", "pairing", "absent"])
def test_markdown(built, name):
    compare(f"{name}.md", text.markdown(built[name]))


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_latex(built, name):
    compare(f"{name}.tex", latex.render(built[name]))


def test_csv(built):
    compare("table1.csv", text.csv(built["table1"]))


@pytest.mark.parametrize("name", ["table1", "table2", "scores", "recall", "pearson", "cross_map", "pairing", "absent"])
def test_latex_is_well_formed(built, name):
    """Braces balance, every line has as many cells as the table has columns, nothing special is left unescaped."""
    table, code = built[name], latex.render(built[name])
    bare = re.sub(r"\\[{}]", "", code)
    assert bare.count("{") == bare.count("}")
    for begin in re.findall(r"\\begin{(\w+)}", code):
        assert f"\\end{{{begin}}}" in code
    body = [line for line in code.splitlines() if line.endswith(r"\\")]
    assert len(body) >= len(table.rows) + 1
    for line in body:
        spanned = sum(int(count) - 1 for count in re.findall(r"\\multicolumn{(\d+)}", line))
        assert len(re.findall(r"(?<!\\)&", line)) + 1 + spanned == len(table.columns), line
    assert not re.search(r"(?<!\\)[%#]", code)
    assert not re.search(r"[^\x00-\x7f]", code)


def test_bold_is_closed_and_never_on_optimised_values():
    from fer_bench.report.table import Column, Row, Table
    from fer_bench.report.value import Value

    best = Value({0: 0.5}, 1, bold=True)
    table = Table("t", "T", "50 % of a_b & {c} ~ ^ \\", (Column("x"),), (Row((best,)),), 0)
    assert r"\textbf{0.500} \\" in latex.render(table)
    assert "**0.500**" in text.markdown(table)
    assert r"50 \% of a\_b \& \{c\} \textasciitilde{} \textasciicircum{} \textbackslash{}" in latex.render(table)


@pytest.mark.slow
def test_latex_compiles(built, tmp_path):
    program = shutil.which("pdflatex") or shutil.which("tectonic") or shutil.which("xelatex")
    if program is None:
        pytest.skip("no TeX on this machine: install pdflatex, xelatex or tectonic")
    for name, table in built.items():
        (tmp_path / f"{name}.tex").write_text(latex.render(table), encoding="utf-8")
    inputs = "\n".join(rf"\input{{{name}}}\clearpage" for name in built)
    page = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(page)
    options = [] if program.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([program, *options, "paper.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").is_file()
