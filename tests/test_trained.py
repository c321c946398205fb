"""A trained cell with its framing and scores, and what cannot be read as one."""

import json

import numpy as np
import pytest

from fer_bench.cells import Cell
from fer_bench.datasets import read_image
from fer_bench.errors import InputError
from fer_bench.explanation.face import find_face
from fer_bench.trained import of_cell, of_folder, write_folder
from fer_bench.trained.scores import scores_of
from tests.trained_cells import CELL, repository


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def trained(root):
    return of_cell(CELL, root)


def test_scores_over_three_seeds_by_hand(root):
    scores = scores_of(Cell.parse(CELL), root, None, "default")
    assert scores is not None
    accuracy = scores.find("accuracy")
    assert scores.grid == "handmade"
    assert (accuracy.own, accuracy.mean, accuracy.deviation, accuracy.seeds, accuracy.images) == (40, 44, 4, 3, 100)
    # t of 2 degrees of freedom at 97.5 %: 4.302653; 4.302653 * 4 / sqrt(3) = 9.936551
    assert accuracy.interval == pytest.approx((34.063449, 53.936551), abs=1e-4)
    assert accuracy.chance == pytest.approx(70)  # the larger of 30 and 70 images
    cosine = scores.find("att_cos")
    assert (cosine.own, cosine.chance, cosine.ceiling, cosine.optimised) == (0.75, 0.45, 0.95, True)


def test_a_cell_in_no_grid_has_no_scores_and_a_grid_that_is_named_must_hold_it(root):
    other = Cell.parse(CELL.replace("-s0", "-s7"))
    assert scores_of(other, root, None, "default") is None
    with pytest.raises(InputError, match="no scores of"):
        scores_of(other, root, "handmade", "default")
    with pytest.raises(InputError, match="grids with results: handmade"):
        scores_of(other, root, "absent", "default")


def test_framing_of_generated_faces_is_that_of_the_generator(root, trained):
    how = trained.about.preparation
    assert (how.crop_size, how.grey, how.border, how.input_size, how.landmarks) == (
        (80, 80),
        False,
        "replicate",
        64,
        "dlib",
    )
    eyes, mouth = np.array(how.template[:2]), np.array(how.template[3:])
    assert eyes[1, 0] - eyes[0, 0] > 20  # the image's left comes first
    assert (mouth[:, 1] > eyes[:, 1]).all()
    images = [read_image(path) for path in sorted((root / "data" / "faces").rglob("images/*.png"))[:12]]
    framings = [find_face(image, how).framing for image in images]
    assert 2.1 <= float(np.median(framings)) <= 2.5  # docs/generated_faces.md: 2.1 to 2.4, seen by a detector


def test_missing_landmarks_say_what_makes_them(root):
    moved = root / "data" / "landmarks"
    moved.rename(root / "data" / "hidden")
    try:
        with pytest.raises(InputError, match="dvc repro landmarks@synthetic_smoke"):
            of_cell(CELL, root)
    finally:
        (root / "data" / "hidden").rename(moved)


def test_unknown_cells_name_the_nearest_and_nothing_trained_names_make_repro(root, tmp_path):
    with pytest.raises(InputError, match=f"did you mean '{CELL}'"):
        of_cell(CELL.replace("resnet10t", "resnet10"), root)
    (tmp_path / "params.yaml").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="make repro"):
        of_cell(CELL, tmp_path)
    with pytest.raises(InputError, match="root of the repository"):
        of_cell(CELL, tmp_path / "elsewhere")


def test_an_export_is_read_back_whole(trained, tmp_path):
    write_folder(trained, tmp_path, {})
    found = of_folder(tmp_path)
    assert found.about == trained.about
    first, second = found.classifier.state_dict(), trained.classifier.state_dict()
    assert all(bool((first[name] == second[name]).all()) for name in second)
    before = (tmp_path / "model.safetensors").read_bytes(), (tmp_path / "config.json").read_bytes()
    write_folder(trained, tmp_path, {})
    assert before == ((tmp_path / "model.safetensors").read_bytes(), (tmp_path / "config.json").read_bytes())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.pop("fer_bench"), "not written by"),
        (lambda config: config["fer_bench"].update(format=99), "format 99"),
        (lambda config: config["fer_bench"].update(expressions=["one", "two"]), "do not fit"),
    ],
)
def test_a_wrong_export_is_one_clear_line(trained, tmp_path, change, message):
    write_folder(trained, tmp_path, {})
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    change(config)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        of_folder(tmp_path)


def test_a_folder_that_is_no_export_names_the_command(tmp_path):
    with pytest.raises(InputError, match="fer-bench export"):
        of_folder(tmp_path)
