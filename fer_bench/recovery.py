"""A training that was stopped goes on: where it stands is taken down now and then, and taken up again to the bit.

Nothing random has to be kept: every step seeds its own draws from seed, epoch and step.
"""

import time
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
    _saved: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether so much time has passed that a state within an epoch is worth its while."""
        return self._writes and time.monotonic() - self._saved >= self.seconds

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


def _parts(step: Step) -> dict[str, Any]:
    scaler = step.accelerator.scaler  # of float16 alone
    return {"optimizer": step.optimizer, "scheduler": step.scheduler, **({"scaler": scaler} if scaler else {})}
