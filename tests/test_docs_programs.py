"""Programs in Python and settings in YAML on the pages do what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from documented import Block, blocks
from generated_faces import generated, photograph

from fer_bench.yaml_file import read_yaml
from tests.trained_cells import CELL, ROOT, repository

ELSEWHERE = {  # run by tests/test_docs_commands.py, in a repository with prepared faces, or where the name says so
    "docs/extending.md": "test_the_worked_example_of_a_method",
    "docs/guidance.md": "test_the_sheet_of_guiding_maps",
    "docs/mlflow.md": "test_mlflow_loads_it_and_it_answers_as_the_cell_does",  # tests/test_mlflow_model.py
}
SMALLER = {'PRESETS["default"]': 'PRESETS["smoke"]', "synthetic-resnet10t-au-s0": CELL}


def faces() -> dict[str, Any]:
    """Landmarks of generated faces, under the names that pages give them."""
    points = np.stack([drawn[0][1] for drawn in generated().values()])
    return {"landmarks": points[1], "points": torch.from_numpy(points), "labels": list(generated())}


def maps() -> dict[str, Any]:
    """Features, class activation maps and maps of eight images."""
    draw = torch.Generator().manual_seed(0)
    labels, expressions = np.arange(8) % 7, list(generated())
    features = torch.rand(8, 4, 7, 7, generator=draw)
    found = {"features": features, "cams": features[:, 0], "maps": torch.rand(8, 28, 28, generator=draw)}
    return {**found, "labels": labels, "expressions": expressions}


def images() -> dict[str, Any]:
    """Two images, two classes, and a photograph in this folder."""
    photograph(Path("photo.jpg"), "happiness", (40, 10, 100, 100))
    return {
        "images": torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)),
        "classes": torch.tensor([1, 2]),
    }


GIVEN = {
    "docs/action_units.md": faces,
    "docs/metrics.md": maps,
    "docs/explainers.md": images,
    "docs/explain.md": images,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("programs"))


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.page)
def test_programs_run(block: Block, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.page in ELSEWHERE:
        return
    monkeypatch.chdir(root)
    text = block.text
    for words, smaller in SMALLER.items():
        text = text.replace(words, smaller)
    names = GIVEN.get(block.page, dict)()
    exec(compile(text, block.page, "exec"), names)  # noqa: S102  a page's own words
    CHECKS.get(block.page, lambda _: None)(names)


def _shapes(names: dict[str, Any]) -> None:
    assert names["maps"].shape == (7, 14, 14) and names["valid"].tolist() == [False] + [True] * 6


def _scores(names: dict[str, Any]) -> None:
    assert names["scores"].shape == names["chance"].shape == names["ceiling"].shape == (8,)


def _explained(names: dict[str, Any]) -> None:
    assert {key: value.shape for key, value in names["maps"].items()} == dict.fromkeys(
        ("cam", "layercam"), (2, 2, 8, 8)
    )


def _layers(names: dict[str, Any]) -> None:
    output = names["output"]
    assert output.logits.shape == (4, 7) and output.features[5].shape == (4, 512, 4, 4)
    assert output.class_maps.shape == (4, 7, 4, 4)


CHECKS = {
    "docs/action_units.md": _shapes,
    "docs/metrics.md": _scores,
    "docs/explainers.md": _explained,
    "docs/models.md": _layers,
    "docs/explain.md": lambda _: [
        Path("explanations/photo").with_suffix(end).stat() for end in (".png", ".json", ".html")
    ],
    "docs/generated_faces.md": lambda names: Path("sheet.png").stat(),
}


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.page)
def test_settings_are_sections_of_params(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.yaml").write_text(block.text, encoding="utf-8")
    assert set(read_yaml(tmp_path / "block.yaml")) <= set(read_yaml(ROOT / "params.yaml"))
