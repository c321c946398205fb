"""Writing sets of generated faces: files, resuming, determinism, errors, contact sheet."""

import json
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_bench.errors import InputError
from fer_bench.synthface import SynthSettings, contact_sheet, generate

TINY = SynthSettings(train=14, val=7, test=7, size=48)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    out = tmp_path_factory.mktemp("faces")
    return out, generate(TINY, out, workers=1, progress=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_index_and_files(made):
    out, index = made
    assert list(index.columns) == ["id", "path", "label", "split", "subject", "width", "height", "sha256"]
    assert index.split.value_counts().to_dict() == {"train": 14, "val": 7, "test": 7}
    assert set(index.label.value_counts()) == {4}
    for row in index.itertuples():
        assert sha256((out / row.path).read_bytes()).hexdigest() == row.sha256
        image = cv2.imread(str(out / row.path), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(out / "masks" / f"{row.id}.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (48, 48, 3)
        assert mask.shape == (48, 48)
        assert 0.1 < (mask > 127).mean() < 0.8
    assert len(set(index.sha256)) == 28


def test_ground_truth_table(made):
    out, index = made
    truth = pd.read_parquet(out / "ground_truth.parquet")
    assert list(truth.id) == list(index.id)
    assert {"x0", "y67", "au_27", "au_1_left", "au_1_right", "skin_tone", "female", "age", "yaw"} <= set(truth.columns)
    assert {"pitch", "roll", "occluded", "glasses", "beard", "label_noise", "prototypical"} <= set(truth.columns)
    assert not truth.isna().any().any()
    assert truth.filter(regex="^[xy][0-9]+$").to_numpy().min() > 0
    assert truth.filter(regex="^[xy][0-9]+$").to_numpy().max() < 47


def test_manifest_names_settings_and_versions_only(made):
    out, _ = made
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest) == {"config_hash", "generator", "images", "settings", "versions"}
    assert manifest["images"] == 28
    assert manifest["settings"]["size"] == 48
    assert set(manifest["versions"]) == {"numpy", "opencv"}


def test_the_result_does_not_depend_on_the_number_of_workers(made, tmp_path):
    out, index = made
    again = generate(TINY, tmp_path / "again", workers=2, progress=False)
    pd.testing.assert_frame_equal(again, index)
    assert contents(tmp_path / "again") == contents(out)


def test_an_interrupted_run_is_completed(made, tmp_path):
    out, index = made
    generate(TINY, tmp_path, workers=1, progress=False)
    lost, broken, kept = (tmp_path / path for path in index.path[:3])
    lost.unlink()
    broken.write_bytes(broken.read_bytes()[:100])
    stamp = kept.stat().st_mtime_ns
    pd.testing.assert_frame_equal(generate(TINY, tmp_path, workers=1, progress=False), index)
    assert contents(tmp_path) == contents(out)
    assert kept.stat().st_mtime_ns == stamp


def test_images_of_other_settings_are_not_kept(made, tmp_path):
    out, index = made
    generate(TINY.model_copy(update={"seed": 1, "train": 21}), tmp_path, workers=1, progress=False)
    pd.testing.assert_frame_equal(generate(TINY, tmp_path, workers=1, progress=False), index)
    assert contents(tmp_path) == contents(out)


def test_another_seed_gives_other_faces(made, tmp_path):
    _, index = made
    other = generate(TINY.model_copy(update={"seed": 1}), tmp_path, workers=1, progress=False)
    assert not set(other.sha256) & set(index.sha256)


def test_noisy_labels_are_marked_and_change_no_pixel(made, tmp_path):
    _, index = made
    noisy = generate(TINY.model_copy(update={"label_noise": 0.5}), tmp_path, workers=1, progress=False)
    truth = pd.read_parquet(tmp_path / "ground_truth.parquet")
    assert list(noisy.sha256) == list(index.sha256)
    np.testing.assert_array_equal(noisy.label != index.label, truth.label_noise)
    assert list(truth.expression) == list(index.label)
    assert truth.label_noise.sum() == 7 + 4 + 4  # round(3.5) is 4


def test_wrong_arguments(tmp_path):
    with pytest.raises(InputError, match="workers=-1"):
        generate(TINY, tmp_path, workers=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        generate(TINY, tmp_path / "file", workers=1)


def test_contact_sheet_is_a_grid_of_seven_expressions(tmp_path):
    contact_sheet(TINY, tmp_path / "docs" / "sheet.png", people=2, tile=40)
    sheet = cv2.imread(str(tmp_path / "docs" / "sheet.png"))
    assert sheet.shape == (22 + 2 * 42, 7 * 42, 3)
    assert (sheet[:22] < 128).any()  # the names of the expressions
    assert (sheet[:, 40:42] == 255).mean() > 0.9  # the gap between the first two columns
