"""Targets of annotated faces: the units that are there and can be drawn, and no truth about landmarks."""

import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_bench import landmarks
from fer_bench.au.preview import TEMPLATE
from fer_bench.au.store import MapStore, write
from fer_bench.cells import landmarks_file
from fer_bench.data import Faces
from fer_bench.datasets import read_image
from fer_bench.errors import InputError
from fer_bench.landmark_rows import landmark_rows
from fer_bench.landmarks._given_files import read_given
from fer_bench.report import captions
from fer_bench.report.results import Pair
from fer_bench.targets import PRESENT, Targets

IDS = ["a", "b", "c", "d"]
SIDE = 28
# b: cheek raiser, not annotated for lip corners; c: lip bite alone, which no variant draws
TRUTH = pd.DataFrame(
    {"au_6": [0.0, 0.6, 0.0, 0.0], "au_12": [1.0, np.nan, 0.05, 0.0], "au_32": [0.0, 0.0, 1.0, 0.0]}, index=IDS
)


@pytest.fixture
def files(tmp_path: Path) -> SimpleNamespace:
    points = np.repeat(np.asarray(TEMPLATE, np.float32)[None], len(IDS), axis=0)
    write(IDS, points, np.full((len(IDS), 2), 224), tmp_path / "maps", progress=False)
    return SimpleNamespace(
        name="annotated",
        index=pd.DataFrame({"id": IDS}),
        store=lambda variant: MapStore(tmp_path / "maps", variant),
        ground_truth=lambda: TRUTH,
    )


def targets(files: SimpleNamespace, variants: tuple[str, ...] = ("paper", "facs")) -> Targets:
    faces = Faces(files.index, np.array([1, 1, 4, 0]), Path(), read_image)
    return Targets(files, faces, list(variants), SIDE)


def test_annotated_units_are_a_target_beside_the_codebook(files, caplog):
    with caplog.at_level(logging.WARNING):
        made = targets(files)
    assert made.names == ["paper", "facs", PRESENT]
    maps = made.true(PRESENT, np.arange(4))
    assert torch.isfinite(maps).flatten(1).all(dim=1).tolist() == [True, True, False, False]
    assert "no region in maps `paper` for AU 32: left out of `present`" in caplog.text
    only_cheeks, _ = files.store("paper").maps([1], [{6}], (SIDE, SIDE))
    torch.testing.assert_close(maps[1], only_cheeks[0])
    assert not torch.equal(maps[0], maps[1])  # the codebook's map of both is that of happiness


def test_units_that_one_variant_draws_and_the_other_does_not(files):
    files.ground_truth = lambda: TRUTH.rename(columns={"au_32": "au_22"})
    assert torch.isinf(targets(files).true(PRESENT, np.array([2]))).all()
    assert torch.isfinite(targets(files, ("facs", "paper")).true(PRESENT, np.array([2]))).all()


def test_annotated_units_say_nothing_about_landmarks(files, tmp_path):
    table = pd.DataFrame({"id": IDS, **{f"{axis}{k}": 1.0 for axis in "xy" for k in range(68)}})
    table.to_parquet(tmp_path / "given.parquet")
    index = pd.DataFrame({"id": IDS, "path": IDS, "sha256": IDS})
    landmarks.run(
        index, tmp_path, "given", {"file": str(tmp_path / "given.parquet")}, tmp_path / landmarks_file("annotated"),
        1, False, read_image, tmp_path / "cache",
    )  # fmt: skip
    assert [row["metric"] for row in landmark_rows(files, tmp_path)] == ["landmarks_ok"]


def test_a_table_of_units_is_no_table_of_landmarks(tmp_path):
    TRUTH.rename_axis("id").reset_index().to_parquet(tmp_path / "ground_truth.parquet")
    with pytest.raises(InputError, match=r"column 'x0' is missing; needed: id, x0\.\.x67"):
        read_given(tmp_path / "ground_truth.parquet")


@pytest.mark.parametrize(("facts", "said"), [({"generated": False}, False), ({"generated": True}, True), ({}, True)])
def test_annotated_faces_are_not_called_generated(facts, said):
    scores = pd.DataFrame({"target": ["present"]})
    results = SimpleNamespace(plan={"datasets": {"annotated": facts}}, of_pair=lambda pair: scores)
    assert captions.generated(results, Pair("annotated", "annotated")) is said
