"""The backend that looks landmarks up: ground truth, our tables, the authors' landmarks.txt, and what is malformed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_bench.errors import InputError
from fer_bench.landmarks import Detection, _table, run
from fer_bench.landmarks._given_files import read_given
from fer_bench.landmarks.base import nothing

NAMES = ["id", *_table.X, *_table.Y]


def line(name: str, start: float = 0.0) -> str:
    """One line of landmarks.txt: x = start .. start + 67, y = start + 100 .. start + 167."""
    values = [start + i for i in range(68)] + [start + 100 + i for i in range(68)]
    return ",".join([name, *map(str, values)])


def no_face(name: str) -> str:
    return ",".join([name, *["inf"] * 136])


def refuse(path: Path) -> np.ndarray:
    raise AssertionError(f"no image may be opened: {path}")


def look_up(folder: Path, file: Path | None, ids: list[str], **more: object) -> pd.DataFrame:
    index = pd.DataFrame({"id": ids, "path": [f"images/{name}.png" for name in ids], "sha256": ""})
    settings = {} if file is None else {"file": str(file)}
    return run(index, folder, "given", settings, folder / "o.parquet", 2, False, refuse, folder / "c", **more)  # type: ignore[arg-type]


@pytest.fixture
def authors(tmp_path: Path) -> Path:
    file = tmp_path / "landmarks.txt"
    file.write_text("\n".join([line("a"), "", no_face("b"), line("images/c.png", -5)]) + "\n")
    return file


def test_landmarks_txt_by_hand(authors: Path, tmp_path: Path) -> None:
    frame = look_up(tmp_path, authors, ["b", "a", "c", "d"]).set_index("id")
    assert frame["status"].to_dict() == {"b": "no_face", "a": "ok", "c": "ok", "d": "error"}
    assert frame.loc["a", ["x0", "x67", "y0", "y67"]].tolist() == [0, 67, 100, 167]
    assert frame.loc["a", _table.BOX].tolist() == [0, 100, 67, 167]
    assert frame.loc["c", "x0"] == -5  # found by its path; outside the image is kept as it is
    assert "no row for id 'd'" in frame.loc["d", "message"]
    assert frame.loc[["b", "d"], NAMES[1:]].isna().all(axis=None)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_our_own_table(tmp_path: Path, ending: str) -> None:
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    found = Detection(points, "several_faces", "hog", (0, 0, 1, 1), 1.0)
    table = _table.to_frame(["a", "b"], [found, nothing("no_face")], "dlib")
    file = tmp_path / f"t.{ending}"
    table.to_csv(file, index=False) if ending == "csv" else table.to_parquet(file)
    frame = look_up(tmp_path, file, ["a", "b"])
    assert frame["status"].tolist() == ["several_faces", "no_face"]
    assert frame["step"].tolist() == ["given", ""]
    assert _table.points_of(frame)[0].tolist() == points.tolist()


def test_truth_of_the_dataset_is_used_without_a_file(tmp_path: Path) -> None:
    truth = pd.DataFrame([["a", *range(136)]], columns=NAMES)
    truth.to_parquet(tmp_path / "ground_truth.parquet")
    frame = look_up(tmp_path, None, ["a"], truth=tmp_path / "ground_truth.parquet")
    assert frame.loc[0, ["status", "x1", "y1"]].tolist() == ["ok", 1, 69]


def test_a_file_goes_before_the_truth(authors: Path, tmp_path: Path) -> None:
    frame = look_up(tmp_path, authors, ["a"], truth=tmp_path / "absent.parquet")
    assert frame.loc[0, "x67"] == 67


def test_neither_file_nor_truth(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"landmarks\.given\.file: no file given"):
        look_up(tmp_path, None, ["a"])


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv' does not exist"):
        look_up(tmp_path, tmp_path / "gone.csv", ["a"])


def test_changed_file(authors: Path, tmp_path: Path) -> None:
    settings = {"file": str(authors), "sha256": "00ff"}
    index = pd.DataFrame({"id": ["a"], "path": ["a"], "sha256": ""})
    with pytest.raises(InputError, match=r"sha256: given 00ff, but .*landmarks\.txt has"):
        run(index, tmp_path, "given", settings, tmp_path / "o", 1, False, refuse, tmp_path)


def test_no_id_matches_is_an_error_and_the_rows_are_kept(authors: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no landmarks at all in 2 images") as caught:
        look_up(tmp_path, authors, ["u", "v"])
    kept = next((tmp_path / "c").rglob("*.parquet"))
    assert str(kept) in str(caught.value)
    assert pd.read_parquet(kept)["status"].tolist() == ["error", "error"]
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line("a") + "\n" + line("b") + ",1", "line 2: 138 fields, expected 137"),
        (line("a") + "\nb,1,2", "line 2: 3 fields, expected 137"),
        (line("a").replace("67.0", "wide"), "line 1: could not convert string to float: 'wide'"),
        (line("a").replace(",0.0,", ",inf,"), "line 1: id 'a' has 135 of 136 numbers"),
        (line("a") + "\n\n" + line("a"), "line 3: id 'a' was given before, in .*line 1"),
        ("id,x0,x1\na,1,2", "line 1: column 'x2' is missing"),
        (",".join(NAMES) + "\n" + line("a") + ",9", "line 2: 138 fields, expected as many as the header"),
        (",".join([*NAMES, "status"]) + "\n" + line("a") + ",fine", "line 2: status 'fine'; known: ok,"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(text)
    with pytest.raises(InputError, match=r"bad\.txt, " + message):
        read_given(file)


def test_binary_that_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_given(tmp_path / "x.csv")


def test_header_with_columns_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(",".join(["note", *reversed(NAMES)]) + "\n" + ",".join(["n", *map(str, range(135, -1, -1)), "a"]))
    ids, points, statuses = read_given(file)
    assert (ids, statuses) == (["a"], [""])
    assert points[0, :, 0].tolist() == list(range(68))
    assert points[0, :, 1].tolist() == list(range(68, 136))


def folds(tmp_path: Path, **splits: list[str]) -> Path:
    """The authors' fold folder: train, val and test, each with a landmarks.txt."""
    for split, lines in splits.items():
        (tmp_path / "folds" / split).mkdir(parents=True)
        (tmp_path / "folds" / split / "landmarks.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "folds"


def test_fold_folder_whose_val_repeats_test(tmp_path: Path) -> None:
    released = "basic/Image/our_aligned/{}.jpg"
    test = [line(released.format("test_0001"), 5), no_face(released.format("test_0002"))]
    folder = folds(tmp_path, train=[line(released.format("train_00001"), 3)], val=test[::-1], test=test)
    frame = look_up(tmp_path, folder, ["test_0001", "train_00001", "test_0002"])
    assert frame["x0"].iloc[:2].tolist() == [5, 3]  # ids are the names of the files, wherever they lie
    assert frame["status"].tolist() == ["ok", "ok", "no_face"]


def test_landmarks_of_the_folder_itself_come_first(tmp_path: Path) -> None:
    folder = folds(tmp_path, test=[line("a", 1)])
    (folder / "landmarks.txt").write_text(line("a", 2))
    assert look_up(tmp_path, folder, ["a"])["x0"].tolist() == [2]


def test_one_id_with_two_sets_of_landmarks(tmp_path: Path) -> None:
    folder = folds(tmp_path, val=[line("a", 1)], test=[line("a", 2)])
    with pytest.raises(InputError, match=r"test.landmarks\.txt: id .a. has other landmarks than in .*val.landm"):
        look_up(tmp_path, folder, ["a"])


def test_folder_without_landmarks(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty' holds no landmarks\.txt, nor a folder train or test with one"):
        look_up(tmp_path, tmp_path / "empty", ["a"])


def test_a_hash_guards_one_file_alone(tmp_path: Path) -> None:
    folder = folds(tmp_path, train=[line("a")], test=[line("b")])
    index = pd.DataFrame({"id": ["a"], "path": ["a"], "sha256": ""})
    with pytest.raises(InputError, match=r"sha256: .* is a folder of several files"):
        run(index, tmp_path, "given", {"file": str(folder), "sha256": "00"}, tmp_path / "o", 1, False, refuse, tmp_path)


def test_a_name_that_two_folders_share_is_found_by_its_path_only(tmp_path: Path) -> None:
    file = tmp_path / "landmarks.txt"
    file.write_text(line("one/1.jpg", 1) + "\n" + line("two/1.jpg", 2) + "\n" + line("two/2.jpg", 4))
    index = pd.DataFrame({"id": ["1", "two/1.jpg", "2"], "path": ["x/1.jpg", "two/1.jpg", "x/2.jpg"], "sha256": ""})
    frame = run(index, tmp_path, "given", {"file": str(file)}, tmp_path / "o.parquet", 1, False, refuse, tmp_path / "c")
    assert frame["status"].tolist() == ["error", "ok", "ok"]
    assert frame["x0"].iloc[1:].tolist() == [2, 4]
