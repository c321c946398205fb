"""The published numbers: each row against the counts behind it, and how a cut-off number is compared."""

from hashlib import sha256
from math import floor

import pytest

from fer_bench.report.published import IMAGES, claims

TABLE1 = [claim for claim in claims() if claim.source == "Table 1"]
ACCURACIES = [claim for claim in claims() if claim.metric == "accuracy"]


def one(**wanted):
    found = [claim for claim in claims() if all(getattr(claim, key) == value for key, value in wanted.items())]
    assert len(found) == 1
    return found[0]


def test_every_published_number_is_there():
    counts = {}
    for claim in claims():
        key = (claim.source, claim.dataset, claim.metric)
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        **{("Table 1", name, "accuracy"): 22 for name in IMAGES},  # eleven methods, two arms
        **{("Table 1", name, "cam_cos"): 20 for name in IMAGES},  # none of APViT
        **{("Table 2", name, "att_cos"): 22 for name in IMAGES},
        **{("Table 3", "rafdb", metric): 10 for metric in ("accuracy", "cam_cos")},  # nine layer sets and none
        **{("Figure 5", "rafdb", metric): 23 for metric in ("accuracy", "att_cos", "cam_cos")},  # 22 weights and none
    }


@pytest.mark.parametrize("claim", [claim for claim in ACCURACIES if claim.source != "Figure 5"], ids=str)
def test_an_accuracy_is_the_cut_off_share_of_its_count(claim):
    """CL = floor(10,000 k / N) / 100 with whole k; one of them, exactly 59 %, was cut off after a float32 division."""
    images = IMAGES[claim.dataset]
    correct = claim.printed.low * images / 100
    assert abs(correct - round(correct)) < 1e-9
    share = floor(10_000 * round(correct) / images) / 100
    is_float32 = (claim.method, claim.dataset, claim.guided) == ("TS-CAM", "affectnet", False)
    assert f"{share:.2f}" == ("59.00" if is_float32 else claim.printed.text)
    assert not is_float32 or claim.printed.text == "58.99"


@pytest.mark.parametrize(
    ("dataset", "guided", "expected"),
    [("rafdb", False, 29767), ("rafdb", True, 30022), ("affectnet", False, 22920), ("affectnet", True, 23675)],
)
def test_counts_of_table_1_add_up(dataset, guided, expected):
    """Sum of the correct images over eleven methods."""
    rows = [claim for claim in TABLE1 if (claim.dataset, claim.guided, claim.metric) == (dataset, guided, "accuracy")]
    assert len(rows) == 11
    assert round(sum(claim.printed.low for claim in rows) * IMAGES[dataset] / 100) == expected


@pytest.mark.parametrize(
    ("source", "metric", "total", "checksum"),
    [
        ("Table 1", "accuracy", 3279.87, "83cce1821dabfd5e"),
        ("Table 1", "cam_cos", 25.32, "b4ca319674e552f6"),
        ("Table 2", "att_cos", 30.40, "b37ae9cfc897e886"),
        ("Table 3", "accuracy", 885.51, "0b7820871df6c3f3"),
        ("Table 3", "cam_cos", 6.25, "6c8ff3641f73d640"),
        ("Figure 5", "accuracy", 2033.92, "de67bf130efe470e"),
        ("Figure 5", "att_cos", 19.236, "dd7827556f793644"),
        ("Figure 5", "cam_cos", 16.016, "d8c0c6052311a463"),
    ],
)
def test_no_published_number_has_changed(source, metric, total, checksum):
    """Sum and SHA-256 of the rows as they were compared, number by number, with the paper."""
    rows = [claim for claim in claims() if (claim.source, claim.metric) == (source, metric)]
    assert sum(float(claim.printed.text) for claim in rows) == pytest.approx(total, abs=1e-9)
    lines = [f"{one.dataset} {one.method} {one.layers} {one.weight} {one.printed.text}" for one in rows]
    assert sha256("\n".join(lines).encode()).hexdigest()[:16] == checksum


def test_table_3_and_figure_5_agree_with_table_1():
    """Layer 5 of Table 3, λ = 4 of Figure 5 and the CAM row of Table 1 are one run, and so are the runs without AU."""
    same = {"dataset": "rafdb", "method": "CAM", "metric": "accuracy"}
    guided = [one(source="Table 1", layers=(5,), **same), one(source="Table 3", layers=(5,), **same)]
    guided.append(one(source="Figure 5", weight=4, **same))
    assert {round(claim.printed.low * 30.68) for claim in guided} == {2729}
    without = [one(source=name, layers=(), **same) for name in ("Table 1", "Table 3", "Figure 5")]
    assert {round(claim.printed.low * 30.68) for claim in without} == {2706}


def test_figure_5_spans_22_weights():
    rows = [claim for claim in ACCURACIES if claim.source == "Figure 5" and claim.guided]
    assert [claim.weight for claim in rows] == [0.01, 0.1, *range(1, 21)]
    counts = [round(claim.printed.low * 30.68) for claim in rows]
    assert (min(counts), max(counts), sum(counts)) == (2698, 2729, 59695)


def test_a_cut_off_number_stands_for_the_hundredth_above_it():
    printed = one(source="Table 1", dataset="rafdb", method="CAM", metric="cam_cos", layers=()).printed
    assert printed.text == "0.55"
    assert [printed.matches(value) for value in (0.5499, 0.55, 0.5575, 0.559999, 0.56)] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert printed.meets(0.5599, 0.7) and not printed.meets(0.5601, 0.7)


def test_an_accuracy_matches_what_would_be_printed_alike_or_is_the_same_count():
    printed = one(source="Table 1", dataset="affectnet", method="TS-CAM", metric="accuracy", layers=()).printed
    assert printed.matches(100 * 2065 / 3500)  # exactly 59, printed 58.99
    assert printed.matches(58.995)
    assert not printed.matches(100 * 2066 / 3500)
    assert not printed.matches(100 * 2064 / 3500)


def test_numbers_off_the_plot_have_their_reading_error():
    printed = one(source="Figure 5", metric="cam_cos", weight=4).printed
    assert (printed.text, printed.low, printed.high) == ("0.708", pytest.approx(0.706), pytest.approx(0.71))
    assert printed.matches(0.7095) and not printed.matches(0.7105)
