"""Stages as jobs of a Slurm cluster, submitted by submitit; its machines share the repository's file system."""

import importlib
import json
import math
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from fer_bench import settings
from fer_bench.engines import base
from fer_bench.engines._supervised import execute
from fer_bench.errors import InputError

_LOOK = 1.0  # seconds between two looks at jobs; submitit itself asks Slurm less often


class Settings(settings.Settings):
    """Where jobs go. Cores, GPUs, memory and time come from the section `resources`."""

    cluster: Literal["slurm", "local"] = "slurm"  # local: submitit's own stand-in, processes of this machine
    partition: str | None = None
    account: str | None = None
    options: dict[str, str | int] = {}  # further options of sbatch, such as `qos: long`
    visible_seconds: float = Field(60.0, ge=0)  # how late the shared file system may show a file written elsewhere


class Work:
    """Runs a job; Slurm may take it off a machine and start it again from the beginning."""

    def __call__(self, job: base.Job) -> base.Result:
        """Run the job on the machine that Slurm chose."""
        return execute(job)

    def checkpoint(self, job: base.Job) -> Any:
        """Answer submitit, which asks before a preemption, with the same job once more."""
        submission: Any = importlib.import_module("submitit").helpers.DelayedSubmission
        return submission(self, job)


class Engine(base.EngineBase):
    """One Slurm job per stage."""

    remote: ClassVar[bool] = True

    def __init__(self, settings: Any, jobs: int | None, folder: Path, kept: Sequence[int] = ()) -> None:
        super().__init__(settings, jobs, folder, kept)
        try:
            submitit: Any = importlib.import_module("submitit")
        except ModuleNotFoundError:
            raise InputError("engine slurm: `uv pip install -e '.[cluster]'` brings submitit, which it needs") from None
        try:
            self._executor = submitit.AutoExecutor(folder=folder / "slurm", cluster=settings.cluster)
        except RuntimeError as error:
            raise InputError(f"engine slurm: {error}; run it where `sbatch` can be called") from None
        self.slots = jobs or 100
        self._running: dict[str, tuple[base.Job, Any]] = {}
        self._ledger = folder / "slurm" / "submitted.json"
        if settings.cluster == "slurm":
            _end_left_over(self._ledger)

    def submit(self, job: base.Job) -> None:
        """See the base class."""
        self._executor.update_parameters(**parameters(job, self.settings))
        self._running[job.name] = (job, self._executor.submit(Work(), job))
        self._note()

    def wait(self, timeout: float) -> list[base.Result]:
        """See the base class."""
        deadline = time.monotonic() + timeout
        while True:
            ended = [name for name, (_, submitted) in self._running.items() if submitted.done()]
            if ended or time.monotonic() >= deadline:
                results = [self._result(*self._running.pop(name)) for name in ended]
                self._note()
                return results
            time.sleep(min(_LOOK, timeout))

    def cancel(self) -> None:
        """See the base class; Slurm ends all processes of a cancelled job."""
        for _, submitted in self._running.values():
            submitted.cancel()
        while any(not submitted.done(force_check=True) for _, submitted in self._running.values()):
            time.sleep(_LOOK)
        self._running.clear()
        self._note()

    def _note(self) -> None:
        """Write down which jobs run, for the run after a killed one."""
        self._ledger.write_text(json.dumps([submitted.job_id for _, submitted in self._running.values()]))

    def _result(self, job: base.Job, submitted: Any) -> base.Result:
        error = submitted.exception()
        if error is not None:
            return base.Result(job.name, -1, f"Slurm job {submitted.job_id}: {str(error).strip().splitlines()[0]}")
        result: base.Result = submitted.result()
        late = base.await_files(job.outputs, self.settings.visible_seconds) if result.status == 0 else []
        if late:
            reason = f"{late[0]}: not to be seen here; do all machines share this folder?"
            return base.Result(job.name, -1, reason, result.seconds)
        return result


def _end_left_over(ledger: Path) -> None:
    """Cancel the jobs of a run that was killed and wait until Slurm has ended them."""
    left = json.loads(ledger.read_text() or "[]") if ledger.is_file() else []
    if not left:
        return
    print(f"engine slurm: cancelling {len(left)} jobs of a run that was killed")
    subprocess.run(["scancel", *left], check=False)
    query = ["squeue", "--noheader", f"--jobs={','.join(left)}"]
    while subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip():
        time.sleep(_LOOK)


def parameters(job: base.Job, settings: Settings) -> dict[str, Any]:
    """Word what a job asks for in the names of submitit; GPUs in whole numbers, which is all that Slurm gives."""
    asked = job.resources
    found: dict[str, Any] = {
        "name": job.name,
        "cpus_per_task": asked.cpus,
        "timeout_min": math.ceil(60 * asked.hours),
        "gpus_per_node": math.ceil(asked.gpus) or None,
        "mem_gb": asked.memory_gb,
        "slurm_partition": settings.partition,
        "slurm_account": settings.account,
        "slurm_additional_parameters": settings.options or None,
    }
    return {name: value for name, value in found.items() if value is not None}
