"""Coverage of action units and stability across seeds: by hand, as properties, and as tables and figures."""

import hashlib
import json

import numpy as np
import pytest
import recorded_results as recorded
import torch
from scipy.stats import spearmanr

from fer_bench.evaluate_details import SAMPLE, sample, write_sample
from fer_bench.metrics import coverage, face_region
from fer_bench.report import figures_coverage, style, table_coverage, table_stability
from fer_bench.report.results import load
from fer_bench.report.stability import directions, stability
from fer_bench.unit_coverage import drawn_regions


def test_coverage_by_hand():
    maps = torch.tensor([[[4.0, 2.0], [0.0, 2.0]]])
    face = torch.tensor([[[True, True], [True, True]]])
    regions = torch.tensor([[[[True, False], [False, False]], [[False, False], [True, True]], [[False] * 2] * 2]])
    # Mean in the region over the mean of 2 in the face; an empty region has none.
    np.testing.assert_allclose(coverage(maps, regions, face), [[2.0, 0.5, np.nan]])


def test_an_even_map_covers_everything_once_and_what_lies_outside_the_face_changes_nothing():
    rng = torch.Generator().manual_seed(0)
    face = torch.zeros(3, 8, 8, dtype=torch.bool)
    face[:, 2:7, 1:6] = True
    regions = (torch.rand(3, 4, 8, 8, generator=rng) > 0.5) & face[:, None]
    np.testing.assert_allclose(coverage(torch.full((3, 8, 8), 0.3), regions, face), 1.0, rtol=1e-12)
    maps = torch.rand(3, 8, 8, generator=rng)
    louder = torch.where(face, maps * 5, 100.0)
    np.testing.assert_allclose(coverage(maps, regions, face), coverage(louder, regions, face), rtol=1e-6)
    only = regions[:, 0].float()
    share = face.sum((1, 2)) / regions[:, 0].sum((1, 2))
    np.testing.assert_allclose(coverage(only, regions, face)[:, 0], share)  # the largest value there is


def test_a_map_that_is_zero_on_the_face_has_no_coverage():
    face = torch.ones(1, 2, 2, dtype=torch.bool)
    assert torch.isnan(coverage(torch.zeros(1, 2, 2), face[:, None], face)).all()


def test_the_face_is_the_hull_of_its_landmarks():
    points = np.full((2, 68, 2), 0.5)
    points[0, :4] = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]
    points[1, 0] = np.nan
    found = face_region(points, 16)
    assert found[0].sum() == 81  # pixels 4 to 12 each way: centres within half a pixel of the hull, edge included
    assert found[0, 4:13, 4:13].all()
    assert not found[1].any()


def test_units_drawn_alike_share_a_column():
    regions = drawn_regions(("happiness", "anger"), "facs")
    assert (22, 23, 24) in regions
    assert (12,) in regions
    assert sorted(unit for one in regions for unit in one) == [4, 5, 6, 7, 10, 12, 17, 22, 23, 24, 25, 26]


def test_ranks_give_spearmans_correlation_ties_included():
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 5, (4, 3, 3)).astype(float)
    found = directions(maps) @ directions(maps).T
    for i in range(4):
        for j in range(4):
            assert found[i, j] == pytest.approx(spearmanr(maps[i].ravel(), maps[j].ravel()).statistic)
    assert not directions(np.ones((1, 3, 3))).any()  # a constant map ranks nothing


def test_stability_by_hand():
    up, down = np.arange(4.0).reshape(2, 2), -np.arange(4.0).reshape(2, 2)
    by_seed = {0: np.stack([up, down, down]), 1: np.stack([up**3, down, up])}
    found = stability(by_seed, np.array([0, 0, 1]))
    assert found.same == pytest.approx((1 + 1 - 1) / 3)  # only the order counts
    assert found.same_expression == pytest.approx(-1.0)  # up with down, twice
    # Seed 0 in rows, seed 1 in columns: up-down, up-up, down-up, down-up, down-up, down-down.
    assert found.other == pytest.approx((-1 + 1 - 1 - 1 - 1 + 1) / 6)
    assert stability({0: by_seed[0]}, np.zeros(3)) is None


def test_equal_networks_agree_fully_and_unrelated_maps_not_at_all():
    maps = np.random.default_rng(0).random((60, 7, 7))
    same = stability(dict.fromkeys(range(3), maps), np.arange(60) % 6)
    assert same.same == pytest.approx(1.0)
    assert abs(same.other) < 0.02
    other = stability({seed: np.random.default_rng(seed).random((60, 7, 7)) for seed in range(3)}, np.arange(60) % 6)
    assert abs(other.same) < 0.05


def test_the_same_images_are_kept_whatever_their_order():
    ids = [f"face{n}" for n in range(3 * SAMPLE)]
    chosen = {ids[row] for row in sample(ids)}
    assert len(chosen) == SAMPLE
    assert {ids[::-1][row] for row in sample(ids[::-1])} == chosen
    assert sample(ids[:5]).tolist() == [0, 1, 2, 3, 4]


def test_kept_maps_lie_between_zero_and_one(tmp_path):
    maps = torch.tensor([[[1e6, 3e6], [2e6, 1e6]], [[5.0, 5.0], [5.0, 5.0]]])  # beyond half precision as it is
    write_sample(tmp_path / "maps.npz", ["a", "b"], np.array([3, 4]), {"att.5": maps})
    with np.load(tmp_path / "maps.npz") as file:
        assert file["att.5"].tolist() == [[[0, 1], [0.5, 0]], [[0, 0], [0, 0]]]
        assert file["att.5"].dtype == np.float16
        assert file["labels"].tolist() == [3, 4]


@pytest.fixture
def results(tmp_path):
    plan = recorded.plan(models={"resnet_small": recorded.MODELS["resnet_small"]})
    recorded.write(tmp_path, plan, cached=False)
    own = np.zeros((7, 3), dtype=bool)
    own[1, 1:] = True
    for cell in plan["cells"]:
        folder = tmp_path / "results/runs" / cell["cell"] / "evaluate/synthetic"
        folder.mkdir(parents=True)
        guided, seed = cell["guidance"] == "au", cell["seed"]
        visited = np.where(own, 1.0 + guided + 0.1 * seed, 0.5)
        arrays = {"units.paper": np.array(["4", "12", "22, 23"]), "own.paper": own, "att.5.paper": visited}
        np.savez(folder / "unit_coverage.npz", **arrays, **{"ideal.paper": np.where(own, 4.0, np.nan)})
        base = np.random.default_rng(0).random((30, 5, 5))
        noise = 0 if guided else np.random.default_rng(10 + seed).random((30, 5, 5))
        maps = {"att.5": torch.as_tensor(base + noise)}
        write_sample(folder / "sample_maps.npz", [f"i{n:02}" for n in range(30)], np.arange(30) % 6, maps)
        path = tmp_path / "results/metrics/synthetic" / f"{cell['cell']}.json"
        files = [
            {"path": str(f.relative_to(tmp_path)), "sha256": hashlib.sha256(f.read_bytes()).hexdigest()}
            for f in sorted(folder.glob("*.npz"))
        ]
        path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files}))
    return load(plan, tmp_path)


def test_table_of_coverage(results):
    table = table_coverage.build(results)
    names = [column.name for column in table.columns]
    happy = [row for row in table.rows if "happiness" in row.contents]
    found = {row.contents[names.index("Training")]: row.contents for row in happy}
    assert found["without AU"][names.index("own units")].text() == "1.10 ± 0.10"
    assert found["without AU"][names.index("other units")].text() == "0.50 ± 0.00"
    assert found["difference"][names.index("AU 12")].text() == "+1.00 ± 0.00"
    assert found["ideal"][names.index("AU 22, 23")].mean == 4.0
    assert found["ideal"][names.index("AU 4")] == ""
    assert found["with AU"][names.index("Own units")] == "12; 22, 23"


def test_figure_of_coverage(results):
    with style.look():
        made = dict(figures_coverage.build(results))
        figure = made["coverage-synthetic-resnet_small"]
        figure.draw_without_rendering()
    assert [axes.get_title() for axes in figure.axes] == ["without AU", "with AU", "ideal"]
    assert all(len(axes.patches) == 2 for axes in figure.axes)  # the two units of happiness are framed
    first = figure.axes[0].collections[0].get_array()
    assert first[1].tolist() == [0.5, pytest.approx(1.1), pytest.approx(1.1)]  # the mean over seeds


def test_table_of_stability(results):
    table = table_stability.build(results)
    names = [column.name for column in table.columns]
    found = {row.contents[names.index("Training")]: row.contents for row in table.rows}
    same, other = names.index("same image"), names.index("another image")
    assert found["with AU"][same].text() == "1.000"
    assert 0.3 < found["without AU"][same].mean < 0.7
    assert abs(found["without AU"][other].mean) < 0.1
    assert found["difference"][same].mean == pytest.approx(1 - found["without AU"][same].mean)
