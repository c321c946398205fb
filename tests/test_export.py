"""An exported cell: loaded by timm alone, by fer_bench and as ONNX it gives what the cell gives; and its card."""

import runpy

import pytest
import torch

from fer_bench import classifier as classifiers
from fer_bench.errors import InputError
from fer_bench.export import export, onnx_file, recipe
from fer_bench.export.write import TOLERANCE, outputs
from tests.trained_cells import CELL, RESNET, XCIT, add_cell, repository

WILDCAT = {**RESNET, "method": "wildcat"}
OTHERS = {CELL.replace("resnet10t", "xcit"): XCIT, CELL.replace("resnet10t", "resnet10t_wildcat"): WILDCAT}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = repository(tmp_path_factory.mktemp("repository"))
    for name, section in OTHERS.items():
        add_cell(made, name, section)
    return made


@pytest.fixture(scope="module")
def exported(root, tmp_path_factory):
    """Cell -> folder."""
    folder = tmp_path_factory.mktemp("exported")
    for cell in (CELL, *OTHERS):
        export(cell, folder / cell, root=root)
    return {cell: folder / cell for cell in (CELL, *OTHERS)}


@pytest.fixture(scope="module")
def images():
    return torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("cell", [CELL, CELL.replace("resnet10t", "xcit")])
def test_the_lines_of_the_card_load_it_with_timm_alone(cell, root, exported, images, tmp_path):
    card = (exported[cell] / "README.md").read_text(encoding="utf-8")
    code = card.split("```python\n")[1].split("```")[0]
    assert code == (exported[cell] / "load.py").read_text(encoding="utf-8")
    assert "fer_bench" not in code
    loaded = runpy.run_path(str(exported[cell] / "load.py"))
    wanted = outputs(classifiers.load(cell, root), images)
    for found, expected in zip(loaded["predict"](images), wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_whoever_may_read_one_file_may_read_all(exported):
    assert len({path.stat().st_mode for path in exported[CELL].iterdir()}) == 1


def test_large_maps_have_the_grid_of_the_cell(exported, images):
    _, attention = recipe.run(exported[CELL] / "load.py", images)
    assert attention.shape == (4, 8, 8)  # 2x2 without `large_maps`


def test_a_head_that_timm_lacks_has_no_loader_and_the_card_says_why(exported):
    folder = exported[CELL.replace("resnet10t", "resnet10t_wildcat")]
    assert not (folder / "load.py").exists()
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "timm alone is not enough: the head of the method wildcat" in card
    assert "from fer_bench.trained import of_folder" in card


def test_the_card_has_scores_with_seeds_chance_protocol_and_limits(exported):
    card = (exported[CELL] / "README.md").read_text(encoding="utf-8")
    row = next(line for line in card.splitlines() if line.startswith("| CL (%)"))
    assert [part.strip() for part in row.strip("|").split("|")] == [
        "CL (%)", "40.0", "44.0 ± 4.0", "34.1 to 53.9", "3", "70.0", "", "100",
    ]  # fmt: skip
    assert "grid `handmade`, protocol `clean`" in card
    assert "†" in next(line for line in card.splitlines() if line.startswith("| ATT-COS"))
    for words in ("Trained on generated faces", "Intended use", "Not for decisions about people", "licence: MIT"):
        assert words in card
    other = (exported[CELL.replace("resnet10t", "xcit")] / "README.md").read_text(encoding="utf-8")
    assert "in no results/GRID/metrics.csv" in other


def test_a_folder_with_other_files_is_left_alone(root, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match=r"thesis\.tex"):
        export(CELL, tmp_path, root=root)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_onnx_without_its_packages_names_the_extra(root, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "PACKAGES", ("no_such_package",))
    with pytest.raises(InputError, match=r"no_such_package not installed; pip install 'fer_bench\[export\]'"):
        export(CELL, tmp_path / "exported", onnx=True, root=root)
    assert not (tmp_path / "exported").exists()


@pytest.mark.skipif(bool(onnx_file.missing_packages()), reason="packages of the extra `export` are not installed")
def test_onnx_gives_what_torch_gives(root, images, tmp_path):
    export(CELL, tmp_path / "exported", onnx=True, root=root)
    wanted = outputs(classifiers.load(CELL, root), images)
    for found, expected in zip(onnx_file.run(tmp_path / "exported" / "model.onnx", images), wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert "model.onnx" in (tmp_path / "exported" / "README.md").read_text(encoding="utf-8")
