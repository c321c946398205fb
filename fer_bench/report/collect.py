"""The tidy table of a grid: the scores of the plan's cells, with missing and skipped cells as rows of their own."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench import score_file
from fer_bench.cells import METRICS
from fer_bench.errors import InputError
from fer_bench.report._integrity import check, if_here

IDENTITY = ("dataset", "model", "backbone", "method", "guidance", "seed", "test_dataset")
SCORE = ("explainer", "layer", "target", "pairing", "subset", "average", "metric", "value", "n", "direction", "unit")
COLUMNS = (*IDENTITY, *SCORE, "protocol", "optimised", "status", "reason")
OK, MISSING, SKIPPED = "ok", "missing", "skipped"
_TEXTS = ("explainer", "layer", "target", "pairing", "subset", "average", "direction", "unit")


@dataclass(frozen=True)
class Document:
    """The scores of one cell on one test dataset, as read.

    entry: the cell's entry in the plan. content: the JSON, None when there is none. status: ok, missing or skipped.
    files: file name -> path of each cached file that it names, checked, and of each private one that is here.
    """

    entry: dict[str, Any]
    test_dataset: str
    content: dict[str, Any] | None
    status: str
    reason: str
    files: dict[str, Path]

    @property
    def facts(self) -> dict[str, Any]:
        """What the evaluation says of the cell: selection rule, best epoch and so on."""
        return dict((self.content or {}).get("cell", [{}])[0])


def collect(plan: dict[str, Any], root: Path) -> pd.DataFrame:
    """Read the scores of the plan's cells on its test datasets, and of nothing else that lies in the results folder.

    Returns:
        One row per score, columns COLUMNS, in the order of the plan. A cell without scores is one row with status
        `missing` or `skipped` and its reason.

    Raises:
        InputError: a scores file that cannot be read, or a cached file it names that is missing or has changed.
    """
    return frame(plan, documents(plan, root))


def documents(plan: dict[str, Any], root: Path) -> list[Document]:
    """Read one document per cell and test dataset, in the order of the plan."""
    return [_document(entry, test, root) for test in plan["test_datasets"] for entry in plan["cells"]]


def frame(plan: dict[str, Any], read: list[Document]) -> pd.DataFrame:
    """Turn documents into the tidy table."""
    rows = [row for document in read for row in _rows(plan, document)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["value"] = pd.to_numeric(table["value"])
    table["n"] = pd.to_numeric(table["n"]).astype("Int64")
    table["optimised"] = table["optimised"].astype(bool)
    return table


def fingerprint(plan: dict[str, Any], read: list[Document]) -> str:
    """Hash of the settings and of the cells' scores: the same results have the same one, whenever and wherever made."""
    content = [[document.entry["cell"], document.test_dataset, document.content] for document in read]
    text = json.dumps([plan["fingerprint"], content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _document(entry: dict[str, Any], test: str, root: Path) -> Document:
    path = METRICS / test / f"{entry['cell']}.json"
    if not (root / path).is_file():
        if entry.get("skip"):
            return Document(entry, test, None, SKIPPED, str(entry["skip"]), {})
        return Document(entry, test, None, MISSING, "not evaluated yet", {})
    content = _read(root / path, path)
    if content.get("skipped"):
        reasons = "; ".join(str(item["reason"]) for item in content["skipped"])
        return Document(entry, test, content, SKIPPED, reasons, {})
    named = [check(root, item, str(path)) for item in content.get("files", [])]
    named += [file for item in content.get("private_files", []) for file in if_here(root, item, str(path))]
    return Document(entry, test, content, OK, "", {file.name: file for file in named})


def _read(path: Path, name: Path) -> dict[str, Any]:
    try:
        content = score_file.read(path)
        absent = {"rows", "cell"} - set(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{name}: not readable as scores ({error}); run `dvc repro evaluate`") from error
    if absent:
        raise InputError(f"{name}: no {' and no '.join(sorted(absent))} in it; run `dvc repro evaluate`")
    return content


def _rows(plan: dict[str, Any], document: Document) -> list[dict[str, Any]]:
    identity = {key: document.entry.get(key, "") for key in IDENTITY[:-1]}
    common = identity | {"test_dataset": document.test_dataset, "protocol": plan["protocol"]}
    common |= {"status": document.status, "reason": document.reason}
    if document.status != OK or document.content is None:
        return [common | dict.fromkeys((*_TEXTS, "metric"), "") | {"optimised": False}]
    return [common | _score(row) for row in document.content["rows"]]


def _score(row: dict[str, Any]) -> dict[str, Any]:
    texts = {key: "" if row.get(key) is None else str(row[key]) for key in _TEXTS}
    numbers = {"value": row["value"], "n": row.get("n"), "optimised": bool(row.get("optimised", False))}
    return texts | numbers | {"metric": row["metric"]}
