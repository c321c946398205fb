"""The progress of a run on the screen: a table that is drawn anew on a terminal, lines elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fer_bench.runner.progress import Progress

_SHOWN = 8  # names of running stages


class Board:
    """Shows a run; used as a context."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress, self._console = progress, console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def refresh(self) -> None:
        """Draw the table again."""
        if self._live:
            self._live.update(Group(self._table(), *self._running()), refresh=True)

    def ended(self, stage: str, seconds: float) -> None:
        """Say that a stage was run."""
        if not self._live:
            self._say(f"{self._count()} {stage}, {duration(seconds)}; {self._state()}")

    def cached(self, stage: str) -> None:
        """Say that the outputs of a stage were taken from the run-cache."""
        if not self._live:
            self._say(f"{self._count()} {stage}, from the run-cache")

    def failed(self, stage: str, reason: str, blocked: Sequence[str]) -> None:
        """Say that a stage failed and what cannot run because of it."""
        self._say(f"FAILED {stage}: {reason}")
        if blocked:
            shown = ", ".join(blocked[:_SHOWN]) + (", ..." if len(blocked) > _SHOWN else "")
            self._say(f"  not run because of it: {len(blocked)} ({shown})")

    def summary(self) -> None:
        """Say what was done."""
        numbers = self._progress.total
        split = "" if self._progress.stages == numbers("total") else f" in {numbers('total')} jobs"
        self._say(
            f"{self._progress.stages} stages{split}: {numbers('run')} run, {numbers('cached')} from the run-cache, "
            f"{numbers('unchanged')} unchanged, {numbers('failed')} failed, {numbers('blocked')} not run because of "
            f"these; {duration(time.monotonic() - self._progress.started)}"
        )

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)

    def _count(self) -> str:
        total = self._progress.total("total")
        return f"[{self._progress.total('done'):>{len(str(total))}}/{total}]"

    def _state(self) -> str:
        left = self._progress.seconds_left()
        rest = "" if left is None else f", about {duration(left)} left"
        return f"{self._progress.running} running, {self._progress.total('failed')} failed{rest}"

    def _table(self) -> Table:
        left = self._progress.seconds_left()
        title = f"{duration(time.monotonic() - self._progress.started)} so far"
        table = Table(title=title if left is None else f"{title}, about {duration(left)} left", title_justify="left")
        for column in ("stage", "done", "running", "to do", "failed", "not run"):
            table.add_column(column, justify="left" if column == "stage" else "right")
        for name, kind in self._progress.kinds.items():
            row = (f"{kind.done}/{kind.total}", len(kind.running), kind.left, kind.failed, kind.blocked)
            table.add_row(name, *map(str, row))
        return table

    def _running(self) -> list[Text]:
        now = time.monotonic()
        every = [item for kind in self._progress.kinds.values() for item in kind.running.items()]
        lines = [Text(f"  {name}  {duration(now - since)}") for name, since in every[:_SHOWN]]
        return [*lines, Text(f"  and {len(every) - _SHOWN} more")] if len(every) > _SHOWN else lines


def duration(seconds: float) -> str:
    """Word a time: `4.2 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
