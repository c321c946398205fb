"""The wheel: built without network, it holds every file of the package and explains a face far from the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from generated_faces import save_face

from fer_bench.export import export
from tests.trained_cells import CELL, repository

uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(uv is None, reason="uv, which `make environment` installs, is not here"),
    pytest.mark.timeout(900),
]
ROOT = Path(__file__).parent.parent
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE")  # beside the package


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder that the wheel is installed into, with nothing else; dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "fer_bench", source / "fer_bench", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, source / name)
    python = ["--python", sys.executable, "--offline", "--quiet"]
    _run([str(uv), "build", "--wheel", "--no-build-isolation", *python, "--out-dir", str(folder), str(source)], folder)
    (wheel,) = folder.glob("fer_bench-*.whl")
    target = folder / "installed"
    _run([str(uv), "pip", "install", "--no-deps", *python, "--target", str(target), str(wheel)], folder)
    return target


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    export(CELL, folder / "exported", root=repository(tmp_path_factory.mktemp("repository")))
    save_face(folder / "face.png", "happiness")
    return folder


def _run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout[-1000:]}{ended.stderr[-3000:]}"
    return ended


def _files(folder: Path) -> set[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix() for path in found}


def test_every_file_of_the_package_is_in_it(installed):
    assert _files(installed / "fer_bench") == _files(ROOT / "fer_bench")
    assert not [name for name in ("tests", "stages", "benchmarks", "grids") if (installed / name).exists()]


def test_it_explains_a_face_from_an_export_outside_the_repository(installed, exported):
    command = [sys.executable, str(installed / "bin" / "fer-bench"), "explain", "face.png", "--model", "exported"]
    ended = _run([*command, "--whole", "--json"], exported, PYTHONPATH=str(installed))
    (found,) = json.loads(ended.stdout)["explanations"]
    assert found["network"]["cell"] == CELL
    assert sum(found["prediction"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    for name in found["files"]:
        assert (exported / name).stat().st_size > 1000
    assert "<style>" in (exported / "explanations" / "face.html").read_text(encoding="utf-8")


def test_plug_ins_are_found_in_the_installed_package(installed, tmp_path):
    code = "import fer_bench; from fer_bench import registry; print(fer_bench.__file__, registry.names('explainers'))"
    ended = _run([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(installed))
    assert ended.stdout.startswith(str(installed / "fer_bench" / "__init__.py"))
    assert "'gradcam'" in ended.stdout
