"""APViT's transformer started from a vision transformer of timm that was trained on ImageNet."""

import math
from pathlib import Path

import torch

from fer_bench import weight_files
from fer_bench.errors import InputError

NOT_READ = ("patch_embed.", "head.")  # APViT makes its tokens and its logits of something else


def initial_values(
    form: str, own: dict[str, torch.Tensor], map_size: tuple[int, int], where: str
) -> dict[str, torch.Tensor]:
    """Read the values of class token, positions, blocks and last norm, by our names.

    form: `timm`, the published file, or file:PATH. own: tensors of the head by name; its 1x1 convolution and its linear
    layer keep the values that they have. where: the key of params.yaml that names the file, for errors.

    Raises:
        InputError: the file is not there, cannot be read, or is no vision transformer of this size.
    """
    path = weight_files.downloaded(weight_files.VIT_SMALL, where) if form == "timm" else Path(form.partition(":")[2])
    state = _renamed(weight_files.read(path, where), map_size, path, where)
    wanted = {name: value for name, value in own.items() if not name.startswith(("projection.", "head."))}
    weight_files.check_fit(wanted, state, f"{path} does not fit APViT's transformer", where)
    return state


def _renamed(
    state: dict[str, torch.Tensor], map_size: tuple[int, int], path: Path, where: str
) -> dict[str, torch.Tensor]:
    """Split timm's positions into those of class token and patches; the other names are ours but for the token's."""
    if missing := {"pos_embed", "cls_token"} - state.keys():
        raise InputError(f"{where}: {path} is no vision transformer of timm: it has no {min(missing)}")
    kept = {name: value for name, value in state.items() if not name.startswith(NOT_READ)}
    positions = kept.pop("pos_embed")
    kept["class_token"] = kept.pop("cls_token")
    kept["class_position"] = positions[:, :1]
    side = math.isqrt(positions.shape[1] - 1)
    if side**2 != positions.shape[1] - 1:
        raise InputError(f"{where}: {path} has {positions.shape[1]} positions, no class token and a square of patches")
    kept["patch_positions"] = _on_grid(positions[:, 1:], side, map_size)
    return kept


def _on_grid(positions: torch.Tensor, side: int, size: tuple[int, int]) -> torch.Tensor:
    """(1, side * side, D) -> (1, h * w, D), bicubic where the grids differ."""
    if (side, side) == size:
        return positions
    grid = positions.mT.unflatten(2, (side, side))
    return torch.nn.functional.interpolate(grid, size, mode="bicubic", antialias=True).flatten(2).mT
