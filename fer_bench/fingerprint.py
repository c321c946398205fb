"""Which source files define a result: the import closure of a stage and its plug-ins, as hashes.

DVC reruns a cell when its plan file changes; the hashes of these sources stand in that file. So editing a source reruns
exactly the cells that import it, and adding a plug-in file reruns nothing.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# Modules that may be imported by a stage although no number depends on them; the reason stands beside each.
NEUTRAL = {
    "fer_bench.tracking": "a mirror of the result files",
    "fer_bench._mlflow_store": "part of the mirror",
    "fer_bench._mlflow_sync": "part of the mirror",
    "fer_bench._mlflow_drawings": "part of the mirror",
    "fer_bench._mlflow_names": "part of the mirror",
    "fer_bench._mlflow_views": "part of the mirror",
    "fer_bench.provenance": "writes times and versions beside the results",
    "fer_bench.telemetry": "keeps libraries from reporting on their users",
    "fer_bench.stage": "reads the plan and reports errors",
    "fer_bench.orphan": "ends a stage whose pipeline was killed",
    "fer_bench.failures": "keeps the reasons of failures",
    "fer_bench.cell_stages": "names stages",
    "fer_bench.alone": "waits for others that do the same work",
    "fer_bench.forked": "which signals end a worker",
    "fer_bench.mishap": "words of error messages",
    "fer_bench.landmarks._pool": "hands images to a backend, which finds the points",
    "fer_bench.landmarks._timings": "writes times",
    "fer_bench.errors": "words of error messages",
    "fer_bench.validation": "accepts settings or words what is wrong; it changes no value",
    "fer_bench.registry": "finds files by name",
}


def sources(roots: Iterable[str], base: Path) -> dict[str, str]:
    """Hash every module that the roots import, directly or not.

    Args:
        roots: dotted names below `base`, e.g. `stages.train`, `fer_bench.methods.cam`.
        base: repository root.

    Returns:
        Module name -> first 16 hexadecimal digits of the SHA-256 of its text, sorted by name, without NEUTRAL ones.
    """
    base = base.absolute()  # what was found is remembered, and the folder that a process stands in may change
    seen: set[str] = set()
    queue = [name for root in roots for name in _with_packages(root)]
    while queue:
        name = queue.pop()
        if name in seen or name in NEUTRAL or _file(name, base) is None:
            continue
        seen.add(name)
        queue.extend(_imports(name, base))
    return {name: _digest(name, base) for name in sorted(seen)}


def _with_packages(name: str) -> list[str]:
    """`a.b.c` -> a, a.b, a.b.c: importing a module runs the packages above it."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


@cache
def _file(name: str, base: Path) -> Path | None:
    path = base.joinpath(*name.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _digest(name: str, base: Path) -> str:
    path = _file(name, base)
    assert path is not None  # names come from `sources`, which has found the file
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@cache
def _imports(name: str, base: Path) -> tuple[str, ...]:
    """List the project's modules that a module names in import statements, inside functions too."""
    path = _file(name, base)
    assert path is not None
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = _absolute(node, name, path)
            found += [package, *(f"{package}.{alias.name}" for alias in node.names)]
    ours = [item for item in found if item.split(".")[0] in ("fer_bench", "stages")]
    return tuple(part for item in ours for part in _with_packages(item))


def _absolute(node: ast.ImportFrom, name: str, path: Path) -> str:
    """Resolve `from .x import y` against the module that contains it."""
    if node.level == 0:
        return node.module or ""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])
