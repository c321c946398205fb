"""Collecting results: the plan's cells and nothing else, nothing dropped in silence; and the whole report."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recorded_results as recorded
from rich.console import Console

from fer_bench import report, score_file
from fer_bench.errors import InputError
from fer_bench.report import captions, figures, results, tables
from fer_bench.report.collect import COLUMNS, collect
from fer_bench.report.figures_confusion import confusion
from fer_bench.report.results import Pair
from fer_bench.report.table import Column, Row, Table
from fer_bench.report.value import Value, constant, difference

PAIR = Pair(recorded.DATASET, recorded.DATASET)


@pytest.fixture
def plan():
    return recorded.plan()


def tables_of(plan, root):
    return {table.name: table for table in tables.build(results.load(plan, root))}


def words(table):
    return [[item if isinstance(item, str) else item.text() for item in row.contents] for row in table.rows]


# --- one number


def test_value_is_mean_and_sample_deviation():
    value = Value({0: 10.0, 1: 20.0, 2: 30.0}, expected=3, digits=1)
    assert value.mean == 20.0
    assert value.deviation == 10.0  # sqrt((100 + 0 + 100) / 2); the population formula would give 8.2
    assert value.text() == "20.0 ± 10.0"


@pytest.mark.parametrize(
    ("by_seed", "expected", "printed"),
    [
        ({}, 3, "—"),
        ({0: 0.5}, 1, "0.500"),
        ({0: 0.5, 1: 0.7}, 2, "0.600"),
        ({0: 0.5, 1: 0.7}, 3, "0.600 (n = 2)"),
        ({0: 0.5, 1: 0.6, 2: 0.7}, 4, "0.600 ± 0.100 (n = 3)"),
    ],
)
def test_value_says_how_many_seeds(by_seed, expected, printed):
    assert Value(by_seed, expected).text() == printed


def test_difference_is_paired_by_seed():
    before, after = Value({0: 1.0, 1: 2.0, 2: 9.0}, 3, 1), Value({0: 2.0, 1: 2.5, 3: 7.0}, 3, 1)
    assert dict(difference(after, before).by_seed) == {0: 1.0, 1: 0.5}
    assert difference(after, before).text() == "+0.8 (n = 2)"
    assert difference(before, after).text() == "\N{MINUS SIGN}0.8 (n = 2)"


def test_difference_that_rounds_to_nothing_has_no_sign():
    assert difference(Value({0: 0.49999}, 1, 2), Value({0: 0.5}, 1, 2)).text() == "0.00"


def test_constant_has_neither_deviation_nor_seeds():
    assert constant(14.2857, 2).text() == "14.29"
    assert Value({0: 0.44, 1: 0.44}, 3, reference=True).text() == "0.440"
    assert Value({0: 0.4, 1: 0.5, 2: 0.6}, 3, reference=True).text() == "0.500 ± 0.100"


def test_table_refuses_rows_that_do_not_fit():
    with pytest.raises(ValueError, match="1 contents for 2 columns"):
        Table("t", "T", "", (Column("a"), Column("b")), (Row(("x",)),), 1)


# --- collect


def test_collect_is_tidy(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    frame = collect(plan, tmp_path)
    assert tuple(frame.columns) == COLUMNS
    assert set(frame["status"]) == {"ok"}
    keys = [name for name in COLUMNS if name not in ("value", "n", "reason")]
    assert not frame.duplicated(keys).any()
    accuracy = frame[(frame["metric"] == "accuracy") & (frame["model"] == "resnet_small")]
    assert accuracy["value"].tolist() == [85.0, 86.0, 87.0, 85.5, 87.0, 88.5]
    assert frame[frame["optimised"]][["layer", "target", "guidance"]].drop_duplicates().values.tolist() == [
        ["5", "paper", "au"]
    ]


def test_missing_and_skipped_cells_are_rows(plan, tmp_path):
    gone, skipped, planned = (plan["cells"][index]["cell"] for index in (0, 1, 2))
    plan["cells"][2]["skip"] = "layer 5 is 4x4, too coarse"
    recorded.write(tmp_path, plan, omit=(gone, planned), cached=False)
    recorded.write_cell(tmp_path, plan["cells"][1], cached=False, rows=[], skipped=[{"reason": "no such layer"}])
    frame = collect(plan, tmp_path)
    odd = frame[frame["status"] != "ok"]
    assert odd[["seed", "status", "reason"]].values.tolist() == [
        [0, "missing", "not evaluated yet"],
        [1, "skipped", "no such layer"],
        [2, "skipped", "layer 5 is 4x4, too coarse"],
    ]
    absent = tables_of(plan, tmp_path)["absent"]
    assert [row[0] for row in words(absent)] == [gone, skipped, planned]


def test_ghosts_are_ignored(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    before = collect(plan, tmp_path)
    ghost = recorded.entry("resnet_small", "au", 7)
    recorded.write_cell(tmp_path, ghost, cached=False)
    recorded.write_cell(tmp_path, plan["cells"][0], test="other_dataset", cached=False)
    pd.testing.assert_frame_equal(collect(plan, tmp_path), before)


def test_changed_and_missing_cached_files_are_errors(plan, tmp_path):
    recorded.write(tmp_path, plan)
    history = tmp_path / "results/runs" / plan["cells"][0]["cell"] / "log/history.csv"
    history.write_text(history.read_text() + "\n")
    with pytest.raises(InputError, match=r"history\.csv has sha256 .* run `dvc checkout`"):
        collect(plan, tmp_path)
    history.unlink()
    with pytest.raises(InputError, match=r"history\.csv is missing; run `dvc pull`, or `dvc repro evaluate`"):
        collect(plan, tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"rows": []}', "[1]"])
def test_unreadable_scores_are_errors(plan, tmp_path, content):
    recorded.write(tmp_path, plan, cached=False)
    path = tmp_path / "results/metrics/synthetic" / f"{plan['cells'][0]['cell']}.json"
    path.write_text(content)
    with pytest.raises(InputError, match=f"{plan['cells'][0]['cell']}.json"):
        collect(plan, tmp_path)


def test_two_rows_for_one_seed_are_refused(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    twice = score_file.read(recorded.write_cell(tmp_path, plan["cells"][0], cached=False))["rows"] * 2
    recorded.write_cell(tmp_path, plan["cells"][0], cached=False, rows=twice)
    with pytest.raises(ValueError, match="several rows per seed"):
        tables_of(plan, tmp_path)


def test_fingerprint_depends_on_results_and_settings_alone(plan, tmp_path):
    recorded.write(tmp_path / "a", plan, cached=False)
    recorded.write(tmp_path / "b", plan, cached=False)
    first = results.load(plan, tmp_path / "a").fingerprint
    assert results.load(plan, tmp_path / "b").fingerprint == first
    assert results.load(plan | {"fingerprint": "other"}, tmp_path / "a").fingerprint != first
    recorded.write_cell(tmp_path / "b", plan["cells"][0], cached=False, accuracy=1.0)
    assert results.load(plan, tmp_path / "b").fingerprint != first


# --- tables


def test_one_seed_is_a_demonstration_without_deviation(tmp_path):
    plan = recorded.plan(seeds=(0,))
    recorded.write(tmp_path, plan, cached=False)
    built = tables_of(plan, tmp_path)
    for table in built.values():
        assert not any("±" in item for row in words(table) for item in row)
    assert "A demonstration: one seed, fewer than 3" in built["table1"].caption


def test_two_seeds_are_a_demonstration(tmp_path):
    plan = recorded.plan(seeds=(0, 1))
    recorded.write(tmp_path, plan, cached=False)
    assert "A demonstration: mean over n = 2 seeds" in tables_of(plan, tmp_path)["table1"].caption


def test_missing_cells_are_visible_and_counted(plan, tmp_path):
    gone = [entry["cell"] for entry in plan["cells"] if entry["model"] == "deit_small"]
    recorded.write(tmp_path, plan, omit=gone, cached=False)
    table = tables_of(plan, tmp_path)["table1"]
    deit = [row for row in words(table) if row[0] == "DeiT small"]
    assert deit
    assert all("—" in row for row in deit)
    assert any(note.startswith("Missing (—, or a smaller n): 6 of 12 cells: ") for note in table.notes)


def test_chance_stands_before_the_scores_and_optimised_values_are_marked(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    built = tables_of(plan, tmp_path)
    for name in ("table1", "table2", "scores", "recall"):
        kinds = ["chance" in " ".join(row[: built[name].texts]) for row in words(built[name])]
        assert any(kinds)
        assert kinds.index(True) < kinds.index(False) or name == "recall"
    marked = [row for row in words(built["table2"]) if any("†" in item for item in row)]
    assert {row[2] for row in marked} == {"with AU", "difference"}
    assert any("optimised quantity" in note for note in built["table2"].notes)
    assert "†" not in str(words(built["table1"]))


def test_rare_classes_are_named(plan, tmp_path):
    plan["evaluate"]["minimum_class_images"] = 100
    recorded.write(tmp_path, plan, cached=False)
    loaded = results.load(plan, tmp_path)
    assert captions.rare_classes(loaded, PAIR) == dict.fromkeys(loaded.expressions(recorded.DATASET), 80)
    recall = tables_of(plan, tmp_path)["recall"]
    assert "80‡" in words(recall)[0]
    (note,) = [one for one in recall.notes if "fewer than 100 test images" in one]
    assert "left out of macro scores: neutral (80)" in note
    assert "No expression is left: " in note and "minimum_class_images" in note


def test_generated_faces_are_declared(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    assert captions.GENERATED not in tables_of(plan, tmp_path)["table1"].caption
    plan["datasets"][recorded.DATASET]["generated"] = True
    assert captions.GENERATED in tables_of(plan, tmp_path)["table1"].caption


def test_undefined_scores_are_named(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    for entry in plan["cells"]:
        rows = score_file.read(recorded.write_cell(tmp_path, entry, cached=False))["rows"]
        rows = [row | {"value": None} if row["metric"] == "recall_fear" else row for row in rows]
        recorded.write_cell(tmp_path, entry, cached=False, rows=rows)
    recall = tables_of(plan, tmp_path)["recall"]
    fear = [column.name for column in recall.columns].index("fear")
    assert {row[fear] for row in words(recall)[2:]} == {"undefined"}


def test_other_test_datasets_get_a_column(plan, tmp_path):
    plan["datasets"]["photos"] = plan["datasets"][recorded.DATASET] | {"label": "Photographs"}
    plan["test_datasets"] = [recorded.DATASET, "photos"]
    recorded.write(tmp_path, plan, cached=False)
    table = tables_of(plan, tmp_path)["table1"]
    assert table.columns[0].name == "Dataset"
    assert {row[0] for row in words(table)} == {"Synthetic faces", "Synthetic faces → Photographs"}


def test_a_third_guidance_is_laid_out_in_lines(tmp_path):
    facs = recorded.AU | {"variant": "facs", "label": "w/ AU"}
    plan = recorded.plan(guidance={"au": recorded.AU, "au_facs": facs, "shuffled": {"label": "shuffled maps"}})
    recorded.write(tmp_path, plan, cached=False)
    table = tables_of(plan, tmp_path)["table1"]
    assert [column.title for column in table.columns] == [
        "Network", "Method", "Training", "CL (%), score", "CL (%), difference",
        "CAM-COS, untrained", "CAM-COS, score", "CAM-COS, difference",
    ]  # fmt: skip
    cam = [row for row in words(table) if row[1] == "CAM"]
    assert [row[2] for row in cam] == ["without AU", "with AU", "with AU (FACS)", "shuffled maps"]
    assert [row[4] for row in cam] == ["", "+1.00 ± 0.50", "+1.00 ± 0.50", "+1.00 ± 0.50"]
    assert [row[5] for row in cam] == ["0.410 ± 0.010", "", "", ""]  # no training enters it
    chance = [row for row in words(table) if row[1].startswith("chance: random")]
    assert [row[2] for row in chance] == [""]  # one line where every training has the same chance level


# --- the whole report


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    path = recorded.write(root, recorded.plan())
    report.build(path, root)
    return root


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_report_files(rendered):
    folder = rendered / "paper_tables/recorded"
    for name in ("table1", "table2", "significance", "scores", "recall", "pearson", "cross_map", "pairing"):
        for ending in ("tex", "md", "csv"):
            assert (folder / f"{name}.{ending}").stat().st_size > 0
    names = {path.stem for path in (folder / "figures").glob("*.pdf")}
    assert names == {path.stem for path in (folder / "figures").glob("*.png")}
    maps = {f"{kind}_maps{scale}" for kind in ("attention", "cam") for scale in ("", "_shared")}
    models = {"resnet_small", "deit_small"}
    assert names == {
        *(f"{name}-synthetic" for name in ("summary", "confusion", "training_curves", "au_maps")),
        *(f"{name}-synthetic" for name in maps if name.startswith("attention")),
        *(f"{name}-synthetic-{model}" for name in maps if name.startswith("cam") for model in models),
        *(f"{name}-synthetic-{model}" for name in ("overlays", "panels") for model in models),
    }
    assert not list((rendered / "results/private").rglob("*.*"))


def test_curves_hold_every_epoch(rendered):
    curves = pd.read_csv(rendered / "results/recorded/curves.csv")
    assert len(curves) == 12 * 3
    assert curves.columns[:6].tolist() == ["cell", "dataset", "model", "guidance", "seed", "epoch"]


def test_metrics_csv_reads_back(rendered):
    found = pd.read_csv(rendered / "results/recorded/metrics.csv")
    assert len(found) == len(collect(recorded.plan(), rendered))
    assert tuple(found.columns) == COLUMNS


def test_pdf_has_no_date(rendered):
    content = next((rendered / "paper_tables/recorded/figures").glob("summary*.pdf")).read_bytes()
    assert b"CreationDate" not in content


@pytest.mark.slow  # draws every figure a second time
def test_a_report_made_again_elsewhere_is_the_same_to_the_byte(rendered, tmp_path):
    """By another process, in another folder, with another hash seed and time zone."""
    path = recorded.write(tmp_path, recorded.plan())
    code = "import sys; from pathlib import Path; from fer_bench import report; report.build(Path(sys.argv[1]), Path())"
    environment = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "PYTHONPATH": str(Path(report.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=tmp_path, env=os.environ | environment, check=True)
    for folder in ("paper_tables/recorded", "results/recorded"):
        made, again = contents(rendered / folder), contents(tmp_path / folder)
        assert made and set(made) == set(again)
        assert [name for name in made if made[name] != again[name]] == []


def test_screen_cuts_nothing(rendered, capsys):
    report.print_tables("recorded", rendered, Console(width=40))
    printed = capsys.readouterr().out
    assert (rendered / "paper_tables/recorded/table1.md").read_text() in printed
    with pytest.raises(InputError, match="no tables; run `dvc repro`"):
        report.print_tables("other", rendered)


def test_private_photographs_stay_private(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "_public", lambda _: iter(()))  # they show no face, and take seconds
    plan = recorded.plan(seeds=(0,), publishable=False)
    plan["cells"] = [entry for entry in plan["cells"] if entry["model"] == "resnet_small"]
    report.build(recorded.write(tmp_path, plan), tmp_path)
    private = {path.name for path in (tmp_path / "results/private/recorded").iterdir()}
    faces = ("overlays-synthetic-resnet_small", "panels-synthetic-resnet_small", "au_maps-synthetic")
    assert private == {f"{name}{ending}" for name in faces for ending in (".pdf", ".png")}
    assert not list((tmp_path / "paper_tables").rglob("*.png"))


def test_a_failing_report_leaves_the_old_one(plan, tmp_path):
    path = recorded.write(tmp_path, plan)
    old = tmp_path / "paper_tables/recorded/table1.md"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    next((tmp_path / "results/runs").rglob("predictions.parquet")).unlink()
    with pytest.raises(InputError):
        report.build(path, tmp_path)
    assert old.read_text() == "old"


def test_unreadable_plan_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"grid\.json: not readable as the plan"):
        report.build(tmp_path / "grid.json", tmp_path)


def test_confusion_counts_ids_and_words():
    ids = pd.DataFrame({"label": [0, 0, 1, 2], "predicted": [0, 1, 1, 0]})
    expected = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(confusion(ids, ["a", "b", "c"]), expected)
    names = ids.map(lambda number: "abc"[number])
    np.testing.assert_array_equal(confusion(names, ["a", "b", "c"]), expected)


def test_report_needs_no_torch():
    code = "import sys; import fer_bench.report; sys.exit('torch' in sys.modules or 'mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_landmarks_table_by_hand(plan, tmp_path):
    recorded.write(tmp_path, plan, cached=False)
    facts = [("landmarks_ok", 90.0, 180), ("landmarks_error", 2.5, 5), ("landmarks_no_face", 7.5, 15)]
    facts.append(("landmark_distance", 4.25, 180))
    for entry in plan["cells"]:
        rows = score_file.read(recorded.write_cell(tmp_path, entry, cached=False))["rows"]
        rows += [{**rows[0], "metric": name, "value": value, "n": n} for name, value, n in facts]
        recorded.write_cell(tmp_path, entry, cached=False, rows=rows)
    table = tables_of(plan, tmp_path)["landmarks"]
    assert [column.name for column in table.columns][1:] == [
        "Images", "detector", "detector, several faces", "whole image as box", "no face", "error", "Mean error (%)",
    ]  # fmt: skip
    assert words(table)[0][1:] == ["200", "90.0", "0.0", "0.0", "7.5", "2.5", "4.25"]


def test_private_faces_are_used_where_they_are_and_missed_in_one_line(tmp_path, caplog):
    import hashlib

    from fer_bench.report._integrity import if_here

    (tmp_path / "examples.npz").write_bytes(b"faces")
    entry = {"path": "examples.npz", "sha256": "d4f0c7e8"}
    assert if_here(tmp_path, entry, "CELL.json") == []
    assert "CELL.json: examples.npz is not here" in caplog.text and str(tmp_path) not in caplog.text
    entry["sha256"] = hashlib.sha256(b"faces").hexdigest()
    assert if_here(tmp_path, entry, "CELL.json") == [tmp_path / "examples.npz"]
