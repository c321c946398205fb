"""Groups of faces: bins of generated attributes, attributes.csv, and what RAF-DB's annotators wrote."""

import numpy as np
import pandas as pd
import pytest
import rafdb_dataset as rafdb

from fer_bench import attributes
from fer_bench.attributes import groups_of, read_attributes
from fer_bench.datasets import _rafdb_attributes as of_rafdb
from fer_bench.errors import InputError


def test_bins_are_half_open_and_yaw_has_no_side():
    truth = pd.DataFrame(
        {
            "skin_tone": [0.0, 0.34, 1.0, np.nan],
            "female": [True, False, True, False],
            "age": [3.9, 4.0, 39.9, 70.0],
            "yaw": [4.9, -5.0, 10.0, -25.0],
            "occluded": [False, True, False, False],
        },
        index=list("abcd"),
    )
    found = groups_of(truth)
    assert found["skin tone"].tolist() == ["light", "medium", "dark", ""]
    assert found["sex"].tolist() == ["female", "male", "female", "male"]
    assert found["age"].tolist() == ["0-3", "4-19", "20-39", "70 and older"]
    assert found["yaw (degrees)"].tolist() == ["below 5", "5-10", "10-20", "20 and more"]
    assert found["occluded"].tolist() == ["no", "yes", "no", "no"]
    assert "glasses" not in found


def test_a_dataset_that_knows_nothing_has_no_attributes(tmp_path):
    assert read_attributes(tmp_path) is None
    pd.DataFrame({"id": ["a"], "au_12": [1.0]}).to_parquet(tmp_path / "ground_truth.parquet")
    assert read_attributes(tmp_path) is None  # annotated units alone


def test_a_file_of_attributes_goes_before_the_ground_truth(tmp_path):
    pd.DataFrame({"id": ["a"], "female": [True]}).to_parquet(tmp_path / "ground_truth.parquet")
    assert read_attributes(tmp_path)["sex"].tolist() == ["female"]
    (tmp_path / attributes.FILE).write_text("id,ethnicity\na,NA\nb,\n")
    assert read_attributes(tmp_path)["ethnicity"].tolist() == ["NA", ""]  # words stay words


@pytest.mark.parametrize(
    ("text", "said"),
    [("id\na\n", "one per attribute"), ("id,x\na,1\na,2\n", "repeated: a"), ("x,y\n1,2\n", "column id")],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path, text, said):
    (tmp_path / attributes.FILE).write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_attributes(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.fixture
def photographs(tmp_path):
    (tmp_path / "basic/Annotation/manual").mkdir(parents=True)
    points = np.arange(10.0).reshape(5, 2)
    for name in ("train_1", "train_2"):
        rafdb.write_points(tmp_path, name, points)
    return tmp_path


def lines(root, name, *codes):
    (root / of_rafdb.POINTS.format(name)).write_text("\n".join(["1\t2"] * 5 + list(codes)) + "\n")


def test_rafdb_tells_sex_race_and_age(photographs):
    lines(photographs, "train_2", "2", "0", "4")
    found = of_rafdb.read_rafdb_attributes(photographs, ["train_1", "train_2", "absent"])
    assert found.loc["train_1"].tolist() == ["male", "African-American", "20-39"]
    assert found.loc["train_2"].tolist() == ["", "Caucasian", "70 and older"]  # unsure of the sex
    assert found.loc["absent"].tolist() == ["", "", ""]
    assert set(of_rafdb.ATTRIBUTES["age"]) == set(attributes.AGES)  # generated faces are split alike


def test_rafdb_without_attributes_writes_none(photographs):
    lines(photographs, "train_1")
    assert of_rafdb.read_rafdb_attributes(photographs, ["train_1"]) is None
    (photographs / of_rafdb.FILE).write_text("of an earlier run")
    of_rafdb.write_rafdb_attributes(photographs, ["train_1"], photographs)
    assert read_attributes(photographs) is None


def test_what_rafdb_writes_is_read_back(photographs):
    of_rafdb.write_rafdb_attributes(photographs, ["train_1", "train_2"], photographs)
    pd.testing.assert_frame_equal(
        read_attributes(photographs), of_rafdb.read_rafdb_attributes(photographs, ["train_1", "train_2"])
    )


@pytest.mark.parametrize("codes", [("0", "1"), ("0", "1", "5"), ("0", "x", "1"), ("0", "1", "2", "3")])
def test_rafdb_codes_that_do_not_exist_are_refused(photographs, codes):
    lines(photographs, "train_1", *codes)
    with pytest.raises(InputError, match=r"train_1_manu_attri\.txt: expected sex"):
        of_rafdb.read_rafdb_attributes(photographs, ["train_1"])
