"""Which stages may run now: those whose needs are done, in the order of the plan."""

import heapq
from collections.abc import Iterable, Mapping


class Graph:
    """Stages that wait, may run, have been taken, are done, have failed, or are blocked by one that failed.

    Of all stages that may run the first in the order of the plan comes first, so that a cell is finished before many
    others are begun, and the order does not depend on which stage ended when.
    """

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        """Take the stages in the order of the plan, each with the stages it needs; needs outside the plan are met."""
        self._order = {name: number for number, name in enumerate(needs)}
        self._missing = {name: {need for need in needed if need in needs} for name, needed in needs.items()}
        self._users: dict[str, list[str]] = {name: [] for name in needs}
        for name, missing in self._missing.items():
            for need in missing:
                self._users[need].append(name)
        self._ready = [(number, name) for name, number in self._order.items() if not self._missing[name]]
        self.blocked: dict[str, str] = {}  # stage -> the stage whose failure blocks it

    def take(self) -> str | None:
        """Take the next stage that may run; None when there is none at the moment."""
        return heapq.heappop(self._ready)[1] if self._ready else None

    def done(self, name: str) -> None:
        """Say that a stage that was taken is done: stages that waited for nothing else may run."""
        for user in self._users[name]:
            self._missing[user].discard(name)
            if not self._missing[user] and user not in self.blocked:
                heapq.heappush(self._ready, (self._order[user], user))

    def failed(self, name: str) -> list[str]:
        """Say that a stage that was taken has failed; return the stages that cannot run any more because of it."""
        found: list[str] = []
        queue = list(self._users[name])
        while queue:
            user = queue.pop()
            if user not in self.blocked:
                self.blocked[user] = name
                found.append(user)
                queue += self._users[user]
        return sorted(found, key=self._order.__getitem__)
