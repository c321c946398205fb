"""The GPUs of this machine and who has them."""

import os
import shutil
import subprocess
from collections.abc import Sequence


def visible() -> list[str]:
    """List the GPUs that may be used: those of CUDA_VISIBLE_DEVICES if it is set, else all that nvidia-smi knows."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    # Unique names: the order of numbers is not the same for nvidia-smi and CUDA.
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split() if found.returncode == 0 else []


class Gpus:
    """Hands out GPUs; a job that asks for a part of one shares it with others."""

    def __init__(self, names: Sequence[str]) -> None:
        self._free = dict.fromkeys(names, 1.0)
        self._held: dict[str, dict[str, float]] = {}

    def take(self, job: str, wanted: float) -> list[str] | None:
        """Return names of GPUs for a job, None when it has to wait; an empty list where there are no GPUs at all.

        Args:
            job: who asks.
            wanted: a part of one GPU below 1, else a whole number of them; more than there are becomes all there are.
        """
        if wanted == 0 or not self._free:
            self._held[job] = {}
            return []
        share = min(wanted, 1.0)
        count = min(max(1, round(wanted)), len(self._free))
        # the fullest that still has room, so that whole ones stay free for jobs that need them
        fitting = sorted((free, name) for name, free in self._free.items() if free + 1e-9 >= share)[:count]
        if len(fitting) < count:
            return None
        self._held[job] = {name: share for _, name in fitting}
        for name in self._held[job]:
            self._free[name] -= share
        return sorted(self._held[job])

    def give_back(self, job: str) -> None:
        """Take back what a job had."""
        for name, share in self._held.pop(job).items():
            self._free[name] += share
