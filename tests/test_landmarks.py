"""Parts of the landmarks package that need no model: choosing, geometry, errors, table, journal, timings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench import registry
from fer_bench.errors import InputError
from fer_bench.landmarks import Detection, _table, _timings, error_against, read
from fer_bench.landmarks._choose import choose, largest_central
from fer_bench.landmarks._jitter import points_with_spread, shifted_boxes
from fer_bench.landmarks._journal import Entry, Journal
from fer_bench.landmarks._view import bordered, scaled
from fer_bench.landmarks.base import STATUSES, BackendBase, nothing

SQUARE = (100, 100)


def detection(value: float = 1.5, **changes: object) -> Detection:
    points = np.full((68, 2), value, np.float32)
    defaults = {"status": "ok", "step": "hog", "box": (0.0, 1.0, 2.0, 3.5), "score": 0.25, "message": ""}
    return Detection(points, **{**defaults, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", registry.names("landmarks"))
def test_every_backend_keeps_the_contract(name: str) -> None:
    plugin = registry.plugin("landmarks", name)
    assert issubclass(plugin, BackendBase)
    method = "detect" if plugin.needs_images else "find"
    assert method in vars(plugin)
    assert bool(plugin.steps) == plugin.needs_images
    assert registry.settings("landmarks", name)() is not None  # every setting has a default


def test_no_plugin_bears_the_name_of_a_public_function() -> None:
    from fer_bench import landmarks

    assert not set(registry.names("landmarks")) & set(landmarks.__all__)


def test_largest_face_wins_when_both_are_equally_far_from_the_centre() -> None:
    boxes = np.array([[0, 40, 20, 60], [70, 30, 110, 70]])  # centres 40 px to the left and to the right; sides 20, 40
    assert largest_central(boxes, SQUARE) == 1


def test_central_face_wins_over_a_slightly_larger_one_at_the_edge() -> None:
    boxes = np.array([[35, 35, 65, 65], [60, 60, 100, 100]])  # 30 - 0 against 40 - 42.4
    assert choose(boxes, SQUARE) == (0, "several_faces", "2 faces found, the largest central one taken")


def test_one_face_is_ok() -> None:
    assert choose(np.array([[0, 0, 5, 5]]), SQUARE) == (0, "ok", "")


def test_equal_faces_choose_the_leftmost_in_any_order() -> None:
    boxes = np.array([[60, 40, 80, 60], [20, 40, 40, 60]])
    assert largest_central(boxes, SQUARE) == 1
    assert largest_central(boxes[::-1], SQUARE) == 0


@given(
    st.integers(20, 90),
    st.integers(20, 90),
    st.sampled_from([64, 96, 160]),
    st.sampled_from([0.0, 0.25]),
    st.booleans(),
)
def test_a_view_maps_back_to_the_stored_image(height: int, width: int, side: int, border: float, shrink: bool) -> None:
    view = scaled(np.zeros((height, width, 3), np.uint8), side, 10_000, shrink, border)
    inner = np.array(view.pixels.shape[1::-1]) - 2 * view.offset
    edges = np.array([[-0.5, -0.5], inner - 0.5]) + view.offset  # outer edges of the first and of the last pixel
    expected = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    assert np.abs(view.to_stored(edges) - expected).max() <= 0.5 / view.scale + 1e-9  # sizes are whole pixels
    assert shrink or view.scale >= 1


def test_a_bright_pixel_is_found_where_it_was() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[11, 23] = 255
    view = scaled(image, 160, 10_000, shrink=False, border=0.25)
    weights = view.pixels[..., 0].astype(float)
    rows, columns = np.indices(weights.shape)
    centre = np.array([[(weights * columns).sum(), (weights * rows).sum()]]) / weights.sum()
    assert view.to_stored(centre) == pytest.approx(np.array([[23, 11]]), abs=0.01)


def test_size_limits_hold_for_a_narrow_image() -> None:
    assert scaled(np.zeros((2, 400, 3), np.uint8), 256, 1024, shrink=False).pixels.shape[1] == 1024
    assert scaled(np.zeros((1, 1, 3), np.uint8), 64, 1024, shrink=False).pixels.shape == (64, 64, 3)
    assert bordered(np.zeros((3, 3, 3), np.uint8), 1.0).pixels.shape == (3, 3, 3)


def test_shifted_boxes_by_hand() -> None:
    boxes = shifted_boxes(np.array([0.0, 0.0, 100.0, 100.0]), 0.1)
    assert boxes.shape == (9, 4)
    assert boxes[0] == pytest.approx([0, 0, 100, 100])
    assert boxes[1] == pytest.approx([0, 0, -10 + 100, -10 + 100])  # moved by -5, shrunk by 5 on each side
    assert boxes[-1] == pytest.approx([0, 0, 110, 110])


def test_spread_of_points_that_follow_the_box() -> None:
    def fit(_: np.ndarray, box: np.ndarray) -> np.ndarray:
        points = np.zeros((68, 2)) + box[:2]
        points[45, 0] += 50  # the eyes are 50 px apart
        return points

    # left and top edges move by (dx - grow) * 5: half of the eight boxes by 0, a quarter by -10, a quarter by +10
    points, spread = points_with_spread(fit, np.zeros((1, 1)), np.array([0.0, 0.0, 100.0, 100.0]), 0.1)
    assert points[0] == pytest.approx([0, 0])
    distances = [0, 0, 0, 10, 10, 10, 10, np.hypot(10, 10), np.hypot(10, 10)]
    assert spread == pytest.approx(np.mean(distances) / 50)


def test_error_is_relative_to_the_outer_eye_corners() -> None:
    truth = np.zeros((3, 68, 2))
    truth[:, 45] = (30, 40)  # 50 px from landmark 36
    points = truth + np.array([3, 4])  # each point is off by 5 px
    points[2] = np.nan
    assert error_against(points, truth)[:2] == pytest.approx([0.1, 0.1])
    assert np.isnan(error_against(points, truth)[2])


def test_error_of_eyes_in_one_place_is_undefined() -> None:
    assert np.isnan(error_against(np.ones((1, 68, 2)), np.zeros((1, 68, 2)))).all()


def test_table_round_trip(tmp_path: Path) -> None:
    found = [detection(1.23456), nothing("no_face", "why")]
    frame = _table.to_frame(["a", "007"], found, "dlib")
    _table.write(frame, tmp_path / "sub" / "t.parquet")
    ids, points, statuses = read(tmp_path / "sub" / "t.parquet")
    assert ids.tolist() == ["a", "007"]
    assert statuses.tolist() == ["ok", "no_face"]
    assert points.dtype == np.float32
    assert points[0] == pytest.approx(np.full((68, 2), 1.235))
    assert np.isnan(points[1]).all()
    assert frame.columns.is_unique
    assert list(frame.columns[137:]) == ["status", "step", *_table.BOX, "score", "backend", "message"]
    assert list((tmp_path / "sub").iterdir()) == [tmp_path / "sub" / "t.parquet"]  # no partial file is left


def test_an_empty_table_has_the_same_columns() -> None:
    assert list(_table.to_frame([], [], "x").columns) == list(_table.to_frame(["a"], [detection()], "x").columns)


def test_reading_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(InputError, match="not a readable parquet"):
        read(tmp_path / "text.parquet")
    pd.DataFrame({"id": ["a"]}).to_parquet(tmp_path / "short.parquet")
    with pytest.raises(InputError, match="'x0' is missing"):
        read(tmp_path / "short.parquet")


def test_journal_keeps_whole_lines_only(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with journal.open() as writer:
        writer.append(Entry("aa", detection(0.1, message="m"), {"hog": 0.5}))
        writer.append(Entry("bb", nothing("no_face"), {}))
    shard = tmp_path / "j" / "shard-000000.jsonl"
    shard.write_bytes(shard.read_bytes()[:-10])  # a kill in the middle of the second line
    entries = journal.read()
    assert list(entries) == ["aa"]
    assert entries["aa"].seconds == {"hog": 0.5}
    assert entries["aa"].detection.message == "m"
    assert (entries["aa"].detection.points == np.float32(0.1)).all()
    with journal.open() as writer:
        writer.append(Entry("bb", nothing("no_face"), {}))
    assert set(journal.read()) == {"aa", "bb"}
    assert np.isnan(journal.read()["bb"].detection.points).all()


def test_a_run_that_adds_nothing_leaves_no_file(tmp_path: Path) -> None:
    with Journal(tmp_path).open():
        pass
    assert not list(tmp_path.iterdir())


def test_timings_by_hand() -> None:
    entries = [
        Entry("a", detection(), {"read": 0.001, "hog": 0.002}),
        Entry("b", detection(step="mmod"), {"read": 0.001, "hog": 0.002, "mmod": 0.2}),
        Entry("c", nothing("error"), {"read": 0.003}),
    ]
    table = _timings.summarise(entries, ("hog", "mmod", "whole_image")).set_index("step")
    assert list(table.index) == ["read", "hog", "mmod", "all"]
    assert table["tried"].to_dict() == {"read": 3, "hog": 2, "mmod": 1, "all": 3}
    assert table["found"].to_dict() == {"read": 2, "hog": 1, "mmod": 1, "all": 2}
    assert table.loc["hog", ["yield", "seconds", "ms_per_image"]].tolist() == [0.5, 0.004, 2.0]
    assert table.loc["all", "ms_per_image"] == pytest.approx(69.67)


def test_statuses_are_the_documented_five() -> None:
    assert STATUSES == ("ok", "fallback", "no_face", "several_faces", "error")
