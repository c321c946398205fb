"""The surroundings that last digits depend on, and where they differ from the lock and from the last certificate."""

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

LOCK = Path("requirements.lock")


def surroundings() -> dict[str, str]:
    """Interpreter, system, instruction set, accelerator and torch of this process; nothing that names the machine."""
    import torch  # noqa: PLC0415  takes a second that other commands need not

    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "instruction_set": str(torch.backends.cpu.get_cpu_capability()),
        "device": str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu",
        "torch": str(torch.__version__),
    }


def from_lock(text: str) -> list[str]:
    """List the packages whose installed version is not the one that requirements.lock pins for this system."""
    found = []
    for name, pinned in _pins(text):
        installed = _version(name)
        if installed is None or _public(installed) != _public(pinned):
            found.append(f"{name}: {pinned} in {LOCK}, {installed or 'nothing'} here")
    return found


def from_certificate(before: Mapping[str, Any], here: Mapping[str, str]) -> list[str]:
    """List what differs from the surroundings that an earlier certificate names."""
    return [f"{key}: {before[key]} in the committed certificate, {here[key]} here"
            for key in sorted(set(before) & set(here)) if before[key] != here[key]]  # fmt: skip


def _pins(text: str) -> Iterator[tuple[str, str]]:
    """Names and versions of the lines `name==version ; condition \\` whose condition holds here."""
    for line in text.splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            pin = Requirement(line.rstrip("\\ "))
            if pin.marker is None or pin.marker.evaluate():
                yield pin.name, str(pin.specifier).removeprefix("==")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _public(text: str) -> str:
    """Version without its local part: `2.13.0+cpu` is a build of 2.13.0."""
    return text.partition("+")[0]
