"""Read YAML as DVC reads it: version 1.2, so `on` and `yes` are words and not booleans."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from fer_bench.errors import InputError


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the top-level section of a YAML file; a syntax error names file and line."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        data = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: {error.problem}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected sections `name: ...`, found {type(data).__name__}")
    return data
