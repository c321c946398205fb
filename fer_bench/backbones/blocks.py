"""Finds the blocks of each stage of a timm network, so that something can be placed after one of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from fer_bench.backbones import taps
from fer_bench.errors import InputError

Change = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Block:
    """One block of a stage.

    name: its dotted path in the network. axis: where channels stand in what it returns: 1 for maps (B, C, h, w), -1 for
    maps (B, h, w, C) and tokens (B, h * w, C).
    """

    name: str
    axis: int


def find(net: nn.Module, images: torch.Tensor) -> tuple[tuple[Block, ...], ...]:
    """Return the blocks of every stage that has weights, in the order of the forward pass.

    Stages are those of timm's feature_info. A block is a module with convolutions or linear layers inside whose output
    has the size of the stage's map; in plain networks (VGG), an activation. Only sizes of `images` matter.

    Raises:
        InputError: the network is not built in stages, or no block of a stage can be found.
    """
    if taps.is_isotropic(net):
        raise InputError(f"{type(net).__name__} has no stages: its blocks all have one resolution")
    stages = _stage_modules(net)
    shapes, sizes = _probe(net, images, [name for names in stages for name in names])
    found = []
    for names, size in zip(stages, sizes, strict=True):
        axes = {name: _channel_axis(net, shapes.get(name, ()), size) for name in names}
        blocks = tuple(Block(name, axis) for name, axis in axes.items() if axis is not None)
        if names and not blocks:
            raise InputError(f"{type(net).__name__} has a stage without any block that returns its map ({names[0]})")
        found.append(blocks)
    return tuple(blocks for blocks in found if blocks)  # pooling alone is no stage


@contextmanager
def changing(net: nn.Module, changes: Mapping[Block, Change]) -> Iterator[None]:
    """While open, each block returns what `change` makes of its output, given as (B, C, ...).

    Hooks live for one forward pass only: a copied or pickled network carries none, and no name of a weight changes.
    """
    handles = [
        net.get_submodule(block.name).register_forward_hook(_hook(block.axis, change))
        for block, change in changes.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(axis: int, change: Change) -> Callable[[nn.Module, tuple[object, ...], torch.Tensor], torch.Tensor]:
    def replace(_module: nn.Module, _inputs: tuple[object, ...], output: torch.Tensor) -> torch.Tensor:
        return change(output.movedim(axis, 1)).movedim(1, axis)

    return replace


def _stage_modules(net: nn.Module) -> list[list[str]]:
    """Names of what may be a block in each stage of feature_info, empty for a stage of pooling alone."""
    names = [info["module"] for info in taps.feature_info(net)]
    try:
        spans = [_between(net, *pair) for pair in zip([None, *names], names, strict=False)]
        parts = [[part for name in span for part in _parts(net, name)] for span in spans]
    except AttributeError as error:
        raise InputError(f"{type(net).__name__}: timm names no module for its stages ({error})") from None
    # A lone activation is a tap inside a block (Xception), not a layer of a plain network.
    return [[part for part in stage if _may_be_block(net.get_submodule(part), len(stage) == 1)] for stage in parts]


def _between(net: nn.Module, previous: str | None, name: str) -> list[str]:
    """Siblings after the previous stage's last module up to `name`, or `name` alone where they are no siblings."""
    parent, _, own = name.rpartition(".")
    if previous is None or previous.rpartition(".")[0] != parent:
        net.get_submodule(name)
        return [name]
    children = [child for child, _ in net.get_submodule(parent).named_children()]
    first, last = children.index(previous.rpartition(".")[2]) + 1, children.index(own) + 1
    return [f"{parent}.{child}".removeprefix(".") for child in children[first:last]]


def _parts(net: nn.Module, name: str) -> list[str]:
    """Children of a stage or of a plain container; the module itself where it is neither."""
    module = net.get_submodule(name)
    if isinstance(getattr(module, "blocks", None), nn.Module):
        name, module = f"{name}.blocks", module.get_submodule("blocks")
    elif not isinstance(module, nn.Sequential | nn.ModuleList) and not type(module).__name__.endswith("Stage"):
        return [name]
    return [f"{name}.{child}" for child, _ in module.named_children()]


def _may_be_block(module: nn.Module, alone: bool) -> bool:
    if next(module.children(), None) is None:
        return type(module).__module__ == nn.ReLU.__module__ and not alone
    return any(parameter.ndim > 1 for parameter in module.parameters())


def _probe(
    net: nn.Module, images: torch.Tensor, names: Sequence[str]
) -> tuple[dict[str, tuple[int, ...]], list[tuple[int, ...]]]:
    """Shapes of what the named modules return, and (h, w) of the map of every stage; eval mode, no gradient."""
    shapes: dict[str, tuple[int, ...]] = {}

    def keep(name: str) -> Callable[[nn.Module, object, object], None]:
        return lambda _module, _inputs, out: shapes.update({name: tuple(getattr(out, "shape", ()))})

    handles = [net.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            _, maps = taps.intermediates(net, images, None)
    finally:
        net.train(training)
        for handle in handles:
            handle.remove()
    return shapes, [tuple(stage.shape[-2:]) for stage in maps]


def _channel_axis(net: nn.Module, shape: tuple[int, ...], size: tuple[int, ...]) -> int | None:
    """Where channels stand in an output of the stage's size, None when it has another size."""
    if len(shape) == 3:
        return -1 if shape[1] == size[0] * size[1] else None
    if len(shape) != 4:
        return None
    fits = [axis for axis, positions in ((1, shape[2:]), (-1, shape[1:3])) if positions == size]
    if len(fits) == 2:  # as many channels as rows and columns
        return -1 if getattr(net, "output_fmt", "NCHW") == "NHWC" else 1
    return fits[0] if fits else None
