"""Turn plain data into a typed `Settings` object, or into one clear line: what is wrong and what would work."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from fer_bench.errors import InputError
from fer_bench.settings import Settings

Model = TypeVar("Model", bound=Settings)


def validate(model: type[Model], data: Any, source: str) -> Model:
    """Validate `data` as `model`; `source` names where it stands, e.g. `params.yaml: train`.

    The data goes through JSON, so that a YAML list is accepted where a tuple is declared and nothing else is converted.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"{source}: given {data!r}, expected a section with keys {', '.join(model.model_fields)}")
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise InputError(_one_line(error, model, source)) from None
    except (TypeError, ValueError, RecursionError) as error:  # a date, a set, a section that holds itself, ...
        raise InputError(f"{source}: nothing that a setting may be: {error}") from None


def _one_line(error: ValidationError, model: type[BaseModel], source: str) -> str:
    # A misspelt key that has no default is both unknown and missing; the unknown one carries the hint.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    where = f"{source}.{'.'.join(str(part) for part in first['loc'])}".rstrip(".")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; {_known_keys(model, first['loc'])}{more}"
    if first["type"] == "missing":
        return f"{where}: missing; this key has no default{more}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: given {first['input']!r}; {message[0].lower()}{message[1:]}{more}"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    keys = sorted(_model_at(model, location[:-1]).model_fields)
    near = get_close_matches(str(location[-1]), keys, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(keys)}"


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """Follow a location into nested sections; stop where the nesting is no section of its own."""
    for part in location:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return model
        model = inner
    return model
