"""What an engine promises: it runs the commands of a stage somewhere, and says when they ended and how."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field

from fer_bench import settings


class Resources(settings.Settings):
    """What one stage asks for while it runs."""

    cpus: int = Field(1, ge=1)  # cores; engine local counts stages instead (-j)
    # GPUs; a part of one lets several stages share it. Nothing is asked for where there are none.
    gpus: float = Field(0.0, ge=0)
    memory_gb: float | None = Field(None, gt=0)  # None: whatever the cluster gives
    hours: float = Field(24.0, gt=0)  # longest time; engine slurm only
    # jobs into which the work of a stage is split that can be split (`meta.part` in dvc.yaml); each asks for the above
    parts: int = Field(1, ge=1)


@dataclass(frozen=True)
class Job:
    """The commands of one stage.

    name: the stage, unique among the jobs that run. commands: lines for the shell, one after the other until one fails.
    folder: absolute working directory. variables: what the environment gets; None takes a variable away. log: file that
    both output streams go to. outputs: absolute paths that a run which was broken off may have left behind. root: of
    the repository. inputs: absolute paths that are read. keeps: absolute paths that are read if they are there, and
    added to.
    """

    name: str
    commands: Sequence[str]
    folder: str
    log: str
    variables: Mapping[str, str | None] = field(default_factory=dict)
    outputs: Sequence[str] = ()
    resources: Resources = field(default_factory=Resources)
    root: str = ""
    inputs: Sequence[str] = ()
    keeps: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """How a job ended: exit status (negative: the signal that ended it), what is known beyond it, wall time."""

    name: str
    status: int
    reason: str = ""
    seconds: float = 0.0


class EngineBase(ABC):
    """One engine; a subclass named `Engine` in its own file is found by that file's name.

    slots: number of jobs that may be submitted at once.
    remote: whether jobs may run on machines other than the driver's.
    """

    remote: ClassVar[bool]
    slots: int

    def __init__(self, settings: Any, jobs: int | None, folder: Path, kept: Sequence[int] = ()) -> None:
        """Make ready to run.

        Args:
            settings: an object of the plug-in's own `Settings`.
            jobs: the greatest number of jobs at once; None: as many as the engine finds sensible.
            folder: for the engine's own files, on the file system of the repository; it exists.
            kept: file descriptors that processes of the engine on this machine keep open, so that a lock held through
                them is held until the last of these processes has ended.

        Raises:
            InputError: what the engine needs is not there.
        """
        self.settings = settings

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Start a job, now or as soon as its resources are free."""

    @abstractmethod
    def wait(self, timeout: float) -> list[Result]:
        """Return the jobs that have ended since the last call; wait for the first for at most `timeout` seconds."""

    @abstractmethod
    def cancel(self) -> None:
        """End every job, with all processes it has started; return when none is left."""

    def close(self) -> None:
        """Give back what the engine holds."""
        self.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def await_files(paths: Sequence[str], seconds: float) -> list[str]:
    """Wait until files written by another machine can be seen here; a network file system may be late.

    Returns:
        The paths that are still missing after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while missing := [path for path in paths if not Path(path).exists()]:
        if time.monotonic() > deadline:
            return missing
        for folder in {Path(path).parent for path in missing}:
            if folder.is_dir():
                list(folder.iterdir())  # reading a folder makes the client ask the server again
        time.sleep(0.1)
    return []
