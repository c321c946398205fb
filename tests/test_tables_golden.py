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

from fer_bench.report import latex, latex_check, results, tables, text

GOLDEN = Path(__file__).parent / "golden"
OMITTED = "synthetic-deit_small-au-s2"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """All tables of the recorded grid, one cell of which is missing."""
    root = tmp_path_factory.mktemp("golden")
    plan = recorded.plan()
    recorded.write(root, plan, omit=(OMITTED,), cached=False)
    return {table.name: table for table in tables.build(results.load(plan, root))}


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Tables of a grid under the published protocol, with both ablations of the paper."""
    root = tmp_path_factory.mktemp("paper")
    arms = {"au": recorded.AU}
    arms |= {f"au_weight_{weight}": recorded.AU | {"weight": float(weight)} for weight in (1, 9)}
    arms |= {f"au_layers_{layer}": recorded.AU | {"layers": [layer]} for layer in (1, 2)}
    models = {name: recorded.PAPER_MODELS[name] for name in ("cam", "wildcat", "apvit")}
    plan = recorded.plan(models=models, datasets=("rafdb",), guidance=arms, protocol="paper")
    recorded.write(root, plan, cached=False)
    return {table.name: table for table in tables.build(results.load(plan, root))}


def compare(name, found):
    path = GOLDEN / name
    if os.environ.get("FER_BENCH_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


MAIN = [
    "table1",
    "table2",
    "significance",
    "scores",
    "recall",
    "explainers",
    "pearson",
    "cross_map",
    "pairing",
    "absent",
]


def test_every_table_is_there(built, paper):
    assert list(built) == MAIN
    assert list(paper)[:5] == ["table1", "table2", "table3", "figure5", "comparison"]


@pytest.mark.parametrize("name", [name for name in MAIN if name != "pearson"])
def test_markdown(built, name):
    compare(f"{name}.md", text.markdown(built[name]))


@pytest.mark.parametrize("name", ["table1", "table2", "table3", "figure5", "comparison"])
def test_markdown_of_the_published_protocol(paper, name):
    compare(f"paper_{name}.md", text.markdown(paper[name]))


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_latex(built, name):
    compare(f"{name}.tex", latex.render(built[name]))


def test_csv(built):
    compare("table1.csv", text.csv(built["table1"]))


def test_latex_is_well_formed(built, paper):
    """Braces balance, every line has as many cells as its table has columns, nothing special is left unescaped."""
    for table in (*built.values(), *paper.values()):
        code = latex.render(table)
        width = len(table.columns) - table.headed
        assert latex_check.problems(code, width) == []
        lines = [line for line in code.splitlines() if line.endswith(r"\\") and r"\multicolumn" not in line]
        assert len(lines) >= len(table.rows) + 1  # every row and the names of the columns
        assert all(line.count(" & ") == width - 1 for line in lines)
        assert code.count("{") - code.count(r"\{") == code.count("}") - code.count(r"\}")


def test_bold_is_closed_and_never_on_optimised_values():
    from fer_bench.report.table import Column, Row, Table
    from fer_bench.report.value import Value

    best = Value({0: 0.5}, 1, bold=True)
    table = Table("t", "T", "50 % of a_b & {c} ~ ^ \\", (Column("x"),), (Row((best,)),), 0)
    assert r"\textbf{0.500} \\" in latex.render(table)
    assert "**0.500**" in text.markdown(table)
    assert r"50 \% of a\_b \& \{c\} \textasciitilde{} \textasciicircum{} \textbackslash{}" in latex.render(table)


ONE_COLUMN = r"\documentclass{article}"
TWO_COLUMNS = r"\documentclass[twocolumn]{article}"


@pytest.mark.slow
@pytest.mark.parametrize("document", [ONE_COLUMN, TWO_COLUMNS], ids=["one column", "two columns"])
def test_latex_compiles(built, paper, tmp_path, document):
    """Every table compiles, fits the width of the text and the height of a page, and needs no bitmap font."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no TeX on this machine: install pdflatex with booktabs")
    named = {**{f"built_{name}": t for name, t in built.items()}, **{f"paper_{name}": t for name, t in paper.items()}}
    for name, table in named.items():
        (tmp_path / f"{name}.tex").write_text(latex.render(table), encoding="utf-8")
    inputs = "\n".join(rf"\input{{{name}}}\clearpage" for name in named)
    page = f"{document}\n\\usepackage{{booktabs,graphicx}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(page)
    options = ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([program, *options, "paper.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert not re.findall(r"Overfull \\hbox.*|Float too large.*", log)
    assert b"/Type3" not in (tmp_path / "paper.pdf").read_bytes()
