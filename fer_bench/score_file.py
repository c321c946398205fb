"""The scores of one cell on one test dataset as a small JSON file that git can show."""

import json
from pathlib import Path
from typing import Any

COLUMNS = (
    "metric", "value", "n", "explainer", "layer", "target", "pairing", "subset", "average",
    "direction", "unit", "optimised",
)  # fmt: skip


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document; its `rows`, dicts with the keys COLUMNS, become one line of values each.

    Top-level numbers are what `dvc metrics show` prints; lists are invisible to it.
    """
    head = {key: value for key, value in document.items() if key != "rows"} | {"columns": list(COLUMNS)}
    rows = [json.dumps([row[name] for name in COLUMNS], allow_nan=False) for row in document["rows"]]
    text = json.dumps(head, indent=1, sort_keys=True, allow_nan=False).removesuffix("\n}")
    body = ",\n".join(rows)
    path.write_text(f'{text},\n "rows": [\n{body}\n]\n}}\n', encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Read a document back, its rows as dicts.

    Raises:
        OSError, ValueError, KeyError: the file cannot be read, is no JSON, or is no document of scores.
    """
    document = dict(json.loads(path.read_text(encoding="utf-8")))
    columns = document.pop("columns")
    document["rows"] = [dict(zip(columns, row, strict=True)) for row in document["rows"]]
    return document
