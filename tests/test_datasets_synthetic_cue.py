"""Generated faces with a cue: stored clean, marked when read, in the way of the split or of a view."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fer_bench.cues import CLEAN, SHOWN, VIEWS
from fer_bench.cues._stamp import colours
from fer_bench.datasets import read_image, synthetic
from fer_bench.datasets.synthetic_cue import Dataset, Settings

TINY = {"train": 21, "val": 7, "test": 14, "size": 64}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Path, pd.DataFrame]:
    out = tmp_path_factory.mktemp("cued")
    dataset = Dataset("cued", Settings(preset="smoke", overrides=TINY, site="background", rate=0.5))
    return dataset, out, dataset.prepare(out, workers=1, progress=False)


def marked(made, split: str, view: str = "") -> tuple[np.ndarray, pd.DataFrame]:
    """(N, H, W) bool: pixels that differ from the stored image, and the rows of the split."""
    dataset, out, frame = made
    rows = frame[frame["split"] == split]
    read = dataset.reader(out, split, view)
    changed = [(read(out / path) != read_image(out / path)).any(axis=-1) for path in rows["path"]]
    return np.stack(changed), rows


def test_stored_faces_are_those_of_the_plain_dataset(made, tmp_path):
    plain = synthetic.Dataset("plain", synthetic.Settings(preset="smoke", overrides=TINY))
    pd.testing.assert_frame_equal(plain.prepare(tmp_path, workers=1, progress=False), made[2])


@pytest.mark.parametrize(("split", "view"), [("train", ""), ("val", ""), *(("test", v) for v in VIEWS if v != CLEAN)])
def test_cues_change_their_own_pixels_alone(made, split, view):
    dataset, out, _ = made
    found, rows = marked(made, split, view)
    covers = dataset.covers(out, list(rows["id"]))
    assert covers.any(axis=(1, 2)).all()
    assert not (found & ~covers).any()
    assert (found & covers).sum() > 0.9 * covers.sum()  # a pixel may have the colour of the mark by chance


def test_test_images_are_clean_unless_a_view_is_asked_for(made):
    for view in ("", CLEAN):
        assert not marked(made, "test", view)[0].any()


def test_train_shows_the_class_that_the_table_names(made):
    dataset, out, frame = made
    table = dataset.cues(out)
    own = frame.set_index("id")["label"]
    assert (table["aligned"] == own).all() and (table["conflict"] != own).all()
    name = frame["id"][0]
    image = dataset.reader(out, "train")(out / "images" / f"{name}.png")
    x, y, word = table.loc[name, ["x", "y", "trained"]]
    wanted = np.round(colours(7)[dataset.expressions.index(word)] * 255)
    np.testing.assert_array_equal(image[y, x], wanted)


def test_the_table_is_the_same_in_a_larger_set(made, tmp_path):
    larger = Dataset("cued", Settings(preset="smoke", overrides={**TINY, "train": 28}, site="background", rate=0.5))
    larger.prepare(tmp_path, workers=1, progress=False)
    small = made[0].cues(made[1])
    pd.testing.assert_frame_equal(larger.cues(tmp_path).loc[small.index], small)
    assert list(small.columns) == ["x", "y", *SHOWN]


def test_a_reader_travels_to_another_process(made):
    dataset, out, frame = made
    read = dataset.reader(out, "train")
    path = out / frame["path"][0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(read))(path), read(path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"site": "hair"}, "unknown site 'hair'; .*known: background, face, foreign_unit"),
        ({"site": "face", "rate": 1.2}, "rate"),
        ({"site": "face", "diameter": 0.5}, "diameter"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ValidationError, match=message):
        Settings(**settings)


def test_the_site_is_a_source_of_everything_that_reads_the_images():
    assert Settings(site="face").plugins() == ["fer_bench.cues.face"]
