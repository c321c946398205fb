"""The tables of README.md and docs/tables.md: cells computed by hand; the committed pages hold committed numbers."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.errors import InputError
from fer_bench.report import committed_pages, page_significance, page_tables
from fer_bench.report.value import MINUS

ROOT = Path(__file__).parent.parent
COLUMNS = "model guidance seed explainer layer target pairing subset average metric value n optimised protocol status"
PAGES = ("README.md", "docs/tables.md", "docs/statistics.md")
MADE_FROM = (committed_pages.METRICS, committed_pages.SIGNIFICANCE)
MODELS = {"net": {"label": "A network"}}


def row(guidance, seed, metric, value, n=10, **other):
    given = {"model": "net", "guidance": guidance, "seed": seed, "metric": metric, "value": value, "n": n}
    usual = {"subset": "all", "average": "macro", "optimised": False, "protocol": "clean", "status": "ok"}
    return dict.fromkeys(COLUMNS.split(), "") | usual | given | other


@pytest.fixture
def frame():
    """Three seeds of two trainings; the attention differs from seed to seed by 0.01, the class activation map not."""
    rows = []
    for guidance, accuracies, attention, cam in (("none", (40, 41, 42), 0.5, 0.4), ("au", (44, 43, 48), 0.7, 0.5)):
        for seed, accuracy in enumerate(accuracies):
            rows += [
                row(guidance, seed, "accuracy", accuracy, average="micro"),
                row(guidance, seed, "recall_fear", 50.0, n=7),
                row(guidance, seed, "recall_anger", 50.0, n=3),
                row(guidance, seed, "att_cos_chance_constant", 0.45, target="paper"),
                row(guidance, seed, "att_cos_ceiling", 0.95, target="paper", layer="5"),
            ]
            at = {"target": "paper", "layer": "5", "pairing": "true_true", "optimised": guidance == "au"}
            rows += [
                row(guidance, seed, "att_cos", attention + 0.01 * seed, **at),
                row(guidance, seed, "att_cos", 0.1, **at | {"layer": "4"}),
                row(guidance, seed, "att_cos", 0.2, **at | {"subset": "wrong"}),
            ]
            for target in ("paper", "facs", "present"):
                of = {"target": target, "explainer": "cam"}
                rows += [
                    row(guidance, seed, "cam_cos", cam, pairing="true_true", **of),
                    row(guidance, seed, "cam_cos", 0.9, pairing="pred_pred", **of),
                    row(guidance, seed, "cam_cos_chance_random", 0.44, **of),
                ]
    return pd.DataFrame(rows)


def cells(markdown, *words):
    (line,) = [one for one in markdown.splitlines() if all(word in one for word in words)]
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_a_line_holds_what_a_hand_computes(frame):
    text = page_tables.scores(frame, MODELS)
    # differences 4, 2, 6: mean 4, deviation 2; t(0.975, 2) = 4.3027, so 4 +- 4.3027 * 2 / sqrt(3) = 4 +- 4.968
    wanted = ["A network", "accuracy (%)", "70.0", "41.0 ± 1.0", "45.0 ± 2.6", f"+4.0 [{MINUS}1.0, +9.0]", ""]
    assert cells(text, "accuracy (%)") == wanted
    assert cells(text, "ATT-COS")[:5] == ["", "ATT-COS, last layer †", "0.450", "0.510 ± 0.010", "0.710 ± 0.010"]
    assert cells(text, "ATT-COS")[-1] == "0.950"
    assert cells(text, "CAM-COS, FACS map")[2:5] == ["0.440", "0.400 ± 0.000", "0.500 ± 0.000"]
    assert "protocol `clean`, 3 seeds, 10 generated test faces" in text


def test_failed_cells_are_no_scores_and_a_missing_seed_is_seen(frame):
    frame.loc[(frame["seed"] == 2) & (frame["guidance"] == "au"), "status"] = "failed"
    assert cells(page_tables.scores(frame, MODELS), "accuracy (%)")[4] == "43.5 (n = 2)"


def test_two_rows_of_one_seed_are_an_error(frame):
    doubled = pd.concat([frame, frame[frame["metric"] == "accuracy"]])
    with pytest.raises(ValueError, match="several rows per seed"):
        page_tables.scores(doubled, MODELS)


def test_levels_come_in_the_order_of_the_tables(frame):
    lines = page_tables.levels(frame, MODELS).splitlines()[2:]
    first = [line.split("|")[1].strip() for line in lines]
    assert first == [
        "chance: constant map", "chance: random smooth map", "ceiling of the grid size",
        "A network, without AU", "A network, with AU",
    ]  # fmt: skip
    assert cells("\n".join(lines), "with AU")[1:] == ["0.710 ± 0.010†", "0.500 ± 0.000"]


def test_differences_with_their_intervals():
    names = ["other trainings", "other faces", "both"]
    ends = {f"95 % interval, {name}, {end}": sign * 1.5 for name in names for end, sign in (("low", -1), ("high", 1))}
    line = {"Network": "A network", "Score": "CL (%)", "difference": -2.0, "seeds needed": 69.0, **ends}
    line |= {"p (Holm), trainings": 0.114, "p (Holm), faces": 0.00001}
    other = {**line, "Score": "CAM-COS, GradCAM"}
    interval = f"{MINUS}1.50 to 1.50"
    wanted = ["A network", "accuracy (%)", f"{MINUS}2.00", interval, interval, interval, "0.114", "< 0.001", "69"]
    assert cells(page_significance.significance(pd.DataFrame([line, other])), "A network") == wanted


def test_only_what_lies_between_the_marks_is_replaced():
    page = f"before\n{committed_pages.BEGIN}\nold\n{committed_pages.END}\nafter\n"
    updated = committed_pages.update(page, "new", "README.md")
    assert updated == f"before\n{committed_pages.BEGIN}\n\nnew\n\n{committed_pages.END}\nafter\n"
    assert committed_pages.update(updated, "new", "README.md") == updated
    with pytest.raises(InputError, match=r"README\.md: expected the lines"):
        committed_pages.update("no marks", "new", "README.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_page_holds_the_numbers_of_the_results(page, tmp_path):
    """Those that lie here, or those of the last commit where `make repro` has made others on this machine."""
    wanted = [committed_pages.pages(root)[page] for root in (ROOT, last_commit(tmp_path))]
    assert (ROOT / page).read_text(encoding="utf-8") in wanted, f"{page}: `make pages` puts the new numbers in"


def last_commit(folder):
    """A folder with the committed results and the pages as they are; the repository itself where there is no git."""
    for name in MADE_FROM:
        found = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True, check=False)
        if found.returncode:
            return ROOT
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(found.stdout)
    for name in ("params.yaml", *PAGES):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_findings_of_the_readme_are_those_of_the_page_on_trust():
    readme, trust = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/trust.md"))
    findings = readme.partition("What stands behind")[2].partition("\n## ")[0]
    numbers = re.findall(rf"[+{MINUS}]?\d+\.\d+|\d+ of \d+", findings)
    assert len(numbers) >= 6
    assert not [number for number in numbers if number not in re.sub(r"\s+", " ", trust)]


def test_without_results_the_error_says_how_to_make_them(tmp_path):
    with pytest.raises(InputError, match="make repro"):
        committed_pages.pages(tmp_path)
