"""Reads a released file of tensors, and fits it to a network of ours, tensor by tensor."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from fer_bench.errors import InputError
from fer_bench.weight_files import check_unpacked_size

SHOWN = 3  # names of each kind of misfit in an error


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read a file as one flat state dict; tensors of a nested one get its name in front. No code in it is run.

    Raises:
        InputError: no file, not a torch file, a truncated one, or something in it is no tensor.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    check_unpacked_size(path, "released network")
    try:
        # Mapped, not read: names and shapes of 5 GB are looked at before a value is needed.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, KeyError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        what = f"no torch file of tensors, or a damaged or truncated one ({path.stat().st_size} bytes)"
        raise InputError(f"{path}: {what}: {reason}") from None
    return dict(_flat(content, "", path))


def fitted(
    published: Mapping[str, torch.Tensor], names: Mapping[str, str], own: Mapping[str, torch.Tensor], source: Path
) -> dict[str, torch.Tensor]:
    """Give every tensor of ours its published counterpart: each is used once and nothing is left over.

    published: what `read` returned. names: our name -> published name. own: our state dict (shapes and types alone are
    looked at, so it may be on the meta device).

    Raises:
        InputError: names the file, and the first tensors that are missing, left over, of another shape or type, or not
            finite.
    """
    wanted = set(names.values())
    wrong = {
        "missing": [theirs for theirs in names.values() if theirs not in published],
        "left over": [theirs for theirs in published if theirs not in wanted],
        "of another shape or type": [
            f"{theirs} is {_kind(published[theirs])}, not {_kind(own[ours])}"
            for ours, theirs in names.items()
            if theirs in published and _kind(published[theirs]) != _kind(own[ours])
        ],
    }
    parts = [f"{len(found)} {what}: {_some(found)}" for what, found in wrong.items() if found]
    if parts:
        raise InputError(f"{source}: does not fit our network: {'; '.join(parts)}")
    state = {ours: published[theirs] for ours, theirs in names.items()}
    endless = [names[ours] for ours, value in state.items() if not bool(torch.isfinite(value).all())]
    if endless:
        raise InputError(f"{source}: values that are not finite in {len(endless)} tensors: {_some(endless)}")
    return state


def _flat(content: Any, prefix: str, path: Path) -> list[tuple[str, torch.Tensor]]:
    if isinstance(content, torch.Tensor) and prefix:
        return [(prefix, content)]
    if isinstance(content, Mapping):
        start = f"{prefix}." if prefix else ""
        return [pair for key, value in content.items() for pair in _flat(value, f"{start}{key}", path)]
    where = f" as {prefix}" if prefix else ""
    raise InputError(f"{path}: expected named tensors, found {type(content).__name__}{where}")


def _kind(value: torch.Tensor) -> str:
    return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
