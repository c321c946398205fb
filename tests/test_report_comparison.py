"""Our scores against the published ones: prediction interval, truncation, and what is never judged."""

import math

import pytest
import recorded_results as recorded

from fer_bench import score_file
from fer_bench.report import comparison, results, table_attention, table_comparison, table_main
from fer_bench.report._statistics import expected_maximum, pooled_deviation, prediction_interval
from fer_bench.report.table import text
from fer_bench.report.value import MINUS, Value

CAM = {"cam": recorded.PAPER_MODELS["cam"]}


def load(root, scores=None, **changes):
    """A grid of RAF-DB and CAM; `scores`: metric -> value per seed for the training without AU."""
    settings = {"models": CAM, "datasets": ("rafdb",), "protocol": "paper"} | changes
    plan = recorded.plan(**settings)
    recorded.write(root, plan, cached=False)
    for entry in plan["cells"]:
        if scores and entry["guidance"] == "none":
            rows = score_file.read(recorded.write_cell(root, entry, entry["dataset"], cached=False))["rows"]
            fixed = {name: values[entry["seed"]] for name, values in scores.items()}
            rows = [row | {"value": fixed.get(row["metric"], row["value"])} for row in rows]
            recorded.write_cell(root, entry, entry["dataset"], cached=False, rows=rows)
    return results.load(plan, root)


def found(loaded, **wanted):
    def fits(one):
        given = {"source": one.claim.source, "metric": one.claim.metric, "guidance": one.guidance, "row": one.row.word}
        return all(given[key] == value for key, value in wanted.items())

    return [one for one in comparison.judgements(loaded) if fits(one)]


def words(table):
    return [[text(item) for item in row.contents] for row in table.rows]


# --- statistics


def test_prediction_interval_by_hand():
    """Runs 10, 20, 30: mean 20, deviation 10, t(0.975, 2) = 4.302653, reach 4.302653 * 10 * sqrt(4/3) = 49.6828."""
    low, high = prediction_interval(Value({0: 10.0, 1: 20.0, 2: 30.0}, 3))
    assert low == pytest.approx(20 - 49.6828, abs=1e-3)
    assert high == pytest.approx(20 + 49.6828, abs=1e-3)
    assert prediction_interval(Value({0: 10.0}, 1)) is None
    assert prediction_interval(Value({}, 3)) is None


def test_expected_maximum_of_normal_numbers():
    assert expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_maximum(3) == pytest.approx(3 / (2 * math.sqrt(math.pi)))
    assert expected_maximum(10) == pytest.approx(1.53875, abs=1e-5)  # tables of order statistics


def test_pooled_deviation_by_hand():
    """Two settings with squared deviations summing to 2 and 8 over 1 + 2 degrees of freedom."""
    values = [Value({0: 0.0, 1: 2.0}, 2), Value({0: 0.0, 1: 2.0, 2: 4.0}, 3), Value({0: 9.0}, 1)]
    assert pooled_deviation(values) == pytest.approx(math.sqrt((2 + 8) / 3))
    assert pooled_deviation([Value({0: 1.0}, 1)]) is None


# --- verdicts


def test_a_published_accuracy_is_inside_or_outside(tmp_path):
    """CAM without AU: 2706 of 3068 = 88.2008."""
    near = load(tmp_path / "near", {"accuracy": (88.0, 88.1, 88.3)})  # 88.133 ± 0.153: 88.133 ± 0.759
    [one] = found(near, source="Table 1", metric="accuracy", guidance="none", row="CAM")
    assert one.interval == pytest.approx((87.374, 88.892), abs=2e-3)
    assert (one.verdict, one.alike) == ("inside", 0)
    far = load(tmp_path / "far", {"accuracy": (88.01, 88.02, 88.03)})  # 88.02 ± 0.01: 88.02 ± 0.0497
    [one] = found(far, source="Table 1", metric="accuracy", guidance="none", row="CAM")
    assert one.verdict == "outside"
    assert table_comparison.distance(one) == pytest.approx(88.02 - 88.2008, abs=1e-4)


def test_a_published_cosine_stands_for_a_hundredth(tmp_path):
    """CAM-COS 0.55 may be up to 0.56: an interval from 0.5580 on meets it, one from 0.5608 on does not."""
    for name, values, verdict in (
        ("meets", (0.5600, 0.5605, 0.5610), "inside"),
        ("misses", (0.5612, 0.5613, 0.5614), "outside"),
    ):
        loaded = load(tmp_path / name, {"cam_cos": values})
        [one] = found(loaded, source="Table 1", metric="cam_cos", guidance="none", row="CAM")
        assert one.verdict == verdict, one.interval
    alike = load(tmp_path / "alike", {"cam_cos": (0.5501, 0.5599, 0.5600)})
    [one] = found(alike, source="Table 1", metric="cam_cos", guidance="none", row="CAM")
    assert one.alike == 2
    assert table_comparison.distance(one) == 0


def test_a_clean_grid_is_never_judged(tmp_path):
    loaded = load(tmp_path, protocol="clean")
    assert {one.verdict for one in comparison.judgements(loaded)} == {"not judged"}
    assert {one.reason for one in comparison.judgements(loaded)} == {"protocol clean"}
    table = table_comparison.build(loaded)
    assert {row[-1] for row in words(table)} == {"not judged"}
    assert any("Judged: 0 of" in note for note in table.notes)
    assert any(note.startswith("Not judged: protocol clean: ") for note in table.notes)
    assert "88.20" in words(table)[0]  # it is shown all the same


def test_one_run_has_no_interval(tmp_path):
    loaded = load(tmp_path, {"accuracy": (88.0,)}, seeds=(0,))
    [one] = found(loaded, source="Table 1", metric="accuracy", guidance="none", row="CAM")
    assert (one.interval, one.verdict, one.reason) == (None, "not judged", "one run")
    row = words(table_comparison.build(loaded))[0]
    assert row[-4:] == [f"{MINUS}0.20", "", "0 of 1", "not judged"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"guidance": {"au": recorded.AU | {"weight": 9.0}}}, "published with λ = 4"),
    ],
)
def test_other_settings_are_not_judged(tmp_path, changes, reason):
    reasons = {one.reason for one in found(load(tmp_path, **changes), guidance="au") if one.row.published == "CAM"}
    assert reasons == {reason}


OTHER_NETWORKS = {
    "backbone": ("cam", {"backbone": "resnet10t"}),
    "input": ("cam", {"input_size": 112}),
    "channels": ("cam", {"kwargs": {"channels": [16, 32, 64, 96]}}),
    "width": ("acol", {"method_kwargs": {"width": 48}}),
    "extractor": ("apvit", {"kwargs": {"depths": [1, 1, 2]}}),
    "transformer": ("apvit", {"method_kwargs": {"depth": 4}}),
    "pixels": ("apvit", {"input_size": 64}),
}
SAME_NETWORKS = {
    "weights": ("cam", {"backbone": "resnet50.tv_in1k"}),
    "maps": ("cam", {"kwargs": {"large_maps": True}}),
    "method": ("wildcat", {"method_kwargs": {"alpha": 0.0}}),
    "transformer": ("apvit", {"method_kwargs": {"keep_tokens": 160, "pooled_blocks": [5, 6, 7, 8]}}),
}


def of_network(root, model, changes):
    """One of the paper's networks with something changed."""
    plan = recorded.plan(models={model: recorded.PAPER_MODELS[model]}, datasets=("rafdb",), protocol="paper")
    plan["cells"] = [entry | changes for entry in plan["cells"]]
    recorded.write(root, plan, cached=False)
    return results.load(plan, root)


@pytest.mark.parametrize(("model", "changes"), OTHER_NETWORKS.values(), ids=OTHER_NETWORKS)
def test_no_published_number_stands_beside_another_network(tmp_path, model, changes):
    loaded = of_network(tmp_path, model, changes)
    assert comparison.judgements(loaded) == [] and comparison.printed_arms(loaded) == ()
    assert table_comparison.build(loaded) is None
    for table in (table_main.build(loaded), table_attention.build(loaded)):
        assert not any("published" in column.title for column in table.columns)
        assert any(
            "no published number beside" in note and "because the paper's network is" in note for note in table.notes
        )


@pytest.mark.parametrize(("model", "changes"), SAME_NETWORKS.values(), ids=SAME_NETWORKS)
def test_what_does_not_change_the_network_is_compared(tmp_path, model, changes):
    loaded = of_network(tmp_path, model, changes)
    assert {one.guidance for one in comparison.judgements(loaded)} == {"none", "au"}
    assert comparison.other_networks(loaded) == []


def test_what_a_cell_has_otherwise_counts(tmp_path):
    """A released network has the λ and the layers that its own configuration says, not those of the grid."""
    loaded = of_network(tmp_path / "weight", "cam", {"guided_otherwise": {"weight": 9.0}})
    reasons = {one.reason for one in found(loaded, source="Table 1", row="CAM", guidance="au")}
    assert reasons == {"published with λ = 4"}
    loaded = of_network(tmp_path / "layers", "cam", {"guided_otherwise": {"layers": [4]}})
    assert found(loaded, guidance="au") == []


def test_other_test_images_are_not_judged(tmp_path, monkeypatch):
    monkeypatch.setitem(recorded.TEST_IMAGES, "rafdb", 100)
    assert {one.reason for one in comparison.judgements(load(tmp_path))} == {"published on 3068 test images"}


@pytest.mark.parametrize(
    "settings",
    [{"variant": "facs"}, {"plugin": "shuffled"}, {"loss": "kl"}, {"layers": [4]}, {"codebook": "printed"}],
    ids=str,
)
def test_another_guidance_is_not_the_published_one(tmp_path, settings):
    loaded = load(tmp_path, guidance={"other": recorded.AU | settings})
    assert {one.guidance for one in comparison.judgements(loaded)} == {"none"}
    assert comparison.printed_arms(loaded) == ("none",)


def test_cutmix_may_be_guided_at_layer_4(tmp_path):
    models = {name: recorded.PAPER_MODELS[name] for name in ("cam", "cutmix")}
    loaded = load(tmp_path, models=models, guidance={"au": recorded.AU | {"layers": [4]}})
    assert {one.row.word for one in found(loaded, guidance="au")} == {"CutMix"}


def test_missing_results_are_not_judged(tmp_path):
    plan = recorded.plan(models=CAM, datasets=("rafdb",), protocol="paper")
    recorded.write(tmp_path, plan, omit=[entry["cell"] for entry in plan["cells"]], cached=False)
    loaded = results.load(plan, tmp_path)
    assert {one.reason for one in comparison.judgements(loaded)} == {"no result"}
    assert table_comparison.build(loaded).rows


def test_other_data_are_not_compared(tmp_path):
    plan = recorded.plan()
    recorded.write(tmp_path, plan, cached=False)
    loaded = results.load(plan, tmp_path)
    assert comparison.judgements(loaded) == []
    assert table_comparison.build(loaded) is None
    assert not any("published" in column.title for column in table_main.build(loaded).columns)


def test_a_renamed_dataset_is_found_by_its_plugin(tmp_path):
    plan = recorded.plan(models=CAM, datasets=("rafdb",), protocol="paper")
    plan["datasets"]["rafdb"]["plugin"] = "folder"
    recorded.write(tmp_path, plan, cached=False)
    assert comparison.comparable(results.load(plan, tmp_path)) == []


def test_scores_on_the_papers_map_are_compared_whatever_the_tables_show(tmp_path):
    loaded = load(tmp_path, tables={"target": "facs"})
    [one] = found(loaded, source="Table 2", metric="att_cos", guidance="none", row="CAM")
    assert one.value.mean == pytest.approx(0.75)
