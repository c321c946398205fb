"""The plan of a grid as it would be written now, beside the one that stages were run with."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fer_bench import plan
from fer_bench.board.files import md5
from fer_bench.cell_stages import planned
from fer_bench.cells import PLAN
from fer_bench.params import Params

_SHOWN = 3  # names of what has changed
_SOURCES = "sources."


class Planned:
    """Stage -> its entry of the plan, as params.yaml and the code make it now."""

    def __init__(self, params: Params, root: Path = Path()) -> None:
        self._root = root
        self._files = {_stage(name): (name, entry) for name, entry in plan.entries(params, root).items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def skip(self, stage: str) -> str:
        """Why the cell of a stage is skipped; empty where it is not."""
        return str(self._files[stage][1].get("skip") or "")

    def change(self, stage: str, recorded: Mapping[str, str]) -> str:
        """What has changed in a stage's entry since it was run; empty where nothing has.

        recorded: path -> hash of the files that the stage was run with.
        """
        name, entry = self._files[stage]
        before = recorded.get((PLAN / name).as_posix())
        if before == md5(_text(entry)):
            return ""
        path = self._root / PLAN / name
        if not path.is_file() or md5(path.read_bytes()) != before:
            return "settings or code changed"
        return _difference(json.loads(path.read_text(encoding="utf-8")), json.loads(_text(entry)))


def _stage(name: str) -> str:
    return "tables" if name == "grid.json" else planned(name.removesuffix(".json"))


def _text(entry: Mapping[str, Any]) -> bytes:
    """The bytes of an entry's file, as `plan.write` writes them."""
    return (json.dumps(entry, indent=1, sort_keys=True) + "\n").encode()


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = dict(_flat(before)), dict(_flat(now))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    code = [key.removeprefix(_SOURCES) for key in changed if key.startswith(_SOURCES)]
    settings = [key for key in changed if not key.startswith(_SOURCES)]
    named = (("settings", settings), ("code", code))
    return "; ".join(f"{what} changed: {_listed(keys)}" for what, keys in named if keys)


def _flat(entry: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(entry, Mapping):
        yield above, entry
        return
    for key, value in entry.items():
        yield from _flat(value, f"{above}.{key}" if above else str(key))


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more
