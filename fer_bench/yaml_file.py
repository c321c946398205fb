"""Read YAML as DVC reads it: version 1.2, so `on` and `yes` are words and not booleans. Nothing in it is executed."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from fer_bench.errors import InputError

LARGEST = 4 * 2**20  # bytes of a file
MOST_VALUES = 1_000_000  # of a file, those behind an alias counted wherever it stands
DEEPEST = 50  # sections within sections


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the top-level section of a YAML file; a syntax error names file and line.

    Raises:
        InputError: no such file, not UTF-8, no YAML, tags of Python objects, too large, nested without end (aliases
            can make a few lines stand for billions of values), or no section at the top.
    """
    return _checked(_load(YAML(typ="safe"), path), path)


def read_untagged_yaml(path: Path) -> dict[str, Any]:
    """Read a file that carries tags of Python objects, such as `!munch.Munch`, as plain data: no tag is followed."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _PlainConstructor
    return _checked(_load(yaml, path), path)


def _load(yaml: YAML, path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path}: {path.stat().st_size:,} bytes; settings have {LARGEST:,} at most")
    try:
        return yaml.load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: {error.problem or error.context}") from None
    except Exception as error:  # impossible dates, numbers of thousands of digits, hundreds of brackets
        reason = str(error) or type(error).__name__
        raise InputError(f"{path}: not YAML that can be read: {' '.join(reason.split())[:200]}") from None


def _checked(data: Any, path: Path) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected sections `name: ...`, found {type(data).__name__}")
    open_values: list[tuple[Any, int]] = [(data, 0)]
    for _ in range(MOST_VALUES):
        if not open_values:
            return data
        value, depth = open_values.pop()
        inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        if isinstance(inner, list):
            if depth == DEEPEST:
                raise InputError(f"{path}: sections more than {DEEPEST} levels deep, or one that holds itself")
            open_values += [(one, depth + 1) for one in inner]
    raise InputError(f"{path}: stands for more than {MOST_VALUES:,} values")


class _PlainConstructor(SafeConstructor):
    """Makes plain data of everything."""


def _untagged(constructor: SafeConstructor, _tag: str, node: Node) -> Any:
    if isinstance(node, MappingNode):
        return constructor.construct_mapping(node, deep=True)
    if isinstance(node, SequenceNode):
        return constructor.construct_sequence(node, deep=True)
    return constructor.construct_scalar(node)


for _prefix in ("!", "tag:yaml.org,2002:python/"):
    _PlainConstructor.add_multi_constructor(_prefix, _untagged)
