"""A training that was stopped goes on: where it stands is taken down now and then, and taken up again to the bit.

Nothing random has to be kept: every step seeds its own draws from seed, epoch and step.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from fer_bench import processes
from fer_bench.classifier import Classifier
from fer_bench.history import History
from fer_bench.train_losses import EpochLosses
from fer_bench.train_step import Step
from fer_bench.training_state import TrainingState

Weights = dict[str, Tensor]


@dataclass
class Stand:
    """Where in a training: an epoch from 1, how many of its steps are done, the rate at its start, its losses.

    guidance: what the guidance has drawn from, see `GuidanceBase.state`.
    """

    epoch: int = 1
    step: int = 0
    rate: float = 0.0
    losses: EpochLosses = field(default_factory=EpochLosses)
    guidance: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Recovery:
    """Saves where a training stands; without `states` it does nothing.

    states: on disk. seconds: least time between two states within an epoch. Of several processes the first one writes,
    and all read.
    """

    states: TrainingState | None = None
    seconds: float = 60.0
    best: Weights | None = None
    asked_to_end: bool = False
    _saved: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether a state within an epoch is worth its while: much time has passed, or this process is to end."""
        return self._writes and (self.asked_to_end or time.monotonic() - self._saved >= self.seconds)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM, which schedulers send before they kill, as the wish to save and end."""
        if self.states is None or processes.place().count > 1 or not _is_main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _ask(self, *_: object) -> None:
        self.asked_to_end = True

    def end_if_asked(self) -> None:
        """End this process after a state was saved, with the status of one that SIGTERM ended."""
        if self.asked_to_end:
            print("stopped by SIGTERM; the next run goes on from here", file=sys.stderr)
            raise SystemExit(128 + signal.SIGTERM)

    def keep(self, classifier: Classifier) -> None:
        """Remember weights as the ones to keep so far."""
        if self._writes:
            self.best = {name: value.detach().cpu().clone() for name, value in classifier.state_dict().items()}

    def save(self, classifier: Classifier, step: Step, history: History, stand: Stand) -> None:
        """Write everything that the rest of the training depends on; the losses must be settled."""
        if not self._writes or self.states is None:
            return
        losses = {"sums": stand.losses.sums, "seen": stand.losses.seen, "steps": stand.losses.steps}
        state = {
            "stand": {"epoch": stand.epoch, "step": stand.step, "rate": stand.rate, "losses": losses},
            "history": {"rows": history.rows, "best_epoch": history.best_epoch},
            "classifier": classifier.state_dict(),
            "best": self.best,
            "guidance": step.guidance.state(),
            **{name: part.state_dict() for name, part in _parts(step).items()},
        }
        self.states.save(state, number=stand.epoch * 10**6 + stand.step)
        self._saved = time.monotonic()
        self.end_if_asked()

    def restore(self, classifier: Classifier, step: Step, history: History) -> Stand:
        """Take up the last state, or start at the beginning."""
        state = self.states.load() if self.states else None
        if state is None:
            return Stand()
        classifier.load_state_dict(state["classifier"])
        for name, part in _parts(step).items():
            part.load_state_dict(state[name])
        history.rows[:] = state["history"]["rows"]
        history.best_epoch = state["history"]["best_epoch"]
        self.best = state["best"]
        found = state["stand"]
        return Stand(found["epoch"], found["step"], found["rate"], EpochLosses(**found["losses"]), state["guidance"])

    @property
    def _writes(self) -> bool:
        return self.states is not None and processes.place().index == 0


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _parts(step: Step) -> dict[str, Any]:
    scaler = step.accelerator.scaler  # of float16 alone
    return {"optimizer": step.optimizer, "scheduler": step.scheduler, **({"scaler": scaler} if scaler else {})}
