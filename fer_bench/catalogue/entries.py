"""The catalogue by kind: plug-ins from their files, models from params.yaml, grids from grids/."""

from pathlib import Path

from fer_bench import grids, registry, trials
from fer_bench.catalogue import source
from fer_bench.catalogue.entry import Entry
from fer_bench.errors import InputError
from fer_bench.yaml_file import read_yaml

KINDS = ("grids", "datasets", "models", *(kind for kind in registry.KINDS if kind != "datasets"))


def listed(kind: str, root: Path = Path()) -> list[Entry]:
    """List what there is of a kind, by name.

    Raises:
        InputError: params.yaml or a grid cannot be read.
    """
    if kind == "grids":
        return [_grid(name, root) for name in grids.names(root)]
    if kind == "models":
        return _models(root)
    return [source.entry(kind, name) for name in registry.names(kind)]


def _grid(name: str, root: Path) -> Entry:
    cells = len(grids.cells(grids.read(name, root)))
    return Entry("grids", name, _comment(root / grids.FOLDER / f"{name}.yaml"), cost=f"{cells} cells")


def _comment(path: Path) -> str:
    """The comment that a file begins with."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def _models(root: Path) -> list[Entry]:
    given = read_yaml(root / grids.PARAMS).get("models")
    if not isinstance(given, dict):
        raise InputError(f"{grids.PARAMS}: models: given {given!r}, expected entries `name: {{...}}`")
    return [_model(name, section) for name, section in trials.inherit(given, str(grids.PARAMS)).items()]


def _model(name: str, section: dict[str, object]) -> Entry:
    method = str(section.get("method", ""))
    parts = [f"{section.get('label') or name}: {section.get('backbone')}, method {method}"]
    parts += [f"weights {section['weights']}"] if section.get("weights") not in (None, "random") else []
    parts += [f"trial of {section['trial_of']}"] if section.get("trial_of") else []
    citation = source.entry("methods", method).citation if method in registry.names("methods") else ""
    return Entry("models", name, ", ".join(parts), citation)
