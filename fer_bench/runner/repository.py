"""The DVC side of a run: plan, what has changed, the run-cache, results into the cache. The one user of DVC's insides.

What happens to a stage is what `dvc repro` does (DVC 3.67, dvc/stage/__init__.py and dvc/stage/run.py), in two halves:
`begin` up to the command, `finish` after it. While the command runs, DVC's lock is free and the files of the
stage are listed as in use, so a `dvc repro` beside this run is refused as it would be beside another `dvc repro`.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dvc.dependency.db import AbstractDependency
from dvc.dependency.repo import RepoDependency
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.rwlock import rwlock
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc.stage.run import _enforce_cmd_list, prepare_kwargs
from dvc.stage.serialize import to_single_stage_lockfile

from fer_bench.errors import InputError
from fer_bench.runner.exclusive import BACKUP, LOCK
from fer_bench.runner.lock_file import LockFile


class State(Enum):
    """What became of a stage before its command: nothing to do, taken from the run-cache, to be run."""

    UNCHANGED = "unchanged"
    CACHED = "cached"
    TO_RUN = "to run"


@dataclass(frozen=True)
class Command:
    """What a stage runs.

    lines: for the shell. folder: absolute. variables: changes to the environment; None: taken away. outputs: absolute
    paths, made anew. part: the line that does a part of the work once `NUMBER COUNT` is added; empty: it is not split.
    inputs: absolute paths it reads; of an output of another stage the whole, of which it may name one file only.
    persisted: outputs that are there before. kept: where parts leave what they found.
    """

    lines: list[str]
    folder: str
    variables: dict[str, str | None]
    outputs: list[str]
    part: str
    inputs: list[str]
    persisted: list[str]
    kept: list[str]


class StageError(Exception):
    """DVC cannot begin or finish a stage; the message is one line."""


class Repository:
    """A DVC repository whose stages are begun and finished one at a time, by one process."""

    def __init__(self, root: Path) -> None:
        self._repo = Repo(str(root))
        self._root = Path(self._repo.root_dir)
        self._lock = LockFile(self._root / LOCK, self._root / BACKUP)
        self._stages: dict[str, Any] = {}
        self._outputs: set[str] = set()
        self._in_use: dict[str, ExitStack] = {}

    def plan(self, targets: Sequence[str]) -> dict[str, list[str]]:
        """Return the stages that lead to the targets (none: all stages), in DVC's order, each with those it needs.

        Raises:
            InputError: dvc.yaml cannot be resolved, or there is no such target.
        """
        try:
            with self._repo.lock:
                graph = get_active_graph(self._repo.index.graph)
                wanted = collect_stages(self._repo, targets) if targets else list(graph)
                stages = plan_repro(graph, wanted)
        except DvcException as error:
            raise InputError(f"dvc: {_line(error)}") from None
        self._stages = {stage.addressing: stage for stage in stages}
        self._outputs = {out.fs_path for stage in graph for out in stage.outs}
        return {stage.addressing: [need.addressing for need in graph.successors(stage)] for stage in stages}

    def begin(self, name: str) -> State:
        """Bring a stage as far as its command.

        Raises:
            StageError: a dependency is missing, an output cannot be removed, and the like.
        """
        stage = self._stages[name]
        with self._held():
            if not _has_command(stage):
                return self._by_dvc(stage)
            if not stage.changed():
                return State.UNCHANGED
            stage.remove_outs(ignore_remove=False, force=False)
            try:
                self._repo.stage_cache.restore(stage)
            except RunCacheNotFoundError:
                stage.save_deps()
                self._use(stage)
                return State.TO_RUN
            self._save(stage)
            return State.CACHED

    def finish(self, name: str) -> None:
        """Take what a stage's command has made into the cache, and its state into dvc.lock."""
        with self._held():
            self._in_use.pop(name).close()
            self._save(self._stages[name])

    def give_up(self, name: str) -> None:
        """Forget that a stage was begun, if it was."""
        if name in self._in_use:
            with self._held():
                self._in_use.pop(name).close()

    def write_lock(self, now: bool = False) -> None:
        """Write dvc.lock if there is something new; see `LockFile.write`."""
        with self._repo.lock:
            self._lock.write(now)

    def command(self, name: str) -> Command:
        """Return what a stage runs, as DVC would run it."""
        stage = self._stages[name]
        prepared, meta = prepare_kwargs(stage), stage.meta or {}
        return Command(
            lines=_enforce_cmd_list(stage.cmd),
            folder=prepared["cwd"],
            variables=_difference(prepared["env"]),
            outputs=[out.fs_path for out in stage.outs if not out.persist],
            part=meta.get("part", ""),
            inputs=[self._whole(dep.fs_path) for dep in stage.deps if dep.is_in_repo],
            persisted=[out.fs_path for out in stage.outs if out.persist],
            kept=[str(Path(stage.wdir, path)) for path in [meta.get("kept")] if path],
        )

    def _whole(self, path: str) -> str:
        """Return the output that a path is in, else the path itself."""
        above = [str(folder) for folder in (Path(path), *Path(path).parents)]
        return next((folder for folder in above if folder in self._outputs), path)

    @property
    def root(self) -> Path:
        """Absolute path of the repository."""
        return self._root

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold DVC's lock; its errors become ours, its reminders of `git add` are left out."""
        try:
            with self._repo.lock, self._repo.scm_context(quiet=True):
                yield
        except (DvcException, OSError) as error:
            raise StageError(_line(error)) from error

    def _by_dvc(self, stage: Any) -> State:
        """Frozen stages, imports and added files run no command of ours: DVC does them itself."""
        if stage.reproduce() is None:
            return State.UNCHANGED
        self._record(stage)
        return State.CACHED

    def _save(self, stage: Any) -> None:
        uncached = any(not out.use_cache for out in stage.outs if not (out.is_metric or out.is_plot))
        self._repo.scm._reset()  # it remembers ignored paths, and other stages may have added some
        stage.save(run_cache=not uncached)
        stage.commit()
        lost = [str(out) for out in stage.outs if out.use_cache and out.changed_cache()]
        if lost:  # DVC writes what went wrong to the log, and goes on
            raise StageError(
                f"{', '.join(lost)}: not whole in DVC's cache; is its disk full? free some space, run again"
            )
        self._record(stage)

    def _record(self, stage: Any) -> None:
        if isinstance(stage, PipelineStage) and Path(stage.dvcfile.path).parent == self._root:
            self._lock.record(stage.name, to_single_stage_lockfile(stage))
            self._repo.scm_context.track_file(str(LOCK))
        else:
            stage.dump(update_pipeline=False)

    def _use(self, stage: Any) -> None:
        """List the stage's files as in use until `finish` or `give_up`."""
        hardlink = self._repo.config["core"].get("hardlink_lock", False)
        read = [dep.fs_path for dep in stage.deps if not isinstance(dep, RepoDependency | AbstractDependency)]
        write = [out.fs_path for out in stage.outs]
        stack = ExitStack()
        stack.enter_context(rwlock(self._repo.tmp_dir, self._repo.fs, " ".join(sys.argv), read, write, hardlink))
        self._in_use[stage.addressing] = stack


def _has_command(stage: Any) -> bool:
    return bool(stage.cmd) and not stage.frozen


def _difference(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What DVC changes of this process's environment."""
    given = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    return {**given, **{name: None for name in os.environ if name not in environment}}


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
