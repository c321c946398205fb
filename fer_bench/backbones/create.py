"""Makes a timm network from its name and keyword arguments, with one clear line when that cannot work."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import timm
from torch import nn

import fer_bench.backbones.ir50  # noqa: F401  registers itself with timm
from fer_bench.backbones.large_maps import enlarge
from fer_bench.errors import InputError

LARGE_MAPS = "large_maps"  # the one keyword of ours among timm's
_MISTAKES = (TypeError, AssertionError, ValueError, KeyError, AttributeError)  # how timm reports wrong kwargs


def create(name: str, kwargs: Mapping[str, Any], input_size: int, pretrained: bool, source: str) -> nn.Module:
    """Return the network without its classifier; `source` is where the section stands, e.g. `params.yaml: models.x`.

    Networks of a fixed input size get `img_size=input_size` unless kwargs name another. Initial weights are drawn
    from torch's global generator.
    """
    check_name(name, source)
    arguments = {key: _as_tuple(value) for key, value in kwargs.items() if key != LARGE_MAPS}
    if _fixed_size(name):
        arguments.setdefault("img_size", input_size)
    try:
        net = _create(name, arguments, pretrained)
    except _MISTAKES as error:
        if pretrained and not isinstance(error, TypeError | AssertionError):
            raise  # about the download, not about kwargs
        raise InputError(f"{source}.kwargs: timm cannot build {name} with {dict(kwargs)}: {_line(error)}") from error
    if kwargs.get(LARGE_MAPS):
        enlarge(net, source)
    return net


def check_name(name: str, source: str) -> None:
    """Raise InputError with the nearest names unless timm knows the architecture (a pretrained tag is allowed)."""
    if timm.is_model(name):
        return
    near = get_close_matches(name.partition(".")[0], timm.list_models(), n=5)
    hint = f"did you mean one of {', '.join(near)}? " if near else ""
    raise InputError(f"{source}.backbone: timm has no network {name!r}; {hint}`timm.list_models()` lists them all")


def _create(name: str, arguments: dict[str, Any], pretrained: bool) -> nn.Module:
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0, **arguments)
    except TypeError as error:  # a few networks of fixed size take no img_size: the probe decides whether they fit
        if "img_size" not in str(error):
            raise
    return timm.create_model(
        name, pretrained=pretrained, num_classes=0, **{k: v for k, v in arguments.items() if k != "img_size"}
    )


def _fixed_size(name: str) -> bool:
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return bool(config and config.fixed_input_size)


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
