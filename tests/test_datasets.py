"""The index and the contract that every dataset plug-in keeps."""

from pathlib import Path

import pandas as pd
import pytest

from fer_bench import registry
from fer_bench.datasets import COLUMNS, check_index, read_index
from fer_bench.datasets._index import write_index
from fer_bench.datasets.base import DatasetBase, DatasetSettings
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8


def index(**changes: object) -> pd.DataFrame:
    """Seven train images, one of each expression, one val and one test image."""
    labels = [*EXPRESSIONS, "fear", "anger"]
    frame = pd.DataFrame(
        {
            "id": [f"face{i}" for i in range(9)],
            "path": [f"images/face{i}.png" for i in range(9)],
            "label": labels,
            "split": ["train"] * 7 + ["val", "test"],
            "subject": [f"person{i}" for i in range(9)],
            "width": 48,
            "height": 64,
            "sha256": ["0" * 64] * 9,
        }
    )
    return frame.assign(**changes)


def refused(frame: pd.DataFrame, message: str, expressions: tuple[str, ...] = EXPRESSIONS) -> str:
    with pytest.raises(InputError, match=message) as caught:
        check_index(frame, expressions, "params.yaml: datasets.x")
    assert str(caught.value).startswith("params.yaml: datasets.x")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sound_index_passes_and_survives_its_file(tmp_path: Path) -> None:
    frame = index(id=["NA", "None", "nan", "001", "1e3", "é", "a,b", 'q"q', " "])
    check_index(frame, EXPRESSIONS, "x")
    write_index(frame, tmp_path / "index.csv")
    pd.testing.assert_frame_equal(read_index(tmp_path / "index.csv"), frame, check_dtype=False)
    assert b"\r" not in (tmp_path / "index.csv").read_bytes()


def test_reading_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such index; .*dvc repro faces"):
        read_index(tmp_path / "none.csv")
    (tmp_path / "index.csv").write_text("id,path\na,b\n")
    with pytest.raises(InputError, match="no column label, split, subject, width, height, sha256; found: id, path"):
        read_index(tmp_path / "index.csv")
    (tmp_path / "index.csv").write_text(",".join(COLUMNS) + "\na,b,fear,test,,wide,2,0\n")
    with pytest.raises(InputError, match="whole numbers"):
        read_index(tmp_path / "index.csv")
    (tmp_path / "index.csv").write_text('id,path\na,"b\nc')
    with pytest.raises(InputError, match="not a readable index"):
        read_index(tmp_path / "index.csv")


def test_no_images() -> None:
    refused(index()[:0], "no images")


def test_missing_column() -> None:
    refused(index().drop(columns="split"), "no column split")


def test_duplicate_ids() -> None:
    refused(index(id=["a", "a", "b", "b", "c", "c", "d", "d", "e"]), "repeated: a, b, c and 1 more")


def test_label_outside_the_expressions() -> None:
    labels = [*EXPRESSIONS, "contempt", "anger"]
    message = refused(index(label=labels), "unknown label 'contempt'")
    assert ", ".join(EXPRESSIONS) in message
    assert "label_map" in message
    assert "did you mean 'happiness'" in refused(index(label=[*EXPRESSIONS, "hapiness", "fear"]), "'hapiness'")


def test_contempt_is_the_eighth_expression() -> None:
    frame = index(split="train", label=[*EXPRESSIONS_8, "fear"])
    check_index(frame, EXPRESSIONS_8, "x")
    assert EXPRESSIONS_8.index("contempt") == 7
    refused(index(), "no train image shows contempt", EXPRESSIONS_8)


def test_unknown_split() -> None:
    refused(index(split=["train"] * 8 + ["dev"]), "unknown split 'dev'; known: train, val, test .*'face8'")


def test_subject_in_two_splits() -> None:
    subjects = ["ann", *[f"p{i}" for i in range(7)], "ann"]
    refused(index(subject=subjects), r"1 are in several: ann \(test, train\)")
    check_index(index(subject=""), EXPRESSIONS, "x")  # unknown subjects are no one's


def test_expression_absent_from_train() -> None:
    frame = index()
    refused(frame[~frame["id"].isin(["face3", "face5"])], "no train image shows fear, disgust")


def test_a_test_set_alone_needs_no_train() -> None:
    check_index(index(split="test")[:3], EXPRESSIONS, "x")


@pytest.mark.parametrize("name", registry.names("datasets"))
def test_every_plugin_keeps_the_contract(name: str) -> None:
    plugin, settings = registry.plugin("datasets", name), registry.settings("datasets", name)
    assert issubclass(plugin, DatasetBase)
    assert issubclass(settings, DatasetSettings)
    dataset = plugin(name, settings())
    assert dataset.source == f"params.yaml: datasets.{name}"
    assert dataset.label
    assert tuple(dataset.expressions) in (EXPRESSIONS, EXPRESSIONS_8)
    assert isinstance(dataset.publishable_images, bool)
    assert {"licence", "citation"} <= set(dir(dataset))


class _Faces(DatasetBase):
    def collect(self, out: Path, workers: int, progress: bool) -> pd.DataFrame:
        return index(id="same") if self.name == "bad" else index()


def test_prepare_checks_before_it_writes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"datasets\.bad: every id must be unique"):
        _Faces("bad", DatasetSettings()).prepare(tmp_path / "bad")
    assert not (tmp_path / "bad").exists()
    frame = _Faces("good", DatasetSettings()).prepare(tmp_path / "good")
    pd.testing.assert_frame_equal(read_index(tmp_path / "good" / "index.csv"), frame, check_dtype=False)
    assert _Faces("good", DatasetSettings()).check() == ""
    assert _Faces("good", DatasetSettings()).ground_truth(tmp_path) is None
    assert _Faces("good", DatasetSettings()).image_root(tmp_path) == tmp_path


def test_licence_and_citation_are_one_line() -> None:
    for name in registry.names("datasets"):
        made = registry.plugin("datasets", name)("mine", registry.settings("datasets", name)())
        assert "\n" not in made.terms and "licence: " in made.terms and "cite: " in made.terms
    made = registry.plugin("datasets", "synthetic")("mine", registry.settings("datasets", "synthetic")())
    assert made.terms == "Generated faces: licence: MIT; cite: " + made.citation
    folder = registry.plugin("datasets", "folder")("mine", registry.settings("datasets", "folder")())
    assert folder.terms == "mine: licence: not given; cite: not given"
