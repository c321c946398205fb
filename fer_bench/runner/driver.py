"""The loop of a run: begin what is ready, wait for what runs, finish what has ended."""

from collections.abc import Callable
from pathlib import Path

from fer_bench import failures
from fer_bench.engines.base import EngineBase, Job, Result
from fer_bench.runner.board import Board
from fer_bench.runner.graph import Graph
from fer_bench.runner.parts import part_of, stage_of
from fer_bench.runner.progress import Progress, kind_of
from fer_bench.runner.repository import Repository, StageError, State
from fer_bench.runner.stop import Stop

_TICK = 0.5  # seconds between two looks at the clock and at signals


class Driver:
    """One run of a repository's stages on an engine."""

    def __init__(
        self,
        repository: Repository,
        engine: EngineBase,
        graph: Graph,
        progress: Progress,
        board: Board,
        job: Callable[[str], Job],
    ) -> None:
        """Take the parts of a run; `job` words the command of a stage for the engine."""
        self._repository, self._engine, self._graph = repository, engine, graph
        self._progress, self._board, self._job = progress, board, job
        self._running: dict[str, Job] = {}
        self._begun: dict[str, State] = {}  # stages, from their first part on

    def run(self, stop: Stop) -> None:
        """Run until nothing is left, or until `stop` has seen a signal; dvc.lock holds what was reached either way."""
        try:
            while not stop.number and self._begin_ready(stop):
                for result in self._engine.wait(_TICK):
                    self._end(result)
                self._repository.write_lock()
                self._board.refresh()
        finally:
            self._engine.cancel()
            for stage in self._begun:
                self._repository.give_up(stage)
            self._repository.write_lock(now=True)

    def _begin_ready(self, stop: Stop) -> bool:
        """Begin stages while there are free slots; False when the run is over."""
        while len(self._running) < self._engine.slots and not stop.number:
            name = self._graph.take()
            if name is None:
                break
            self._begin(name)
            self._repository.write_lock()
        return bool(self._running)

    def _begin(self, name: str) -> None:
        kind, stage = self._progress.kinds[kind_of(name)], stage_of(name)
        if stage in self._graph.blocked:  # another part of it has failed
            kind.blocked += 1
            return
        try:
            if stage not in self._begun:
                self._begun[stage] = self._repository.begin(stage)
        except StageError as error:
            self._failed(name, str(error), 0.0)
            return
        if self._begun[stage] is State.TO_RUN:
            if not any(stage_of(job) == stage for job in self._running):
                failures.forget(stage, self._repository.root)
            self._running[name] = self._job(name)
            self._progress.begin(name)
            self._engine.submit(self._running[name])
            return
        self._graph.done(name)
        if self._begun[stage] is State.CACHED:
            kind.cached += 1
            self._board.cached(name)
        else:
            kind.unchanged += 1

    def _end(self, result: Result) -> None:
        job = self._running.pop(result.name)
        if result.status != 0:
            self._repository.give_up(stage_of(result.name))
            self._failed(result.name, _why(result, job), result.seconds)
            return
        try:
            if part_of(result.name) is None:
                self._repository.finish(result.name)
                failures.forget(result.name, self._repository.root)
        except StageError as error:
            self._failed(result.name, str(error), result.seconds)
            return
        self._graph.done(result.name)
        self._progress.end(result.name, True, result.seconds)
        self._board.ended(result.name, result.seconds)

    def _failed(self, name: str, reason: str, seconds: float) -> None:
        if stage_of(name) not in failures.noted(self._repository.root):  # a stage's own words say more
            failures.note(stage_of(name), reason, self._repository.root)
        blocked = self._graph.failed(name)
        self._progress.end(name, False, seconds)
        for other in blocked:
            self._progress.kinds[kind_of(other)].blocked += 1
        self._board.failed(name, reason, blocked)


def _why(result: Result, job: Job) -> str:
    """How a command ended, the last line it wrote, and where the others are."""
    ended = f"killed by signal {-result.status}" if result.status < 0 else f"exit status {result.status}"
    parts = [result.reason or ended, _last_line(Path(job.log)), f"all lines: {job.log}"]
    return "; ".join(part for part in parts if part)


def _last_line(path: Path) -> str:
    if not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
