"""The adapter over timm: a network that yields numbered feature maps, and what is known about it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from fer_bench.backbones import attention, blocks, hub, taps, weights
from fer_bench.backbones.create import create
from fer_bench.errors import InputError


class Backbone(nn.Module):
    """A timm network without its classifier.

    channels: layer -> C; map_sizes: layer -> (h, w) at the given input size; layers that do not exist are absent.
    mean, std: what images in [0, 1] are to be normalised with, per channel.
    pretrained: whether the initial weights were learnt elsewhere.
    """

    def __init__(
        self,
        net: nn.Module,
        name: str,
        input_size: int,
        normalisation: tuple[tuple[float, ...], tuple[float, ...]],
        source: str,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.net = net
        self.name = name
        self.pretrained = pretrained
        self.input_size = input_size
        self.mean, self.std = normalisation
        maps = self._probe(source)
        self.channels = {layer: value.shape[1] for layer, value in maps.items()}
        self.map_sizes = {layer: (value.shape[2], value.shape[3]) for layer, value in maps.items()}
        _drop_unused(net, maps)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that exist, ascending; the last one is always 5."""
        return tuple(self.channels)

    def forward(self, images: torch.Tensor) -> dict[int, torch.Tensor]:
        """Normalised images (B, 3, H, W) -> layer -> (B, C, h, w), ascending; layer 5 is what a head reads."""
        return taps.collect(self.net, images)

    def forward_with_attention(self, images: torch.Tensor) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
        """Return the features and the class token's attention (B, h, w), summed over blocks, averaged over heads."""
        with attention.recording(self.net) as rows:
            features = self(images)
        return features, attention.summed(rows, *features[taps.LAST].shape[-2:])

    def make_attention_explicit(self) -> None:
        """Switch timm's fused attention off: `forward_with_attention` needs the matrices."""
        attention.make_explicit(self.net)

    def attention_problem(self) -> str | None:
        """Say why the network gives no class-token attention over its patches, or None when it does."""
        return attention.problem(self.net)

    def stages(self) -> tuple[tuple[blocks.Block, ...], ...]:
        """Blocks of every stage; InputError says why a network has none that can be found."""
        return blocks.find(self.net, self._blank())

    def changing(self, changes: Mapping[blocks.Block, blocks.Change]) -> AbstractContextManager[None]:
        """Context in which blocks return what `changes` make of their outputs, each given as (B, C, ...)."""
        return blocks.changing(self.net, changes)

    def _blank(self) -> torch.Tensor:
        device = next(self.net.parameters()).device
        return torch.zeros(1, 3, self.input_size, self.input_size, device=device)

    def _probe(self, source: str) -> dict[int, torch.Tensor]:
        """Run one blank image in eval mode: sizes, and whether the network takes this input at all."""
        training = self.net.training
        self.net.eval()
        try:
            with torch.enable_grad():
                return self(self._blank())
        except InputError as error:
            raise InputError(f"{source}.backbone: {self.name} cannot be used: {error}") from error
        except (RuntimeError, AssertionError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise InputError(
                f"{source}.input_size: {self.name} does not take {self.input_size}x{self.input_size} images: {reason}; "
                "try another input_size, or kwargs such as img_size or window_size"
            ) from error
        finally:
            self.net.train(training)


def build(
    name: str,
    kwargs: Mapping[str, Any],
    initial_weights: str = "random",
    input_size: int = 224,
    source: str = "params.yaml: models",
    normalisation: str = "auto",
) -> Backbone:
    """Make a backbone with its initial weights; random ones come from torch's global generator."""
    weights.check_form(initial_weights, source)
    net = _create(name, kwargs, input_size, initial_weights, source)
    weights.load_into(net, name, initial_weights, source)
    scale = weights.normalisation(net, initial_weights, normalisation)
    return Backbone(net, name, input_size, scale, source, pretrained=initial_weights != "random")


def _create(name: str, kwargs: Mapping[str, Any], input_size: int, initial_weights: str, source: str) -> nn.Module:
    if initial_weights != "timm":
        return create(name, kwargs, input_size, False, source)
    with hub.cached_only_if_unreachable() as reason:
        try:
            return create(name, kwargs, input_size, True, source)
        except InputError:
            raise
        except Exception as error:
            # Offline, absent files are OSErrors; anything else is wrong with the weights themselves.
            why = reason if reason is not None and isinstance(error, OSError) else error
            raise weights.not_downloaded(name, why, source) from error


def _drop_unused(net: nn.Module, maps: Mapping[int, torch.Tensor]) -> None:
    """Remove what follows the last map (dense layers of VGG, pooling heads), and freeze single unused parameters.

    Otherwise they would be counted, saved, and waited for by distributed training.
    """
    names, parameters = zip(*net.named_parameters(), strict=True)
    with torch.enable_grad():  # a caller may build under no_grad
        total = torch.stack([value.float().sum() for value in maps.values()]).sum()
        gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    used = {name for name, gradient in zip(names, gradients, strict=True) if gradient is not None}
    _prune(net, "", used)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name in used and parameter.requires_grad)


def _prune(module: nn.Module, prefix: str, used: set[str]) -> None:
    for name, child in module.named_children():
        path = f"{prefix}{name}."
        owned = [path + parameter for parameter, _ in child.named_parameters()]
        if owned and used.isdisjoint(owned):
            setattr(module, name, nn.Identity())
        elif owned:
            _prune(child, path, used)
