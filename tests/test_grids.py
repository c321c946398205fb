"""Named grids: use and prune."""

import shutil
from pathlib import Path
from subprocess import run

import pytest

from fer_bench import grids, params, prune
from fer_bench.cells import Cell
from fer_bench.errors import InputError
from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "grids", tmp_path / "grids")
    return tmp_path


@pytest.mark.parametrize("name", grids.names(ROOT))
def test_every_grid_file_is_valid_and_can_be_used(root, name):
    grids.use(name, root)
    assert read_yaml(root / "params.yaml")["grid"]["name"] == name
    assert grids.active(root) == grids.read(name, root)


def test_use_there_and_back_leaves_every_other_byte(root):
    grids.use("default", root)
    before = (root / "params.yaml").read_bytes()
    grids.use("smoke", root)
    assert (root / "params.yaml").read_bytes() != before
    grids.use("default", root)
    assert (root / "params.yaml").read_bytes() == before


def test_unknown_grid_and_bad_grid_leave_params_alone(root):
    before = (root / "params.yaml").read_bytes()
    with pytest.raises(InputError, match=r"did you mean 'smoke'\?"):
        grids.use("smok", root)
    (root / "grids/bad.yaml").write_text(
        "datasets: [synthetic]\nmodels: [no_such]\nguidance: [none]\nseeds: [0]\ntest_datasets: [synthetic]\n"
    )
    with pytest.raises(InputError, match="no_such"):
        grids.use("bad", root)
    assert (root / "params.yaml").read_bytes() == before


def test_prune_finds_what_no_grid_names_and_nothing_else(root):
    kept = grids.cells(grids.read("smoke", root))[0]
    gone = Cell("synthetic", "resnet10t", "au", 99)
    for cell in (kept, gone):
        (root / cell.weights).mkdir(parents=True)
        path = root / cell.metrics("synthetic_smoke")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    for name in ("results/default", "results/old", "results/provenance", "paper_tables/old", "data/faces/other"):
        (root / name).mkdir(parents=True)
    found = {path.relative_to(root).as_posix() for path in prune.leftovers(root)}
    assert found == {
        f"results/runs/{gone.name}",
        f"results/metrics/synthetic_smoke/{gone.name}.json",
        "results/old",
        "paper_tables/old",
        "data/faces/other",
    }
    prune.remove(prune.leftovers(root))
    assert prune.leftovers(root) == []
    assert (root / kept.weights).is_dir()


def test_nothing_that_the_repository_holds_is_left_over():
    listed = run(["git", "ls-files", "results", "paper_tables"], cwd=ROOT, capture_output=True, text=True, check=False)
    committed = {Path(name) for name in listed.stdout.splitlines()}
    if not committed:
        pytest.skip("not a git checkout")
    found = {path.relative_to(ROOT) for path in prune.leftovers(ROOT)}
    assert not [path for path in committed if found & {path, *path.parents}]


def test_cells_outside_the_blocks_have_stages_and_so_results(root):
    blocked = grids.read("trust/truth", root)
    outside = Cell("synthetic", "xcit", "face_mask", 0)
    path = root / f"results/metrics/synthetic_pairs/{outside.name}.json"
    path.parent.mkdir(parents=True)
    path.touch()
    (root / "paper_tables").mkdir()
    (root / "paper_tables/README.md").touch()
    assert "face_mask" in blocked.guidance and outside not in grids.cells(blocked)
    assert prune.leftovers(root) == []


def test_grids_of_a_folder_lie_in_a_folder_everywhere(root):
    assert "trust/controls" in grids.names(root)
    grids.use("trust/controls", root)
    kept = [f"{top}/trust/controls" for top in ("results", "results/private", "paper_tables")]
    gone = [f"{top}/trust/old" for top in ("results", "results/private", "paper_tables")]
    for name in (*kept, *gone):
        (root / name).mkdir(parents=True)
    assert [path.relative_to(root).as_posix() for path in prune.leftovers(root)] == sorted(gone)
    with pytest.raises(InputError, match="'private/a' is a folder of results"):
        params.parse(
            {**read_yaml(ROOT / "params.yaml"), "grid": {**grids.read("smoke", root).model_dump(), "name": "private/a"}}
        )
