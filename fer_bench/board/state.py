"""The state of a stage, in a word and with a reason."""

from dataclasses import dataclass

DONE, SKIPPED, MISSING, STALE, FAILED = "done", "skipped", "missing", "stale", "failed"
STATES = (DONE, SKIPPED, MISSING, STALE, FAILED)  # the later one counts where several stand for one cell


@dataclass(frozen=True)
class State:
    """What became of a stage.

    done: its outputs are those of the settings and the code that are here. skipped: the cell makes no sense. missing:
    never run, or its files are elsewhere. stale: something that it depends on has changed. failed: so did its last
    attempt.
    """

    state: str
    reason: str = ""


def worst(states: list[State]) -> State:
    """The one that a user has to know of first."""
    return max(states, key=lambda one: STATES.index(one.state))
