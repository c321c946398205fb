"""Stages as processes of this machine; GPUs are handed out one per stage."""

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from fer_bench import settings
from fer_bench.engines import base
from fer_bench.engines._gpus import Gpus, visible
from fer_bench.engines._supervised import Supervised


class Settings(settings.Settings):
    """Nothing to choose; `-j` says how many stages run at once."""


class Engine(base.EngineBase):
    """One supervisor process runs all jobs; a job whose GPU is taken waits for it."""

    remote: ClassVar[bool] = False

    def __init__(self, settings: Any, jobs: int | None, folder: Path, kept: Sequence[int] = ()) -> None:
        super().__init__(settings, jobs, folder, kept)
        self.slots = jobs or len(os.sched_getaffinity(0))
        self._supervised = Supervised(kept)
        self._gpus = Gpus(visible())
        self._waiting: deque[base.Job] = deque()

    def submit(self, job: base.Job) -> None:
        """Start a job, or keep it until a GPU is free."""
        self._waiting.append(job)
        self._start()

    def wait(self, timeout: float) -> list[base.Result]:
        """See the base class."""
        results = self._supervised.wait(timeout)
        for result in results:
            self._gpus.give_back(result.name)
        self._start()
        return results

    def cancel(self) -> None:
        """See the base class."""
        self._waiting.clear()
        self._supervised.cancel()

    def close(self) -> None:
        """End the supervisor with everything that still runs."""
        self._supervised.close()

    def _start(self) -> None:
        """Start every waiting job whose GPUs are free; jobs that need none do not wait for those that do."""
        for job in list(self._waiting):
            gpus = self._gpus.take(job.name, job.resources.gpus)
            if gpus is not None:
                self._waiting.remove(job)
                only = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
                self._supervised.submit(replace(job, variables={**job.variables, **only}))
