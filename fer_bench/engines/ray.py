"""Stages as tasks of a Ray cluster, whose machines share the repository's file system or get files sent."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from fer_bench import settings
from fer_bench.engines import base
from fer_bench.engines._parcel import execute_apart, pack, stamp, unpack
from fer_bench.engines._supervised import Supervised, execute
from fer_bench.errors import InputError

_CANCEL = 30.0  # seconds that cancelled tasks get to end
_PARCELS = 64  # paths whose files Ray goes on holding although no task asks for them at the moment


class Settings(settings.Settings):
    """Which cluster, and what happens when a machine of it dies."""

    address: str = "auto"  # auto: the cluster of this machine; HOST:PORT; ray://HOST:PORT
    retries: int = Field(3, ge=0)  # how often a stage starts again after its machine or worker died
    visible_seconds: float = Field(60.0, ge=0)  # how late the shared file system may show a file written elsewhere
    # False: a stage gets what it reads through Ray, works in a temporary folder, and what it made is brought back
    shared: bool = True
    sources: list[str] = ["fer_bench", "stages", "params.yaml", "weights"]  # what then goes along with every stage
    back: list[str] = ["results/provenance", "results/private"]  # what then comes back beside the declared outputs
    here: list[str] = ["plan", "tables"]  # stages that read more than dvc.yaml names run beside the driver then


class Engine(base.EngineBase):
    """One task per stage; Ray places it where its cores and GPUs are free and starts it again when a machine dies."""

    remote: ClassVar[bool] = True

    def __init__(self, settings: Any, jobs: int | None, folder: Path, kept: Sequence[int] = ()) -> None:
        super().__init__(settings, jobs, folder, kept)
        self._ray = _connected(settings.address, settings.shared)
        found = self._ray.cluster_resources()
        self._has_gpus = found.get("GPU", 0) > 0
        self.slots = jobs or 2 * max(1, int(found.get("CPU", 1)))  # twice: the next ones wait in Ray's own queue
        work = execute if settings.shared else execute_apart
        self._task = self._ray.remote(max_retries=settings.retries, retry_exceptions=False)(work)
        self._running: dict[Any, base.Job] = {}
        self._parcels: dict[str, tuple[Any, Any]] = {}  # path -> its stamp and where Ray holds its files
        self._here = Supervised(kept)
        self._machines: dict[str, dict[str, float]] = {}  # every one seen so far, dead ones too: they may come back

    def submit(self, job: base.Job) -> None:
        """See the base class.

        Raises:
            InputError: no machine of the cluster has what the job asks for.
        """
        asked = {"CPU": float(job.resources.cpus), "GPU": job.resources.gpus if self._has_gpus else 0.0}
        self._check(job.name, asked)
        options: dict[str, Any] = {"name": job.name, "num_cpus": asked["CPU"], "num_gpus": asked["GPU"]}
        if job.resources.memory_gb:
            options["memory"] = int(job.resources.memory_gb * 2**30)
        if self.settings.shared:
            self._running[self._task.options(**options).remote(job)] = job
        elif job.name.partition("@")[0] in self.settings.here:
            self._here.submit(job)
        else:
            back = [str(Path(job.root, path)) for path in self.settings.back]
            self._running[self._task.options(**options).remote(job, back, *self._sent(job))] = job

    def wait(self, timeout: float) -> list[base.Result]:
        """See the base class."""
        ended = self._here.wait(0 if self._running else timeout) if self._here.busy else []
        if ended or not self._running:
            return ended
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout)
        return [self._result(reference, self._running.pop(reference)) for reference in ready]

    def cancel(self) -> None:
        """See the base class; a worker that ends takes the processes of its task along."""
        self._here.cancel()
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=_CANCEL)
        self._running.clear()

    def close(self) -> None:
        """Leave the cluster as it was before."""
        self.cancel()
        self._here.close()
        self._ray.shutdown()

    def _sent(self, job: base.Job) -> list[Any]:
        """Hand what a job reads to Ray, what has not changed since the last time only once."""
        sources = [str(Path(job.root, path)) for path in self.settings.sources]
        for path in sources:
            if not Path(path).exists():
                raise InputError(f"params.yaml: engines.ray.sources: {path}: no such file or folder")
        return [self._parcel(Path(job.root), path) for path in dict.fromkeys([*sources, *job.inputs, *job.keeps])]

    def _parcel(self, root: Path, path: str) -> Any:
        now = stamp(path) if Path(path).exists() else ()
        known = self._parcels.pop(path, None)
        if known is None or known[0] != now:
            known = (now, self._ray.put(pack(root, [path])))
        self._parcels[path] = known  # at the end: the one that was not used for longest is first
        if len(self._parcels) > _PARCELS:
            del self._parcels[next(iter(self._parcels))]
        return known[1]

    def _result(self, reference: Any, job: base.Job) -> base.Result:
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return base.Result(job.name, -1, f"Ray: {str(error).strip().splitlines()[0]}")
        if not self.settings.shared:
            unpack(answer[1], Path(job.root))
            sent: base.Result = answer[0]
            return sent
        result: base.Result = answer
        late = base.await_files(job.outputs, self.settings.visible_seconds) if result.status == 0 else []
        if late:
            reason = f"{late[0]}: not to be seen here; if the machines share no files, set engines.ray.shared: false"
            return base.Result(job.name, -1, reason, result.seconds)
        return result

    def _check(self, name: str, asked: dict[str, float]) -> None:
        """Refuse at once what Ray would wait for without end."""
        self._machines |= {node["NodeID"]: node["Resources"] for node in self._ray.nodes() if node["Alive"]}
        seen = self._machines.values()
        if not any(all(node.get(what, 0) >= number for what, number in asked.items()) for node in seen):
            wanted = f"{asked['CPU']:g} cores and {asked['GPU']:g} GPUs"
            most = ", ".join(f"{node.get('CPU', 0):g} and {node.get('GPU', 0):g}" for node in seen)
            raise InputError(f"params.yaml: resources: {name} asks for {wanted}; the machines have {most}")


def _connected(address: str, shared: bool) -> Any:
    """Import Ray and join the cluster.

    Raises:
        InputError: Ray is not installed, or there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = importlib.import_module("ray")
    except ModuleNotFoundError:
        raise InputError("engine ray: Ray is not installed; `uv pip install -e '.[cluster]'` brings it") from None
    package = str(Path(__file__).resolve().parents[1])
    surroundings = {"env_vars": _paths()} if shared else {"py_modules": [package], "excludes": ["__pycache__"]}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", runtime_env=surroundings)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"engine ray: no cluster at {address!r} ({first}); `ray start --head` starts one") from None
    return ray


def _paths() -> dict[str, str]:
    """Where workers find this package: the folder it is imported from here."""
    root = str(Path(__file__).resolve().parents[2])
    return {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))}
