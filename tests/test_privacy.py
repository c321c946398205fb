"""Photographs stay where they are: nothing that git or DVC would pass on shows a face or names a person.

Every photograph bears a patch of a colour that nothing else has, and a name and a subject that nothing else is called.
"""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from generated_faces import face
from PIL import Image
from stages_in_process import Workspace
from test_pipeline_datasets import settings

from fer_bench.expressions import EXPRESSIONS

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).parent.parent
PATCH = (255, 0, 255)
PERSON, FILE = "personcanary", "photocanary"
SPLITS = ("train", "train", "val", "test")


def photographs(folder: Path) -> Path:
    """Four people, each with every expression; one is for validation, one for testing."""
    rows = []
    for person, split in enumerate(SPLITS):
        for word in EXPRESSIONS:
            picture = face(word, person).resize((96, 96))
            picture.paste(PATCH, (0, 0, 24, 24))
            name = f"{FILE}_{word}_{person}.png"
            (folder / "images").mkdir(parents=True, exist_ok=True)
            picture.save(folder / "images" / name)
            rows.append({"image": name, "label": word, "split": split, "subject": f"{PERSON}{person}"})
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    return folder


def patched_pixels(path: Path) -> int:
    """Pixels of about the colour of the patch."""
    with Image.open(path) as image:
        values = np.asarray(image.convert("RGB")).astype(int)
    return int((np.abs(values - PATCH).max(axis=2) < 60).sum())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from fer_bench import grids
    from fer_bench.yaml_file import read_yaml

    folder = tmp_path_factory.mktemp("privacy")
    grid = grids.read("default", ROOT).model_dump(mode="json")
    raw = settings({**read_yaml(ROOT / "params.yaml"), "grid": grid}, [], folder)
    raw["grid"] |= {"datasets": ["mine"], "test_datasets": ["mine"]}
    root = str(photographs(folder / "mine"))
    raw["datasets"]["mine"] = {"plugin": "folder", "root": root, "landmarks": "dlib", "size": 64, "label": "Mine"}
    made = Workspace(folder / "work", raw)
    with pytest.MonkeyPatch.context() as patch:
        made.repro(patch, figures=True)
    return made


def ignored(path: str) -> bool:
    return subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


def passed_on(workspace: Workspace) -> list[Path]:
    """Files that git or, as outputs of its stages, DVC would take."""
    kept = [workspace.folder / name for name in ("results/private", "data/private")]
    found = [path for name in ("data", "results", "paper_tables") for path in (workspace.folder / name).rglob("*")]
    inside = [path for path in found if path.is_file()]
    return [path for path in inside if not any(path.is_relative_to(one) for one in kept)]


def test_no_picture_that_is_passed_on_shows_a_photograph(workspace: Workspace) -> None:
    pictures = [path for path in passed_on(workspace) if path.suffix in (".png", ".jpg", ".gif", ".webp")]
    assert len(pictures) > 3  # mean maps, confusion, curves
    shown = {path.relative_to(workspace.folder).as_posix(): patched_pixels(path) for path in pictures}
    assert not {name: count for name, count in shown.items() if count}, shown


def test_the_patch_is_found_where_photographs_are_shown(workspace: Workspace) -> None:
    private = [*(workspace.folder / "results/private").rglob("*.png")]
    stored = [*(workspace.folder / "data/private/mine/images").glob("*.png")]
    assert len(stored) == len(SPLITS) * len(EXPRESSIONS)
    assert all(patched_pixels(path) for path in stored)
    names = {path.name.partition("-")[0] for path in private if patched_pixels(path)}
    assert {"heatmaps_preview.png", "overlays", "panels"} <= names, names


def test_private_folders_are_out_of_gits_reach() -> None:
    for path in ("results/private/mini/overlays-mine.png", "data/private/mine/images/a.png", "results/runs/x/a.npz"):
        assert ignored(path), path
    assert not ignored("paper_tables/mini/table1.md")


def test_no_array_that_is_passed_on_holds_images(workspace: Workspace) -> None:
    arrays = [path for path in passed_on(workspace) if path.suffix in (".npz", ".npy")]
    assert arrays
    for path in arrays:
        loaded = np.load(path)
        for name in loaded.files if path.suffix == ".npz" else [""]:
            values = loaded[name] if name else loaded
            assert not (values.ndim == 4 and 3 in (values.shape[-1], values.shape[1])), (path, name, values.shape)


def test_committed_files_name_nobody(workspace: Workspace) -> None:
    """Results and tables hold averages and counts: no file, no subject, no folder of the photographs."""
    root = str(workspace.folder.parent / "mine")
    for name in ("results/metrics", "results/hygiene", "results/mini", "paper_tables"):
        files = [path for path in (workspace.folder / name).rglob("*") if path.is_file()]
        assert files, name
        for path in files:
            content = path.read_bytes()
            for word in (PERSON, FILE, root):
                assert word.encode() not in content, f"{path.relative_to(workspace.folder)} names {word}"
