"""How far a run is: stages by kind and state, and how long the rest will take."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from fer_bench.runner.parts import part_of, stage_of

_PARTS = ", parts"


@dataclass
class Kind:
    """Numbers of stages of one kind, such as all `train@...`; seconds: wall times of those that were run."""

    total: int = 0
    run: int = 0
    cached: int = 0
    unchanged: int = 0
    failed: int = 0
    blocked: int = 0
    running: dict[str, float] = field(default_factory=dict)  # stage -> when it started, by the clock of `Progress`
    seconds: list[float] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Stages whose outputs are there."""
        return self.run + self.cached + self.unchanged

    @property
    def left(self) -> int:
        """Stages that are still to be begun."""
        return self.total - self.done - self.failed - self.blocked - len(self.running)


def kind_of(job: str) -> str:
    """`train@a-b-c-0` -> `train`: the name in dvc.yaml that a matrix expands; `landmarks, parts` for parts of one."""
    kind = stage_of(job).partition("@")[0]
    return f"{kind}{_PARTS}" if part_of(job) else kind


class Progress:
    """Counts stages as they go through a run."""

    def __init__(self, stages: Iterable[str], slots: int) -> None:
        """Take all stages of the run and how many may run at once."""
        self.kinds: dict[str, Kind] = {}
        self.started = time.monotonic()
        self._slots = slots
        for stage in stages:
            self.kinds.setdefault(kind_of(stage), Kind()).total += 1

    def begin(self, stage: str) -> None:
        """Count a stage that has been submitted."""
        self.kinds[kind_of(stage)].running[stage] = time.monotonic()

    def end(self, stage: str, ok: bool, seconds: float) -> None:
        """Count a stage whose command has ended."""
        kind = self.kinds[kind_of(stage)]
        kind.running.pop(stage, None)
        if ok:
            kind.run += 1
            kind.seconds.append(seconds)
        else:
            kind.failed += 1

    def total(self, what: str) -> int:
        """Sum a number (`total`, `done`, `run`, `cached`, `unchanged`, `failed`, `blocked`, `left`) over all kinds."""
        return sum(int(getattr(kind, what)) for kind in self.kinds.values())

    @property
    def stages(self) -> int:
        """Stages of the run, parts not counted."""
        return sum(kind.total for name, kind in self.kinds.items() if not name.endswith(_PARTS))

    @property
    def running(self) -> int:
        """Stages that run at the moment."""
        return sum(len(kind.running) for kind in self.kinds.values())

    def seconds_left(self) -> float | None:
        """Estimate the time until the end; None before any stage has been run.

        Stages that are left take as long as those of their kind took on average (of all kinds, where none of theirs has
        been run), spread over all slots. Stages that turn out to be unchanged make it shorter.
        """
        taken = [seconds for kind in self.kinds.values() for seconds in kind.seconds]
        if not taken:
            return None
        now, work = time.monotonic(), 0.0
        for kind in self.kinds.values():
            mean = sum(kind.seconds or taken) / len(kind.seconds or taken)
            work += kind.left * mean
            work += sum(max(0.0, mean - (now - started)) for started in kind.running.values())
        return work / self._slots
