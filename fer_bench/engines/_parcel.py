"""Files as bytes: what a job reads goes to a machine that shares no files with the driver, what it made comes back."""

import io
import os
import sys
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fer_bench.engines._supervised import execute
from fer_bench.engines.base import Job, Result

_LEFT_OUT = "__pycache__"


def pack(root: Path, paths: Iterable[str]) -> bytes:
    """Pack files and folders below `root`, given by absolute path; those that are not there are left out."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", dereference=True) as archive:
        for path in sorted(set(paths)):
            if Path(path).exists():
                archive.add(path, os.path.relpath(path, root), filter=_wanted)
    return stream.getvalue()


def unpack(parcel: bytes, root: Path) -> None:
    """Unpack below `root`; a name that leads elsewhere is refused."""
    with tarfile.open(fileobj=io.BytesIO(parcel)) as archive:
        archive.extractall(root, filter="data")


def stamp(path: str) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every file of a path: it changes when a file does."""
    top = Path(path)
    files = sorted(top.rglob("*")) if top.is_dir() else [top]
    found = [(str(file), file.stat()) for file in files if file.is_file() and _LEFT_OUT not in file.parts]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)


def execute_apart(job: Job, back: Sequence[str], *parcels: bytes) -> tuple[Result, bytes]:
    """Run a job in a temporary folder that holds the parcels' files and nothing else.

    Args:
        job: its paths are those of the driver's machine.
        back: further absolute paths to bring back.
        parcels: what `pack` made on the driver's machine.

    Returns:
        The result, and a parcel: the log; of a job that succeeded also its outputs, what it keeps, and `back`.
    """
    with TemporaryDirectory(prefix="fer-bench-") as folder:
        for parcel in parcels:
            unpack(parcel, Path(folder))
        result = execute(_moved(job, folder))
        wanted = [job.log, *([*job.outputs, *job.keeps, *back] if result.status == 0 else [])]
        return result, pack(Path(folder), [_there(path, job.root, folder) for path in wanted])


def _moved(job: Job, folder: str) -> Job:
    """Return the same job in another folder, with the Python of this process."""
    variables = {name: folder if value == job.root else value for name, value in job.variables.items()}
    return replace(
        job,
        folder=_there(job.folder, job.root, folder),
        log=_there(job.log, job.root, folder),
        outputs=[_there(path, job.root, folder) for path in job.outputs],
        variables={**variables, "FER_BENCH_PYTHON": sys.executable},
    )


def _there(path: str, root: str, folder: str) -> str:
    return os.path.normpath(Path(folder) / os.path.relpath(path, root))


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if _LEFT_OUT in Path(member.name).parts else member
