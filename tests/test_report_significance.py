"""The table of differences, the rule for bold, and the scores of single images that both stand on."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import recorded_results as recorded

from fer_bench import score_file, stats
from fer_bench.errors import InputError
from fer_bench.report import (
    bold,
    image_scores,
    results,
    significance_words,
    table_attention,
    table_main,
    table_significance,
    text,
)
from fer_bench.report.results import Pair
from fer_bench.report.score_key import ScoreKey
from fer_bench.report.significance import Evidence, OnFaces, evidence
from fer_bench.report.value import Value, difference

MODELS = {"resnet_small": recorded.MODELS["resnet_small"]}
PAIR = Pair(recorded.DATASET, recorded.DATASET)
FIRST = ["CL (%)", "ATT-COS, layer 5 (last)", "CAM-COS, CAM", "CAM-COS, GradCAM++"]


def write(root, seeds=range(5), **changes):
    plan = recorded.plan(seeds=seeds, models=MODELS, **changes)
    recorded.write(root, plan)
    return plan


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    root = tmp_path_factory.mktemp("five")
    return results.load(write(root), root)


@pytest.fixture(scope="module")
def table(loaded):
    return table_significance.build(loaded)


def key(guidance, column="cam_cos.cam.paper.true_true", average="macro"):
    return ScoreKey(recorded.DATASET, recorded.DATASET, "resnet_small", guidance, column, average)


def value(loaded, guidance, metric="cam_cos", **where):
    frame = loaded.of_model(PAIR, "resnet_small")
    place = where or {"explainer": "cam", "target": "paper", "pairing": "true_true", "average": "macro"}
    rows = results.select(frame, metric=metric, subset="all", guidance=guidance, **place)
    column = "accuracy" if metric == "accuracy" else "cam_cos.cam.paper.true_true"
    return replace(loaded.value(rows), key=key(guidance, column, str(rows["average"].iloc[0])))


def cells(table, name):
    index = [column.title for column in table.columns].index(name)
    return [row.contents[index] for row in table.rows]


# --- the table


def test_every_score_has_a_line_and_accuracy_only_one(table):
    assert cells(table, "Score") == FIRST
    assert [column.title for column in table.columns][:2] == ["Network", "Score"]


def test_numbers_of_a_line_are_those_of_the_library(loaded, table):
    """The line of CAM, computed again from the saved scores, step by step."""
    before, after = (image_scores.matrix(loaded, key(arm)).to_numpy() for arm in ("none", "au"))
    labels = image_scores.faces(loaded, recorded.DATASET).labels
    per_class = [(after - before)[labels == k].mean(axis=0) for k in range(1, 7)]
    over_seeds = np.mean(per_class, axis=0)
    assert over_seeds == pytest.approx([0.145, 0.15, 0.155, 0.16, 0.165], abs=1e-6)
    line = table.rows[2].contents
    assert list(line[2].by_seed.values()) == pytest.approx(over_seeds, abs=1e-6)
    numbers = cells(table, "95 % interval, other trainings")[2].numbers
    assert (numbers["low"], numbers["high"]) == pytest.approx(stats.t_interval(over_seeds), abs=1e-6)
    assert cells(table, "d over seeds")[2].numbers[""] == pytest.approx(stats.cohen_d(over_seeds), rel=1e-4)
    assert cells(table, "seeds needed")[2] == str(stats.seeds_needed(np.std(over_seeds, ddof=1), 0.005))


def test_interval_over_faces_is_near_its_normal_approximation(loaded, table):
    """The mean over seeds of the difference, each subject's share summed: deviation of a sum of 80 shares."""
    before, after = (image_scores.matrix(loaded, key(arm)).to_numpy() for arm in ("none", "au"))
    faces, means = image_scores.faces(loaded, recorded.DATASET), (after - before).mean(axis=1)
    labels, subjects = faces.labels, np.array(faces.ids, dtype=int) % recorded.IMAGES
    residual = np.array([means[i] - means[labels == labels[i]].mean() for i in range(560)])
    share = np.array([np.nansum(residual[subjects == s]) for s in range(80)]) / (6 * 80)
    reach = 1.96 * np.sqrt((share**2).sum())
    numbers = cells(table, "95 % interval, other faces")[2].numbers
    assert (numbers["high"] - numbers["low"]) / 2 == pytest.approx(reach, rel=0.05)


def test_both_is_never_narrower(table):
    for trainings, faces, both in zip(
        *(cells(table, f"95 % interval, {word}") for word in ("other trainings", "other faces", "both")), strict=True
    ):
        assert both.numbers["low"] <= min(trainings.numbers["low"], faces.numbers["low"])
        assert both.numbers["high"] >= max(trainings.numbers["high"], faces.numbers["high"])


def test_optimised_scores_make_no_claim_and_stay_outside_the_family(table):
    assert cells(table, "verdict")[1] == "no claim: optimised"
    assert cells(table, "p (Holm), trainings")[1] == ""
    assert any("Holm: over the 3 lines without †" in note for note in table.notes)
    assert cells(table, "verdict")[2:] == ["yes: higher"] * 2


def test_single_models_are_labelled_and_not_pooled(table):
    assert {column.group for column in table.columns} >= {"this trained model only"}
    assert any("never pooled" in note for note in table.notes)
    assert cells(table, "this trained model only, effect")[0].startswith("OR ")
    assert cells(table, "this trained model only, effect")[2].startswith("d ")


def test_accuracy_of_a_seed_is_tested_by_mcnemar(loaded):
    arms = [value(loaded, arm, "accuracy", average="micro") for arm in ("au", "none")]
    found = evidence(loaded, [tuple(arms)])[0]
    right = [image_scores.matrix(loaded, one.key).to_numpy() > 0 for one in arms]
    for seed in range(5):
        counts = stats.discordant(right[1][:, seed], right[0][:, seed])
        assert found.faces.seed_p[seed] == counts.p
        assert found.faces.effects[seed] == counts.odds_ratio


def test_csv_holds_the_numbers_behind_the_words(table):
    frame = pd.read_csv(io.StringIO(text.csv(table)))
    assert frame["95 % interval, both, low"].between(-10, 10).all()
    assert frame["p (Holm), faces"].notna().tolist() == [True, False, True, True]
    assert {"this trained model only, p (Holm), smallest", "this trained model only, p (Holm), largest"} <= set(frame)


def test_three_seeds_are_not_enough_for_a_verdict(tmp_path):
    found = table_significance.build(results.load(write(tmp_path, range(3)), tmp_path))
    assert set(cells(found, "verdict")) == {"open: 3 of 5 seeds", "no claim: optimised"}


def test_one_seed_has_no_interval_over_trainings(tmp_path):
    found = table_significance.build(results.load(write(tmp_path, (0,)), tmp_path))
    for word in ("95 % interval, other trainings", "95 % interval, both", "d over seeds", "seeds needed"):
        assert set(cells(found, word)) == {""}
    assert all(cells(found, "95 % interval, other faces"))


def test_no_second_training_no_table(tmp_path):
    plan = write(tmp_path, (0,), guidance={})
    assert table_significance.build(results.load(plan, tmp_path)) is None


def test_missing_cells_are_dashes(tmp_path):
    plan = recorded.plan(seeds=range(3), models=MODELS)
    recorded.write(tmp_path, plan, omit=[entry["cell"] for entry in plan["cells"] if entry["guidance"] == "au"])
    found = table_significance.build(results.load(plan, tmp_path))
    assert {content.text() for content in cells(found, "difference")} == {"—"}


# --- verdicts


ON_FACES = OnFaces((0.0, 1.0), (-3.0, -1.0), 0.01, {}, {}, 0, 80, "subjects")


@pytest.mark.parametrize(
    ("seeds", "trainings", "faces", "expected"),
    [
        (5, 0.01, 0.01, "yes: lower"),
        (5, 0.2, 0.01, "only these networks"),
        (5, 0.01, 0.2, "only these faces"),
        (5, 0.2, 0.2, "not shown"),
        (5, 0.05, 0.05, "not shown"),
        (5, None, None, "not shown"),
        (4, 0.01, 0.01, "open: 4 of 5 seeds"),
    ],
)
def test_verdict(seeds, trainings, faces, expected):
    found = Evidence(Value({seed: -1.0 - seed for seed in range(seeds)}, seeds), ON_FACES, True)
    assert significance_words.verdict(found, trainings, faces) == expected
    wide = replace(found, faces=replace(ON_FACES, both=(-3.0, 1.0)))
    assert significance_words.verdict(wide, trainings, faces) == expected.replace("yes: lower", "not both at once")
    assert seeds < 5 or significance_words.verdict(replace(found, faces=None), trainings, faces).startswith("open")


def test_small_p_values_are_not_printed_as_zero():
    assert [significance_words.p_value(p) for p in (0.0004, 0.0123, None)] == ["< 0.001", "0.012", ""]
    assert significance_words.p_range([0.2, 0.0001]) == "< 0.001 to 0.200"


# --- bold


def marked(built):
    """Bold values: table -> their texts."""
    found = {
        one.name: [item.text() for row in one.rows for item in row.contents if isinstance(item, Value) and item.bold]
        for one in built
    }
    return {name: values for name, values in found.items() if values}


def test_bold_needs_five_seeds(loaded, tmp_path):
    few = results.load(write(tmp_path, range(4)), tmp_path)
    assert marked([table_main.build(few)]) == {}
    built = [table_main.build(loaded), table_attention.build(loaded)]
    assert marked(built)["table1"] == ["0.715 ± 0.024"] * 2  # CAM-COS with guidance; accuracy is no clear winner
    for one in built:
        assert any(note.startswith("Bold: best of comparable means over images") for note in one.notes)
    assert not any("†" in item for values in marked(built).values() for item in values)


def test_bold_needs_scores_of_single_images(tmp_path):
    plan = recorded.plan(seeds=range(5), models=MODELS)
    recorded.write(tmp_path, plan, cached=False)
    found = results.load(plan, tmp_path)
    main, differences = table_main.build(found), table_significance.build(found)
    assert marked([main]) == {}
    assert any(note.startswith("Nothing is set in bold. It would be: ") for note in main.notes)
    assert any("Lines without saved scores of single images: 4 of 4" in note for note in differences.notes)


def test_bold_needs_both_levels(loaded):
    """A lead over seeds that the faces do not bear out is not marked, nor is one that seeds do not."""
    steady = {seed: 0.5 + 0.001 * seed for seed in range(5)}
    wild = {seed: 0.5 + 0.3 * (-1) ** seed for seed in range(5)}
    before = Value(dict.fromkeys(range(5), 0.4), 5)
    assert stats.t_test(list(difference(Value(steady, 5), before).by_seed.values())) < 0.05
    assert bold._p(loaded, Value(steady, 5), [Value(steady, 5), before]) is None  # nothing saved: no test over faces
    assert bold._p(loaded, Value(wild, 5), [Value(wild, 5), before]) == 1.0
    others = Value({seed + 1: 0.4 for seed in range(5)}, 5)  # four seeds in common
    assert bold._p(loaded, Value(steady, 5), [Value(steady, 5), others]) is None


def test_a_lead_must_hold_against_every_other_value(loaded):
    best, other = value(loaded, "au"), value(loaded, "none")
    assert bold._p(loaded, best, [best, other]) < 0.05
    near = replace(best, by_seed={seed: score - 1e-6 * (seed - 2) for seed, score in best.by_seed.items()})
    assert bold._p(loaded, best, [best, other, near]) == 1.0


def test_accuracy_leads_over_seeds_but_not_over_faces(loaded, table):
    """Why its best value stays plain above."""
    arms = [value(loaded, arm, "accuracy", average="micro") for arm in ("au", "none")]
    found = evidence(loaded, [tuple(arms)])[0]
    assert found.p < 0.05 < found.faces.p
    assert cells(table, "verdict")[0] == "only these faces"


def test_leader_follows_the_declared_direction():
    low, high = Value(dict.fromkeys(range(5), 0.1), 5), Value(dict.fromkeys(range(5), 0.2), 5)
    assert bold.leader([low, high]) is high
    assert bold.leader([replace(one, lower_is_better=True) for one in (low, high)]).mean == 0.1
    assert bold.leader([high]) is None
    assert bold.leader([high, Value({0: 0.1}, 5)]) is None


# --- saved scores


def test_subjects_come_from_the_index(loaded, tmp_path):
    faces = image_scores.faces(loaded, recorded.DATASET)
    assert (faces.unit_count, faces.unit_word) == (80, "subjects")
    plan = write(tmp_path, (0,))
    recorded.write_index(tmp_path, subject=lambda _: "")
    found = results.load(plan, tmp_path)
    assert image_scores.faces(found, recorded.DATASET).unit_word == "images"
    assert any("of 560 images." in note for note in table_significance.build(found).notes)
    recorded.write_index(tmp_path, subject=lambda number: f"face_{number % 20}")
    few = table_significance.build(results.load(plan, tmp_path))
    assert any("of 20 subjects. With so few, intervals over faces are somewhat narrow." in note for note in few.notes)


def test_a_missing_or_other_index_is_an_error(tmp_path):
    plan = write(tmp_path, (0,))
    path = tmp_path / "data/faces/synthetic/index.csv"
    path.write_text(path.read_text().replace("\n559,test", "\n559,train"))
    with pytest.raises(InputError, match=r"index\.csv: lists other test images than those scored"):
        table_significance.build(results.load(plan, tmp_path))
    path.unlink()
    with pytest.raises(InputError, match=r"index\.csv is missing, it names the subjects; run `dvc pull`"):
        table_significance.build(results.load(plan, tmp_path))


def test_scores_that_do_not_give_the_printed_number_are_refused(tmp_path):
    plan = write(tmp_path, (0,))
    path = tmp_path / "results/metrics/synthetic" / f"{plan['cells'][0]['cell']}.json"
    content = score_file.read(path)
    for row in content["rows"]:
        if row["metric"] == "cam_cos" and row["average"] == "macro":
            row["value"] += 0.001
    score_file.write(path, {name: part for name, part in content.items() if name != "columns"})
    with pytest.raises(InputError, match=r"resnet_small, none, seed 0: cam_cos\.cam\.paper\.true_true is 0\.541"):
        table_significance.build(results.load(plan, tmp_path))


def test_a_column_that_was_not_saved_is_an_error(loaded):
    with pytest.raises(InputError, match=r"scores\.parquet: not readable with the columns label, cam_cos\.other; run"):
        image_scores.matrix(loaded, key("au", "cam_cos.other"))


def test_the_order_of_saved_images_does_not_matter(tmp_path):
    plan = write(tmp_path, range(3))
    printed = [text.markdown(table_significance.build(results.load(plan, tmp_path)))]
    loaded = results.load(plan, tmp_path)
    for number, document in enumerate(loaded.documents):
        for name in ("predictions.parquet", "scores.parquet"):
            frame = pd.read_parquet(document.files[name])
            frame.sample(frac=1, random_state=number, ignore_index=True).to_parquet(document.files[name])
    printed.append(text.markdown(table_significance.build(loaded)))
    assert printed[0] == printed[1]
