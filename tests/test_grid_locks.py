"""dvc.lock changes hands with the grid: nothing is lost, bytes stay, what grids share stays in place."""

import shutil
from pathlib import Path

import pytest

from fer_bench import grid_locks, grids
from fer_bench.errors import InputError
from fer_bench.grid_settings import Grid

ROOT = Path(__file__).parent.parent
HEAD = "schema: '2.0'\nstages:\n"


def grid(name, **changes):
    given = {"protocol": "clean", "datasets": ["a"], "models": ["m"], "guidance": ["none"], "seeds": [0]}
    return Grid(**{"name": name, "test_datasets": ["a"], **given, **changes})


def block(name, word="x"):
    return f"  {name}:\n    cmd: {word}\n    deps:\n    - path: p\n      md5: {word}\n"


def write(path, *blocks):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + "".join(blocks))


SMALL, LARGE = grid("small"), grid("folder/large", guidance=["none", "au"])


def test_names_are_those_of_dvc():
    assert grid_locks.stages(SMALL) == [
        "plan", "faces@a", "landmarks@a", "hygiene@a", "heatmaps@a", "train@a-m-none-0",
        "evaluate@a-m-none-0-a", "tables",
    ]  # fmt: skip


def test_stages_of_the_committed_lock_all_have_known_names():
    _, blocks = grid_locks.parts((ROOT / "dvc.lock").read_text(), Path("dvc.lock"))
    assert set(blocks) <= set(grid_locks.stages(grids.active(ROOT)))


def test_there_and_back_is_the_same_to_the_byte(tmp_path):
    write(tmp_path / "dvc.lock", block("plan"), block("faces@a"), block("train@a-m-none-0"), block("tables", "small"))
    before = (tmp_path / "dvc.lock").read_bytes()
    grid_locks.switch(SMALL, LARGE, tmp_path)
    assert (tmp_path / "results/small/dvc.lock").read_bytes() == before
    grid_locks.switch(LARGE, SMALL, tmp_path)
    assert (tmp_path / "dvc.lock").read_bytes() == before
    assert not (tmp_path / "results/small/dvc.lock").exists()


def test_shared_stages_come_along_and_own_ones_go_first(tmp_path):
    write(tmp_path / "dvc.lock", block("faces@a"), block("train@a-m-none-0", "here"), block("tables", "small"))
    own = (block("train@a-m-au-0", "own"), block("tables", "large"))
    write(tmp_path / "results/folder/large/dvc.lock", *own)
    grid_locks.switch(SMALL, LARGE, tmp_path)
    _, found = grid_locks.parts((tmp_path / "dvc.lock").read_text(), Path("dvc.lock"))
    assert list(found) == ["train@a-m-au-0", "tables", "faces@a", "train@a-m-none-0"]
    assert "here" in found["train@a-m-none-0"] and "large" in found["tables"]
    assert not (tmp_path / "results/folder/large/dvc.lock").exists()


def test_without_a_lock_there_is_nothing_to_do(tmp_path):
    grid_locks.switch(SMALL, LARGE, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "schema: '2.0'\n", "stages:\nplan: {}\n"])
def test_another_file_is_refused_and_left_alone(text, tmp_path):
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(InputError, match=r"dvc\.lock: not a lock file as DVC writes it; `git restore dvc\.lock`"):
        grid_locks.switch(SMALL, LARGE, tmp_path)
    assert (tmp_path / "dvc.lock").read_text() == text


def test_use_switches_the_lock_with_the_grid(tmp_path):
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "grids", tmp_path / "grids")
    active, before = grids.active(tmp_path).name, (tmp_path / "dvc.lock").read_bytes()
    grids.use("smoke", tmp_path)
    assert (tmp_path / "results" / active / "dvc.lock").read_bytes() == before
    grids.use(active, tmp_path)
    assert (tmp_path / "dvc.lock").read_bytes() == before
