"""Datasets of the grid, and the landmark detectors that they name."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from fer_bench import registry
from fer_bench.errors import InputError
from fer_bench.params import Params
from fer_bench.readiness.finding import MISSING, OK, Finding, python

_PAGES = {"au_table": "docs/datasets_au.md", "folder": "docs/datasets.md"}


def datasets(params: Params) -> Iterator[Finding]:
    """Look for every dataset; detail: licence and citation, then the fingerprint for params.yaml."""
    for name in params.grid.test_datasets:
        plugin = params.plugin_of("datasets", name)
        dataset = registry.plugin("datasets", plugin)(name, params.datasets[name])
        try:
            fingerprint = dataset.check()
        except InputError as error:
            yield Finding(
                "datasets", name, MISSING, f"{dataset.terms}; {error}", _dataset_step(name, plugin, str(error))
            )
        else:
            absent = "generated, nothing to check" if dataset.generated else "its plug-in looks for no folder"
            told = f"fingerprint: {fingerprint}" if fingerprint else absent
            yield Finding("datasets", name, OK, f"{dataset.terms}; {told}")


def landmarks(params: Params) -> Iterator[Finding]:
    """Make every landmark backend of the grid, which checks its packages and weights; nothing is fetched."""
    for name in dict.fromkeys(params.datasets[test].landmarks for test in params.grid.test_datasets):
        plugin, settings = params.plugin_of("landmarks", name), params.landmarks[name]
        fetches = bool(getattr(settings, "download", False))
        asked = settings.model_copy(update={"download": False}) if fetches else settings
        try:
            with contextlib.redirect_stderr(io.StringIO()) as said:
                registry.plugin("landmarks", plugin)(asked, f"params.yaml: landmarks.{name}")
        except InputError as error:
            detail = f"{error}{'; fetched when first used' if fetches else ''}"
            yield Finding("landmarks", name, OK if fetches else MISSING, detail, _backend_step(plugin, settings))
        else:
            words = said.getvalue().strip().removeprefix(f"landmarks.{plugin}: ")
            yield Finding("landmarks", name, OK, words or plugin)


def _dataset_step(name: str, plugin: str, problem: str) -> str:
    page = _PAGES.get(plugin, f"docs/datasets_{plugin}.md")
    page = page if Path(page).is_file() else "docs/datasets.md"
    if "no folder given" in problem:
        return f"export FER_BENCH_ROOT_{name.upper()}=FOLDER  # what has to be in it: {page}"
    return f"fer-bench check, when that is mended  # what has to be in the folder: {page}"


def _backend_step(plugin: str, settings: object) -> str:
    if plugin == "dlib":
        return f"{python()} -m pip install 'dlib-bin>=20.0.1' 'face-recognition-models>=0.3.0'"
    if hasattr(settings, "download"):
        made = f"from fer_bench.landmarks import {plugin} as it; it.Backend(it.Settings(download=True))"
        return f'{python()} -c "{made}"  # fetches them, by their published hashes'
    return "see docs/landmarks.md"
