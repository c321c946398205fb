"""The adapter over timm: a network that yields numbered feature maps, and what is known about it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from fer_bench.backbones import attention, blocks, hub, self_attention, taps, weights
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
        self._attended: dict[blocks.Block, blocks.Change] = {}  # blocks whose output is multiplied by its channel mean
        self._last_attended = False
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
        with blocks.changing(self.net, self._attended):
            maps = taps.collect(self.net, images)
        if self._last_attended:
            maps[taps.LAST] = self_attention.attended(maps[taps.LAST])
        return maps

    def attend(self, layers: Sequence[int]) -> None:
        """From now on multiply the features of these layers by their channel mean, before the next layer reads them.

        InputError says why that cannot be done.
        """
        if absent := sorted(set(layers) - set(self.layers)):
            has = ", ".join(map(str, self.layers))
            raise InputError(f"{self.name} has no layer {absent[0]}; it has {has}")
        blank = self._blank()
        images = torch.rand(blank.shape, generator=torch.Generator().manual_seed(0), device="cpu").to(blank.device)
        self._attended = dict.fromkeys(self_attention.places(self.net, images, layers), self_attention.attended)
        self._last_attended = taps.LAST in layers

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

    def unreadable_attention(self) -> str | None:
        """Say why the soft-max matrices of the blocks cannot be read, or None when they can."""
        return attention.unreadable(self.net)

    def attention_matrices(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Normalised images -> each block's soft-max averaged over heads, (B, N, N); patches are the last tokens."""
        with attention.explicit(self.net), attention.recording(self.net, lambda found: found.mean(1)) as matrices:
            self(images)
        return matrices

    def attention_gradients(
        self,
        images: torch.Tensor,
        score: Callable[[torch.Tensor], torch.Tensor],
        keep: attention.Keep,
    ) -> list[torch.Tensor]:
        """Differentiate, block by block, a score of the map after the block with respect to the block's soft-max.

        images: normalised. score: a map like layer 5, (B, C, h, w), -> a scalar; what it is given is the block's output
        after the final norm, as if the network ended there. keep: gradient (B, heads, N, N) -> what is returned of it.
        """
        height, width = self.net.patch_embed.dynamic_feat_size(images.shape[-2:])  # type: ignore[operator, union-attr]

        def score_tokens(tokens: torch.Tensor) -> torch.Tensor:
            return score(taps.map_after_block(self.net, tokens, height, width))

        differentiating = attention.differentiating(self.net, score_tokens, keep)
        with torch.inference_mode(False), torch.enable_grad(), attention.explicit(self.net), differentiating as kept:
            self(images.clone())
        return kept

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
    weights.check_form(initial_weights, f"{source}.weights")
    net = _create(name, kwargs, input_size, initial_weights, source)
    weights.load_into(net, name, initial_weights, f"{source}.weights")
    scale = weights.normalisation(net, initial_weights, normalisation)
    return Backbone(net, name, input_size, scale, source, pretrained=initial_weights != "random")


def _create(name: str, kwargs: Mapping[str, Any], input_size: int, initial_weights: str, source: str) -> nn.Module:
    if initial_weights != "timm":
        return create(name, kwargs, input_size, False, source)
    with hub.cached_only_if_unreachable() as reason:
        try:
            net = create(name, kwargs, input_size, True, source)
            hub.check_cached(weights.repository(name), f"{source}.weights")
            return net
        except InputError:
            raise
        except Exception as error:
            # Offline, absent files are OSErrors; anything else is wrong with the weights themselves.
            why = reason if reason is not None and isinstance(error, OSError) else error
            raise weights.not_downloaded(name, why, f"{source}.weights") from error


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
