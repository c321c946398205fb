"""Readers of annotated collections: RAF-AU, DISFA, BP4D, CK+, each from a small tree of its true layout."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from au_datasets import make_bp4d, make_ck_plus, make_disfa, make_raf_au, write
from generated_faces import save_face

from fer_bench.datasets._units import Mark, read_code
from fer_bench.datasets._units_disfa import UNITS as DISFA_UNITS
from fer_bench.datasets.au_table import Dataset, Settings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS


def prepare(root: Path, layout: str, **settings: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return index and table of units, both by id."""
    out = root.parent / "data" / "faces" / "out"
    made = Dataset("units", Settings(layout=layout, root=str(root), **settings))
    frame = made.prepare(out, workers=1, progress=False)
    return frame.set_index("id"), pd.read_parquet(out / "ground_truth.parquet").set_index("id")


def refused(root: Path, layout: str, message: str, **settings: object) -> None:
    with pytest.raises(InputError, match=message) as caught:
        prepare(root, layout, **settings)
    assert str(caught.value).startswith("params.yaml: datasets.units") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("12", Mark(12)),
        (" 4 ", Mark(4)),
        ("L12", Mark(12, 1.0, "right")),  # the person's left is the image's right
        ("r10b", Mark(10, 0.4, "left")),
        ("T23", Mark(23)),
        ("6E", Mark(6)),
        ("1A", Mark(1, 0.2)),
    ],
)
def test_codes_of_facs(text: str, mark: Mark) -> None:
    assert read_code(text, "here") == mark


@pytest.mark.parametrize("text", ["", "x", "12F", "L", "123", "4-7", "-4"])
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(InputError, match=r"here: .* is no action unit"):
        read_code(text, "here")


# RAF-AU


@pytest.fixture
def raf_au(tmp_path: Path) -> Path:
    return make_raf_au(tmp_path / "raf_au")


def test_raf_au(raf_au: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame, table = prepare(raf_au, "raf_au", labels="distribution.txt")
    assert frame["label"].to_dict() == {"0007": "anger", "0012": "disgust", "0031": "happiness"}
    assert frame["path"]["0007"] == "aligned/0007_aligned.jpg" and set(frame["split"]) == {"test"}
    assert table.columns[0] == "au_4" and table.loc["0007", ["au_4", "au_7", "au_17", "au_12"]].tolist() == [1, 1, 1, 0]
    assert (table.loc["0012"] == 0).all()
    assert table.loc["0031", ["au_12", "au_12_left", "au_12_right", "au_25"]].tolist() == [1, 1, 1, 1]
    excluded = pd.read_csv(raf_au.parent / "data/faces/out/excluded.csv")
    assert excluded["image"].tolist() == ["aligned/0044_aligned.jpg"]  # no expression has more than half of its votes
    assert "4 annotated faces, 4601 published" in caplog.text


def test_raf_au_with_labels_of_ones_own_and_images_as_listed(raf_au: Path) -> None:
    (raf_au / "aligned" / "0044_aligned.jpg").rename(raf_au / "aligned" / "0044.jpg")
    pd.DataFrame({"image": ["0044.jpg"], "label": ["sadness"]}).to_csv(raf_au / "labels.csv", index=False)
    frame, table = prepare(raf_au, "raf_au", labels="labels.csv")
    assert frame["path"].to_dict() == {"0044": "aligned/0044.jpg"}
    assert table.loc["0044", ["au_14", "au_14_left", "au_14_right"]].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0050.jpg 4+x", r"RAFAU_label\.txt, line 6: 'x' is no action unit"),
        ("0050.jpg", "line 6: '0050.jpg' is not a file name and action units"),
        ("0050.jpg 4 7", "line 6: .* is not a file name and action units"),
        ("0007.jpg 4", "line 6: 0007.jpg was listed before"),
    ],
)
def test_raf_au_bad_lines(raf_au: Path, line: str, message: str) -> None:
    with (raf_au / "RAFAU_label.txt").open("a") as file:
        file.write(line + "\n")
    refused(raf_au, "raf_au", message, labels="distribution.txt")


def test_raf_au_bad_votes_and_absent_images(raf_au: Path) -> None:
    (raf_au / "aligned" / "0007_aligned.jpg").unlink()
    refused(raf_au, "raf_au", r"aligned/0007\.jpg \(cannot be read: No such file", labels="distribution.txt")
    write(raf_au / "distribution.txt", "0007.jpg 0 0 1\n")
    refused(raf_au, "raf_au", r"distribution\.txt, line 1: '0 0 1' is not 6 number", labels="distribution.txt")


# DISFA


@pytest.fixture
def disfa(tmp_path: Path) -> Path:
    return make_disfa(tmp_path / "disfa")


def test_disfa(disfa: Path) -> None:
    frame, table = prepare(disfa, "disfa", labels="labels.csv")
    assert len(frame) == 8 and frame["subject"]["SN001_00003"] == "SN001"
    assert frame["path"]["SN001_00003"] == "images/SN001/0003.jpg"
    assert table["au_12"].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 0, 0, 0, 0])
    assert [name for name in table if name.count("_") == 1] == [f"au_{unit}" for unit in DISFA_UNITS]


def test_disfa_every_second_frame(disfa: Path) -> None:
    frame, table = prepare(disfa, "disfa", labels="labels.csv", every=2, minimum_intensity=0.4)
    assert frame.index.tolist() == ["SN001_00001", "SN001_00003", "SN002_00001", "SN002_00003"]
    assert table["au_12"].tolist() == pytest.approx([0, 0.6, 0, 0])


def test_disfa_has_no_expressions(disfa: Path) -> None:
    refused(disfa, "disfa", "of none of 8 faces an expression is known, and layout disfa needs them from elsewhere")


def test_disfa_broken(disfa: Path) -> None:
    labels = disfa / "ActionUnit_Labels" / "SN002"
    (disfa / "images" / "SN001" / "0004.jpg").unlink()
    refused(disfa, "disfa", r"1 of 8 images cannot be used: images/SN001/0004\.jpg", labels="labels.csv")
    assert len(prepare(disfa, "disfa", labels="labels.csv", on_bad_image="exclude")[0]) == 7
    write(labels / "SN002_au4.txt", "1,0\n2,6\n")
    refused(disfa, "disfa", r"SN002_au4\.txt, line 2: intensity 6 is not in 0\.\.5", labels="labels.csv")
    write(labels / "SN002_au4.txt", "1,0\n2 0\n")
    refused(disfa, "disfa", r"line 2: '2 0' is not 2 number", labels="labels.csv")
    write(labels / "SN002_au4.txt", "1,0\n2,0\n")
    refused(disfa, "disfa", r"SN002_au4\.txt lists other frames than", labels="labels.csv")
    (labels / "SN002_au4.txt").unlink()
    refused(disfa, "disfa", r"SN002_au4\.txt: No such file", labels="labels.csv")
    refused(disfa, "disfa", "no folder .*elsewhere; it holds SN001", units="elsewhere")


def test_two_files_of_one_frame(disfa: Path) -> None:
    save_face(disfa / "images" / "SN001" / "frame1.png", "fear")
    refused(disfa, "disfa", "0001.jpg and frame1.png show the same frame", labels="labels.csv")


# BP4D


@pytest.fixture
def bp4d(tmp_path: Path) -> Path:
    return make_bp4d(tmp_path / "bp4d")


def test_bp4d(bp4d: Path) -> None:
    frame, table = prepare(bp4d, "bp4d", tasks={"T1": "happiness", "T2": "sadness"})
    assert frame["label"].value_counts().to_dict() == {"happiness": 3, "sadness": 3}  # T6 shows no expression of ours
    assert frame["path"]["F001_T1_02441"] == "2D+3D/F001/T1/2441.jpg" and frame["subject"]["M002_T2_02442"] == "M002"
    assert [name for name in table if name.count("_") == 1] == ["au_1", "au_4", "au_12"]  # AU 2 is never known
    np.testing.assert_array_equal(table.loc["F001_T1_02440", ["au_1", "au_4", "au_12"]], [1, 0, 1])
    assert np.isnan(table.loc["F001_T1_02441", ["au_4", "au_4_left"]].to_numpy(float)).all()
    excluded = pd.read_csv(bp4d.parent / "data/faces/out/excluded.csv")
    assert excluded["reason"].tolist() == ["no expression is known"] * 3


def test_bp4d_every_second_frame(bp4d: Path) -> None:
    frame, _ = prepare(bp4d, "bp4d", tasks={"T1": "happiness"}, every=2)
    assert frame.index.tolist() == ["F001_T1_02440", "F001_T1_02442"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2\n2440,1,3\n", r"F001_T1\.csv, line 2: not a frame and codes 0, 1 or 9"),
        ("0,1,2\n2440,1,0\nx,1,0\n", "line 3: not a frame"),
        ("0,one\n2440,1\n", "line 1: after the frame, every column is named by its FACS number"),
        ("", "is not a readable CSV"),
    ],
)
def test_bp4d_bad_lines(bp4d: Path, text: str, message: str) -> None:
    write(bp4d / "AUCoding" / "AU_OCC" / "F001_T1.csv", text)
    refused(bp4d, "bp4d", message, tasks={"T1": "happiness"})


def test_bp4d_tasks_must_name_expressions(bp4d: Path) -> None:
    refused(bp4d, "bp4d", "unknown label 'joy'", tasks={"T1": "joy"})
    refused(bp4d, "bp4d", "no folder .*2D.3D.* holds the frames|no folder", images="2D", tasks={"T1": "happiness"})


# CK+


@pytest.fixture
def ck_plus(tmp_path: Path) -> Path:
    return make_ck_plus(tmp_path / "ck_plus")


def test_ck_plus(ck_plus: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame, table = prepare(ck_plus, "ck_plus")
    assert frame["label"].to_dict() == {
        "S000_001_00000011": "happiness",
        "S001_001_00000011": "anger",
        "S002_001_00000011": "disgust",
        "S003_001_00000011": "fear",
        "S004_001_00000011": "sadness",
        "S005_001_00000011": "surprise",
    }
    assert frame["subject"]["S003_001_00000011"] == "S003"
    assert frame["path"]["S003_001_00000011"] == "cohn-kanade-images/S003/001/S003_001_00000011.png"
    # intensity 3 of 5; one without intensity counts as fully there
    assert table.loc["S003_001_00000011", ["au_4", "au_25"]].tolist() == pytest.approx([0.6, 1.0])
    assert table.loc["S000_001_00000011", "au_1"] == 1.0
    assert "test" not in caplog.text.split("classes that differ:")[1].split("left out")[0]
    assert "all anger 1 (published 45)" in caplog.text and "8 annotated faces, 593 published" in caplog.text


def test_ck_plus_with_contempt(ck_plus: Path) -> None:
    frame, table = prepare(ck_plus, "ck_plus", expressions=8)
    assert frame["label"]["S010_002_00000020"] == "contempt" and len(frame) == 7
    assert table.loc["S010_002_00000020", "au_14"] == pytest.approx(0.6)
    reasons = pd.read_csv(ck_plus.parent / "data/faces/out/excluded.csv")["reason"]
    assert reasons.tolist() == ["no expression is known"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "FACS/S000/001/S000_001_00000011_facs.txt",
            "1 2\n6 7\n",
            "line 2: '6 7' is not a FACS number and an intensity",
        ),
        ("FACS/S000/001/S000_001_00000011_facs.txt", "6.5 1\n", "line 1: '6.5 1' is not a FACS number"),
        ("FACS/S000/001/S000_001_00000011_facs.txt", "6\n", r"line 1: '6' is not 2 number\(s\)"),
        ("Emotion/S000/001/S000_001_00000011_emotion.txt", "8\n", "line 1: '8' is no expression number, 0..7"),
    ],
)
def test_ck_plus_bad_lines(ck_plus: Path, file: str, text: str, message: str) -> None:
    write(ck_plus / file, text)
    refused(ck_plus, "ck_plus", message)


def test_ck_plus_missing_folders(ck_plus: Path) -> None:
    refused(ck_plus, "ck_plus", "no folder .*Emotions; it holds the expressions", emotions="Emotions")
    refused(ck_plus, "ck_plus", "holds no file such as", units="cohn-kanade-images")
    assert set(EXPRESSIONS) - set(prepare(ck_plus, "ck_plus")[0]["label"]) == {"neutral"}
