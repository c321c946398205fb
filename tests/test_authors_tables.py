"""Released networks of the published sizes, from their folders to the rows of Table 1: nothing is trained."""

import os
from pathlib import Path

import pandas as pd
import pytest
import rafdb_dataset
import torch
from released_networks import config, network, published_state
from repository_copy import RepositoryCopy

from fer_bench.authors import catalog, layout
from fer_bench.report.published import claims

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("authors"), pytest.mark.timeout(3000)]
SAME = ("CAM", "GradCam", "GradCAMpp", "LayerCAM", "CutMIX")  # released networks with the same tensors
NETWORKS = ("ResNet50, released", "DeiT-S, released", "IR-50 + ViT, released")


def write_release(root: Path) -> Path:
    """Folders of eleven methods and two arms on RAF-DB in the released layout; equal networks share one file."""
    holder, files = root / "shared-trained-models/FG_FER", {}
    for folder in (one for one in layout.expected() if one.dataset == "RAF-DB"):
        release = catalog.releases(folder.key)[0]
        path = holder / folder.path
        path.mkdir(parents=True)
        layers = "1" if release.transformer else "4" if folder.key == "CutMIX" else "5"
        (path / layout.CONFIG_FILE).write_text(config(folder, release, 4.0, layers, True), encoding="utf-8")
        kind = "CAM" if folder.key in SAME else folder.key
        if kind in files:
            os.link(files[kind], path / layout.WEIGHTS_FILE)
            continue
        files[kind] = path / layout.WEIGHTS_FILE
        torch.save(published_state(release, network(release, untrained=True)), files[kind])
    return root


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> RepositoryCopy:
    """A copy of the repository in which a user has imported the release and scored it on a miniature RAF-DB."""
    data = rafdb_dataset.make(tmp_path_factory.mktemp("data"))
    release = write_release(tmp_path_factory.mktemp("release"))
    made = RepositoryCopy(tmp_path_factory.mktemp("project"))
    made.environment |= {layout.VARIABLE: str(release), "FER_BENCH_ROOT_RAFDB": str(data / "RAF-DB")}
    made.edit("params.yaml", "    images: prepared # found", "    images: aligned # found")
    made.edit("params.yaml", "minimum_class_images: 20", "minimum_class_images: 1")
    made.imported = made.run("fer_bench.cli", "import-authors", str(release))
    made.run("fer_bench.cli", "use", "authors_rafdb")
    made.run("dvc", "repro")
    yield made
    for path in release.rglob(layout.WEIGHTS_FILE):
        path.unlink()


def table(workspace: RepositoryCopy, name: str) -> pd.DataFrame:
    path = workspace.folder / f"paper_tables/authors_rafdb/{name}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_table_1_has_every_row_with_its_published_numbers(workspace):
    rows = table(workspace, "table1")
    told = [one for one in claims() if (one.source, one.dataset) == ("Table 1", "rafdb")]
    assert len(told) == 42
    for claim in told:
        word = "GradCAM++ (published form)" if claim.method == "GradCAM++" else claim.method
        row = rows[rows["Method"] == word].iloc[0]
        score, arm = (
            {"accuracy": "CL (%)", "cam_cos": "CAM-COS"}[claim.metric],
            "with AU" if claim.guided else "without AU",
        )
        assert row[f"{score}, published, {arm}"] == claim.printed.text
        assert 0 <= float(row[f"{score}, {arm}"]) <= 100
    assert set(rows[rows["CL (%), without AU"] != ""]["Network"]) >= set(NETWORKS)


def test_table_2_has_one_published_number_per_training(workspace):
    rows = table(workspace, "table2")
    told = [one for one in claims() if (one.source, one.dataset) == ("Table 2", "rafdb")]
    for claim in told:
        arm = "with AU" if claim.guided else "without AU"
        found = rows[(rows["Method"] == claim.method) & (rows["Training"] == arm)]
        assert set(found["ATT-COS, published"]) == {claim.printed.text}


def test_a_single_run_on_other_images_is_never_judged(workspace):
    rows = table(workspace, "comparison")
    assert len(rows) == 42 + 22 + 2 * 2 + 2  # Tables 1 and 2; ADL twice, with the published block
    assert not rows["published is"].str.startswith(("inside", "outside")).any()
