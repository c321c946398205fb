"""A plug-in of your own: the one file, working as it is, for you to change."""

import re
from pathlib import Path
from string import Template
from typing import NamedTuple

from fer_bench import registry
from fer_bench.errors import InputError, unknown
from fer_bench.evaluate_settings import EvaluateSettings
from fer_bench.yaml_file import read_yaml

_TEMPLATES = Path(__file__).parent / "starter_templates"
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Kind(NamedTuple):
    """A kind of plug-in that can be started: its folder, the tests of its contract, and how params.yaml names it."""

    folder: str
    test: str
    use: str


KINDS = {
    "dataset": Kind(
        "datasets",
        "tests/test_datasets.py",
        "datasets: {$name: {root: FOLDER, landmarks: dlib}}, then `$name` in grid.datasets and grid.test_datasets",
    ),
    "method": Kind("methods", "tests/test_methods.py", "method: $name, in a section of models"),
    "explainer": Kind("explainers", "tests/test_explainers_contract.py", "evaluate: {explainers: [$others, $name]}"),
    "metric": Kind("metrics", "tests/test_metrics_compared.py", "evaluate: {metrics: [$others, $name]}"),
}


def new(kind: str, name: str, package: Path = Path(registry.__file__).parent) -> Path:
    """Write the file of a plug-in that keeps its contract as it is, and return its path.

    Args:
        kind: dataset, method, explainer or metric.
        name: of the file, and so in params.yaml: small letters, digits, underscores.
        package: the folder of fer_bench.

    Raises:
        InputError: no such kind, a name that params.yaml could not hold, or one that is taken.
    """
    if kind not in KINDS:
        raise unknown("kind", kind, "fer-bench new", KINDS)
    if not NAME.fullmatch(name):
        raise InputError(
            f"fer-bench new {kind}: {name!r} is no name for params.yaml; small letters, digits and underscores that "
            "start with a letter would work, such as my_metric"
        )
    path = package / KINDS[kind].folder / f"{name}.py"
    if path.exists():
        raise InputError(
            f"fer-bench new {kind}: {path.relative_to(package.parent)} is there already; take another name"
        )
    path.write_text(render(kind, name), encoding="utf-8")
    return path


def render(kind: str, name: str) -> str:
    """The text of the file."""
    words = name.replace("_", " ")
    text = (_TEMPLATES / f"{kind}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(name=name, words=words, title=words[0].upper() + words[1:])


def next_steps(kind: str, name: str, params: Path = Path("params.yaml")) -> list[str]:
    """What a user does with the file: look, test, name it in params.yaml."""
    entry = KINDS[kind]
    named = Template(entry.use).substitute(name=name, others=", ".join(_scored(entry.folder, params)))
    return [
        f"contract:    .venv/bin/python -m pytest -q -n 0 {entry.test} -k {name}",
        f"params.yaml: {named}",
        "then:        .venv/bin/fer-bench check && .venv/bin/fer-bench repro",
    ]


def _scored(key: str, path: Path) -> list[str]:
    """The list `evaluate.explainers` or `evaluate.metrics` as it is now; nothing for other kinds."""
    section = read_yaml(path).get("evaluate") if path.is_file() else None
    return (section or {}).get(key, getattr(EvaluateSettings(), key, []))
