"""Tables of the data: counts by hand, scores with and without faces that have no landmarks, files that are gone."""

import hashlib
import json
from dataclasses import replace

import pandas as pd
import pytest
import recorded_results as recorded

from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.report import captions, latex, results, table_data, table_located, tables
from fer_bench.report.table import text

# of the recorded predictions, whose ids are 0 to 559, in the order of the classes: eight neutral faces
LOST = [str(number) for number in range(8)]


def facts(images, lost, **changes):
    """Counts of a split with `images` faces of each class, `lost` neutral ones of them without landmarks."""
    classes = dict.fromkeys(EXPRESSIONS, images)
    zero = ("identical", "identical_leaks", "near", "near_leaks", "subject_leaks", "conflicts", "near_conflicts")
    none = dict.fromkeys(EXPRESSIONS, 0) | {"neutral": lost}
    counted = {"images": 7 * images, "subjects": images, "without_subject": 0, **dict.fromkeys(zero, 0)}
    return counted | {"classes": classes, "no_landmarks": none} | changes


def write(root, lost=LOST, **train):
    """Write recorded results and what the stage `hygiene` leaves; return the results."""
    listed = root / f"data/hygiene/{recorded.DATASET}/without_landmarks.csv"
    listed.parent.mkdir(parents=True)
    pd.DataFrame({"id": lost, "path": lost}).to_csv(listed, index=False)
    named = {"path": listed.relative_to(root).as_posix(), "sha256": hashlib.sha256(listed.read_bytes()).hexdigest()}
    splits = {"train": facts(300, 3, **train), "test": facts(80, len(lost))}
    summary = root / f"results/hygiene/{recorded.DATASET}.json"
    summary.parent.mkdir(parents=True)
    summary.write_text(json.dumps({"near_distance": 4, "splits": splits, "files": [named]}))
    plan = recorded.plan()
    recorded.write(root, plan)
    return results.load(plan, root)


def rows(table):
    return [[text(content) for content in row.contents] for row in table.rows]


def test_counts_stand_in_the_columns_they_belong_to(tmp_path):
    train = {"identical": 6, "identical_leaks": 5, "conflicts": 4, "near": 9, "near_leaks": 8, "near_conflicts": 7}
    table = table_data.build(write(tmp_path, **train, subject_leaks=2, without_subject=2))
    found = dict(zip([column.title for column in table.columns], rows(table)[0], strict=True))
    assert found == {
        "Dataset": "Synthetic faces",
        "Split": "train",
        "Images": "2100",
        "Subjects": "300",
        "Identical files, copies": "6",
        "Identical files, in another split": "5",
        "Identical files, with another label": "4",
        "Near-identical images, copies": "9",
        "Near-identical images, in another split": "8",
        "Near-identical images, with another label": "7",
        "Same subject, in another split": "2",
        "Images per class, smallest": "300",
        "Images per class, largest": "300",
        "Without landmarks": "3",
    }
    assert table.notes == ("Synthetic faces, train: 2 of 2100 images name no subject.",)


def test_subjects_nobody_knows_are_no_zero(tmp_path):
    table = table_data.build(write(tmp_path, subjects=0, without_subject=2100))
    assert rows(table)[0][3] == "—"


def test_classes_are_counted_where_recall_was_not_asked_for(tmp_path):
    loaded = write(tmp_path)
    without = replace(loaded, frame=loaded.frame[~loaded.frame["metric"].str.startswith("recall_")])
    pair = loaded.pairs[0]
    assert captions.class_counts(without, pair) == captions.class_counts(loaded, pair) == dict.fromkeys(EXPRESSIONS, 80)
    assert captions.class_counts(replace(without, hygiene={}), pair) == {}


def test_share_without_landmarks_per_class(tmp_path):
    table = table_data.build_classes(write(tmp_path))
    assert [column.name for column in table.columns[3:]] == list(EXPRESSIONS)
    assert rows(table)[2][2:] == ["images", *["80"] * 7]
    assert rows(table)[3][2:] == ["without landmarks (%)", "10.0", *["0.0"] * 6]


def predict(root, wrong):
    """Let the recorded networks without guidance miss the images that `wrong` lists per seed, and no other."""
    for seed, missed in enumerate(wrong):
        cell = f"{recorded.DATASET}-{next(iter(recorded.MODELS))}-none-s{seed}"
        path = root / f"results/runs/{cell}/evaluate/{recorded.DATASET}/predictions.parquet"
        frame = pd.read_parquet(path)
        frame["predicted"] = (frame["label"] + frame["id"].isin(missed)) % 7
        frame.to_parquet(path)
        scores = root / f"results/metrics/{recorded.DATASET}/{cell}.json"
        content = json.loads(scores.read_text())
        name = path.relative_to(root).as_posix()
        new = {"path": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        content["files"] = [new if file["path"] == name else file for file in content["files"]]
        scores.write_text(json.dumps(content))


def test_accuracy_with_and_without_by_hand(tmp_path):
    """Seed 0 misses two of the 8 lost faces and 54 others, seed 1 all lost ones and none else, the last none at all."""
    write(tmp_path)
    predict(tmp_path, (["0", "7", *map(str, range(8, 62))], LOST, []))
    table = table_located.build(results.load(recorded.plan(), tmp_path))
    assert rows(table)[0][-4:] == ["560", "552", "8", ""]
    every, found, lost, difference = (value.by_seed for value in table.rows[1].contents[-4:])
    assert every == pytest.approx({0: 90.0, 1: 100 * 552 / 560, 2: 100.0})
    assert found == pytest.approx({0: 100 * 498 / 552, 1: 100.0, 2: 100.0})
    assert lost == pytest.approx({0: 75.0, 1: 0.0, 2: 100.0})
    assert difference == pytest.approx({0: 100 * 498 / 552 - 90, 1: 100 * 8 / 560, 2: 0.0})


def test_no_lost_face_is_undefined_and_not_zero(tmp_path):
    assert rows(table_located.build(write(tmp_path, lost=[])))[1][-2] == "undefined"


def test_written_with_the_other_tables_and_as_latex(tmp_path):
    built = {table.name: table for table in tables.build(write(tmp_path))}
    for name in ("data", "data_classes", "located"):
        latex.render(built[name])


def test_without_the_stage_there_is_no_such_table(tmp_path):
    plan = recorded.plan()
    recorded.write(tmp_path, plan)
    names = {table.name for table in tables.build(results.load(plan, tmp_path))}
    assert names.isdisjoint({"data", "data_classes", "located"})


def test_a_list_that_changed_says_what_makes_it_anew(tmp_path):
    write(tmp_path)
    (tmp_path / f"data/hygiene/{recorded.DATASET}/without_landmarks.csv").write_text("id\n1\n")
    with pytest.raises(InputError, match=r"without_landmarks\.csv has sha256.*dvc repro hygiene"):
        results.load(recorded.plan(), tmp_path)
    (tmp_path / f"results/hygiene/{recorded.DATASET}.json").write_text("{}")
    with pytest.raises(InputError, match=r"not readable.*dvc repro hygiene"):
        results.load(recorded.plan(), tmp_path)
