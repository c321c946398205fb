"""Interpreter, torch, devices, threads, memory and disk of this machine."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from fer_bench.readiness.finding import MISSING, OK, Finding
from fer_bench.train_settings import RuntimeSettings

AREA = "machine"
_GIB = 2**30


def findings(runtime: RuntimeSettings, root: Path = Path()) -> Iterator[Finding]:
    """Look at the machine; runtime: the section of params.yaml, which says what is used of it."""
    import torch  # noqa: PLC0415  takes seconds

    yield Finding(AREA, "python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield Finding(AREA, "torch", OK, f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    yield _device(runtime.device)
    cores = len(os.sched_getaffinity(0))
    yield Finding(AREA, "threads", OK, f"{cores} cores; a training uses {runtime.threads} (runtime.threads)")
    total, free = (
        os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") / _GIB for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES")
    )
    yield Finding(AREA, "memory", OK, f"{total:.1f} GiB, {free:.1f} GiB unused")
    yield Finding(AREA, "disk", OK, f"{shutil.disk_usage(root).free / _GIB:.1f} GiB free here")
    if not (root / ".dvc").is_dir():
        words = f"{root.resolve()} is no DVC repository; `fer-bench repro` runs in the root of fer-bench's own"
        yield Finding(AREA, "repository", MISSING, words, "cd FOLDER, the one that holds dvc.yaml")


def _device(wanted: str) -> Finding:
    """The devices that torch sees, and whether the wanted one is among them."""
    import torch  # noqa: PLC0415  as above

    count = torch.cuda.device_count()
    found = [
        f"cuda:{number} {torch.cuda.get_device_name(number)}, "
        f"{torch.cuda.get_device_properties(number).total_memory / _GIB:.0f} GiB"
        for number in range(count)
    ]
    found += ["mps"] if torch.backends.mps.is_available() else []
    seen = "; ".join(["cpu", *found])
    kind = wanted.partition(":")[0]
    if kind not in ("auto", "cpu", *(one.partition(":")[0] for one in found)):
        return Finding(
            AREA,
            "device",
            MISSING,
            f"runtime.device is {wanted}; torch sees: {seen}",
            "params.yaml: runtime.device: auto",
        )
    used = {"auto": "cuda" if count else "mps" if found else "cpu"}.get(wanted, wanted)
    return Finding(AREA, "device", OK, f"{seen}; used: {used} (runtime.device: {wanted})")
