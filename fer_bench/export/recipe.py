"""How an exported network is loaded with timm alone, where its head is average pooling and a linear layer."""

import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch

from fer_bench.backbones.create import LARGE_MAPS
from fer_bench.classifier import Classifier
from fer_bench.trained import Trained

NET, HEAD = "backbone.net.", "method.head."  # beginnings of the names of the weights
_OWN = ("ir50",)  # backbones that timm knows only after fer_bench is imported


@dataclass(frozen=True)
class Recipe:
    """code: of load.py. architecture, kwargs: for timm.create_model."""

    code: str
    architecture: str
    kwargs: dict[str, Any]


def of(classifier: Classifier) -> Recipe | None:
    """Return the recipe, or None where timm lacks a part of the network: see `reason`."""
    if reason(classifier):
        return None
    section = classifier.section
    kwargs = {key: value for key, value in section.kwargs.items() if key != LARGE_MAPS}
    known = timm.get_pretrained_cfg(section.backbone, allow_unregistered=True)
    if known and known.fixed_input_size:
        kwargs.setdefault("img_size", section.input_size)
    return Recipe(_code(classifier, kwargs), section.backbone, kwargs)


def reason(classifier: Classifier) -> str:
    """Say why timm alone is not enough, "" where it is."""
    section, method = classifier.section, classifier.method
    if section.backbone.partition(".")[0] in _OWN:
        return f"the backbone {section.backbone} is none of timm's"
    if section.self_attention:
        return "features are multiplied by their channel mean between layers"
    if not isinstance(getattr(classifier.backbone.net, "fc_norm", None), torch.nn.Identity | None):
        return f"the final norm of {section.backbone} is applied to every patch instead of the pooled features"
    if method.head_weight is None or not isinstance(getattr(method, "head", None), torch.nn.Linear):
        return f"the head of the method {section.method} is more than average pooling and a linear layer"
    return ""


def config(trained: Trained, plain: Recipe | None) -> dict[str, Any]:
    """Keys of config.json for those who load the weights without fer_bench, as timm's own files call them."""
    how, classifier = trained.about.preparation, trained.classifier
    known = {"architecture": plain.architecture, "model_args": plain.kwargs} if plain else {}
    return {
        **known,
        "num_classes": classifier.num_classes,
        "label_names": list(trained.about.expressions),
        "pretrained_cfg": {
            "input_size": [3, how.input_size, how.input_size],
            "mean": classifier.mean.flatten().tolist(),
            "std": classifier.std.flatten().tolist(),
        },
    }


def run(loader: Path, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Run a loader that was written: images (B, 3, S, S) in [0, 1] -> logits (B, K), attention (B, h, w)."""
    found: tuple[torch.Tensor, torch.Tensor] = runpy.run_path(str(loader))["predict"](images)
    return found


def _code(classifier: Classifier, kwargs: dict[str, Any]) -> str:
    side = classifier.section.input_size
    lines = [
        "import json",
        "from pathlib import Path",
        "",
        "import timm",
        "import torch",
        "from safetensors.torch import load_file",
        "",
        "folder = Path(__file__).parent",
        'config = json.loads((folder / "config.json").read_text())',
        'state = load_file(folder / "model.safetensors")',
        'net = timm.create_model(config["architecture"], num_classes=0, **config["model_args"]).eval()',
        *(_LARGE if classifier.section.kwargs.get(LARGE_MAPS) else []),
        f'own = {{key.removeprefix("{NET}"): value for key, value in state.items() if key.startswith("{NET}")}}',
        _loading(classifier, kwargs),
        "",
        "",
        "@torch.no_grad()",
        f"def predict(images):  # (B, 3, {side}, {side}), RGB in [0, 1] -> logits (B, K), attention (B, h, w)",
        '    features = net.forward_features((images - state["mean"]) / state["std"])',
        *_layout(classifier),
        f'    logits = features.mean((2, 3)) @ state["{HEAD}weight"].T + state["{HEAD}bias"]',
        "    return logits, features.mean(1)",
    ]
    return "\n".join(lines) + "\n"


_LARGE = [
    "for part in [*net.layer3[0].modules(), *net.layer4[0].modules()]:  # maps stay large: no stride, no dilation",
    '    if getattr(part, "stride", 1) in (2, (2, 2)):',
    "        part.stride = 1",
    "        if isinstance(part, torch.nn.AvgPool2d):",
    "            part.kernel_size = 1",
]


def _loading(classifier: Classifier, kwargs: dict[str, Any]) -> str:
    """Load strictly, unless timm's network has parts behind the last features, which fer_bench leaves out."""
    net = timm.create_model(classifier.section.backbone, num_classes=0, **kwargs)
    missing = set(net.state_dict()) - set(classifier.backbone.net.state_dict())
    if not missing:
        return "net.load_state_dict(own)"
    return "assert not net.load_state_dict(own, strict=False).unexpected_keys  # parts behind the features are not used"


def _layout(classifier: Classifier) -> list[str]:
    """Lines that bring timm's features to (B, C, h, w)."""
    net, (height, width) = classifier.backbone.net, classifier.backbone.map_sizes[max(classifier.layers)]
    side = classifier.section.input_size
    with torch.no_grad():
        found = net.forward_features(torch.zeros(1, 3, side, side))  # type: ignore[operator]
    if found.ndim == 3:
        first = found.shape[1] - height * width
        return [f"    features = features[:, {first}:].transpose(1, 2).unflatten(2, ({height}, {width}))"]
    if getattr(net, "output_fmt", "NCHW") == "NHWC":
        return ["    features = features.permute(0, 3, 1, 2)"]
    return []
