"""The state of each stage: its plan, what it read and what it made against what dvc.lock records."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fer_bench.board.files import differs
from fer_bench.board.lock import Recorded
from fer_bench.board.planned import Planned
from fer_bench.board.state import DONE, FAILED, MISSING, SKIPPED, STALE, State
from fer_bench.cells import METRICS, PLAN

BACK = "`dvc checkout` or `dvc pull` brings it back"


class Stages:
    """Asked by name, each stage is looked at once."""

    def __init__(
        self, planned: Planned, recorded: Mapping[str, Recorded], failed: Mapping[str, str], root: Path = Path()
    ) -> None:
        """Take the plan as it is now, what dvc.lock records, and the reasons of failures."""
        self._planned, self._recorded, self._failed, self._root = planned, recorded, failed, root
        self._makers = {path: name for name, stage in recorded.items() for path in stage["outs"]}
        self._known: dict[str, State] = {}

    def state(self, name: str) -> State:
        """Return the state of a stage, named as in dvc.lock."""
        if name not in self._known:
            self._known[name] = self._state(name)
        return self._known[name]

    def _state(self, name: str) -> State:
        if skip := self._planned.skip(name):
            return State(SKIPPED, skip)
        found = self._look(name)
        if found.state != DONE and name in self._failed:
            return State(FAILED, self._failed[name])
        return found

    def _look(self, name: str) -> State:
        if name not in self._recorded:
            return State(MISSING, "not run yet")
        stage = self._recorded[name]
        hashes = {path: str(dep.get("md5")) for path, dep in stage["deps"].items()}
        if reason := self._planned.change(name, hashes) or self._other_inputs(stage) or self._other_outputs(stage):
            return State(STALE, reason)
        return self._presence(stage)

    def _other_inputs(self, stage: Recorded) -> str:
        """Say which input is not, or will not be, the one that the stage has read."""
        for path, dep in stage["deps"].items():
            if PLAN in Path(path).parents:
                continue
            maker = self._maker(path)
            if maker and self.state(maker).state in (STALE, FAILED):
                return f"waits for {maker}, which is {self.state(maker).state}"
            if maker and (made := self._recorded[maker]["outs"].get(path)):
                if made.get("md5") != dep.get("md5"):
                    return f"{path} was made anew since"
            elif (self._root / path).exists() and differs(self._root / path, dep):
                return f"{path} has changed"
        return ""

    def _other_outputs(self, stage: Recorded) -> str:
        changed = [path for path, out in stage["outs"].items() if self._here(path) and differs(self._root / path, out)]
        return f"{changed[0]} is not what the stage made" if changed else ""

    def _presence(self, stage: Recorded) -> State:
        """Done where the outputs are here; scores may be here without the files of single images behind them."""
        absent = [path for path in stage["outs"] if not self._here(path)]
        if not absent:
            return State(DONE)
        reason = f"{absent[0]} is not on this machine; {BACK}, `dvc repro` makes it again"
        scores = any(METRICS in Path(path).parents for path in stage["outs"] if path not in absent)
        return State(DONE if scores else MISSING, reason)

    def _here(self, path: str) -> bool:
        return (self._root / path).exists()

    def _maker(self, path: str) -> str:
        """Name of the stage that makes a file, or the folder it is in; empty where none does."""
        parts = [path, *(str(folder) for folder in PurePosixPath(path).parents)]
        return next((self._makers[part] for part in parts if part in self._makers), "")
