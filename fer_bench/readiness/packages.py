"""Packages that fer-bench needs, and those of its extras."""

import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from fer_bench.readiness.finding import MISSING, OK, OPTIONAL, Finding, python

AREA = "packages"
FOR = {  # extra -> what it is for
    "landmarks-offline": "landmarks by dlib, and a pretrained network, without any download",
    "export": "fer-bench export --onnx",
    "cluster": "engines ray and slurm",
    "docs": "make docs",
    "dev": "make test",
}


def findings(root: Path = Path()) -> Iterator[Finding]:
    """Look at what is installed; of packages alone, none is imported."""
    needed, extras = _requirements(root)
    absent = _absent(needed)
    if absent:
        yield Finding(AREA, "fer_bench", MISSING, _words(absent), _install(absent))
    else:
        yield Finding(AREA, "fer_bench", OK, f"{len(needed)} packages")
    for extra, wanted in extras.items():
        what, absent = FOR.get(extra, ""), _absent(wanted)
        if absent:
            yield Finding(AREA, f"extra {extra}", OPTIONAL, f"{_words(absent)}; for {what}", _install(absent))
        else:
            yield Finding(AREA, f"extra {extra}", OK, what)


def _requirements(root: Path) -> tuple[list[Requirement], dict[str, list[Requirement]]]:
    """What the working tree asks for; outside of it, what the installed package asks for."""
    project = root / "pyproject.toml"
    if project.is_file():
        given = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if given.get("name") == "fer_bench":
            extras = given.get("optional-dependencies", {})
            return _parsed(given["dependencies"]), {name: _parsed(lines) for name, lines in extras.items()}
    found = [Requirement(line) for line in requires("fer_bench") or []]
    extras = {name: [one for one in found if _of_extra(one, name)] for name in FOR}
    return [one for one in found if "extra" not in str(one.marker)], extras


def _parsed(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines]


def _of_extra(requirement: Requirement, extra: str) -> bool:
    return f'extra == "{extra}"' in str(requirement.marker)


def _absent(wanted: list[Requirement]) -> list[Requirement]:
    return [one for one in wanted if (one.marker is None or one.marker.evaluate({"extra": ""})) and not _fits(one)]


def _fits(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _words(absent: list[Requirement]) -> str:
    return f"not installed, or another version: {', '.join(one.name for one in absent)}"


def _install(absent: list[Requirement]) -> str:
    return shlex.join([python(), "-m", "pip", "install", *(f"{one.name}{one.specifier}" for one in absent)])
