"""Every method on a variety of backbones, with and without guidance: it trains, or says why it cannot."""

import copy
from functools import cache
from typing import Any

import pytest
import torch

from fer_bench import classifier, registry
from fer_bench.guidance import au
from fer_bench.model_settings import ModelSettings
from fer_bench.network import Classifier
from fer_bench.validation import validate

# family -> section: small members, made smaller where kwargs allow; last maps from 2x2 to 8x8
BACKBONES: dict[str, dict[str, Any]] = {
    "resnet": {
        "backbone": "resnet26",
        "kwargs": {"channels": [8, 8, 12, 16], "stem_width": 8, "output_stride": 8},
        "input_size": 32,
    },
    "resnet, large maps": {"backbone": "resnet18", "kwargs": {"channels": [8, 8, 8, 8], "large_maps": True}},
    "vgg": {"backbone": "vgg11", "kwargs": {"mlp_ratio": 0.001}, "input_size": 96},
    "inception": {"backbone": "inception_v3", "input_size": 112},
    "convnext": {"backbone": "convnext_atto", "kwargs": {"dims": [8, 16, 24, 32], "depths": [1, 1, 2, 2]}},
    "efficientnet": {"backbone": "efficientnet_b0", "kwargs": {"output_stride": 8}, "input_size": 32},
    "swin": {"backbone": "swin_tiny_patch4_window7_224", "kwargs": {"embed_dim": 24, "depths": [1, 1, 2, 2]}},
    "ir50": {"backbone": "ir50", "kwargs": {"channels": [8, 12, 16], "depths": [1, 2, 2]}},
    "deit": {"backbone": "deit_tiny_patch16_224", "kwargs": {"patch_size": 8, "depth": 3}, "input_size": 32},
    "deit, distilled": {"backbone": "deit_tiny_distilled_patch16_224", "kwargs": {"depth": 2}},
    "vit, registers": {"backbone": "vit_small_patch14_reg4_dinov2", "kwargs": {"depth": 2}, "input_size": 56},
    "beit": {"backbone": "beit_base_patch16_224", "kwargs": {"depth": 2, "embed_dim": 48, "num_heads": 2}},
    "xcit": {"backbone": "xcit_nano_12_p8_224", "kwargs": {"depth": 2, "embed_dim": 24, "num_heads": 2}},
}
# Heads whose defaults are made for a ResNet50, at a size that tests can afford.
SMALL: dict[str, dict[str, Any]] = {
    "acol": {"width": 8},
    "adl": {"drop_threshold": 1.0},  # a tenth may leave nothing of an untrained network's flat attention
    "apvit": {"dim": 16, "depth": 2, "heads": 2, "pooled_blocks": [2]},
}
ALIKE = ("deit", "deit, distilled", "vit, registers", "beit", "xcit")  # blocks of one resolution
WITH_CLASS_TOKEN = ("deit", "deit, distilled", "vit, registers", "beit")
REFUSED = {
    **{("adl", family): "has no stages" for family in ALIKE},
    **{("tscam", family): "gives no class-token attention" for family in BACKBONES if family not in WITH_CLASS_TOKEN},
    **{("prm", family): "3x3 windows" for family in ("convnext", "swin", "inception")},
}


def section(method: str, family: str) -> dict[str, Any]:
    return {"input_size": 64, **BACKBONES[family], "method": method, "method_kwargs": SMALL.get(method, {})}


@cache
def plain(family: str) -> Classifier:
    torch.manual_seed(0)
    return classifier.build(section("cam", family))


def build(method: str, family: str) -> Classifier:
    """What `classifier.build` puts together, on a copy of a backbone that is made once for all methods."""
    described, backbone = section(method, family), copy.deepcopy(plain(family).backbone)
    options = validate(registry.settings("methods", method), described["method_kwargs"], method)
    torch.manual_seed(0)
    head = registry.plugin("methods", method).for_backbone(backbone, 7, options)
    if method == "apvit":
        torch.nn.init.normal_(head.head.weight)  # the published zeros pass no gradient to the backbone
    return Classifier(ModelSettings(**described), backbone, head, backbone.layers)


def gradients(network: Classifier, batch: dict[str, torch.Tensor], guided: bool) -> torch.Tensor:
    """One training step's gradient to the backbone; every parameter that can learn has one."""
    torch.manual_seed(1)
    network.zero_grad()
    output = network.train()(batch["images"])
    parts = network.method.loss(output, batch)
    loss = parts["loss"]
    if guided:
        term = au.Guidance(au.Settings(weight=4.0)).loss(output, batch["maps"], batch["valid"])
        assert term > 0
        loss = loss + term
    assert torch.isfinite(loss)
    assert parts["logits"].shape == (3, 7)
    loss.backward()
    learning = {name: value for name, value in network.named_parameters() if value.requires_grad}
    assert not [name for name, value in learning.items() if value.grad is None or not value.grad.isfinite().all()]
    return torch.cat([v.grad.flatten() for name, v in learning.items() if name.startswith("backbone.")])


@pytest.mark.parametrize("family", BACKBONES)
@pytest.mark.parametrize("method", registry.names("methods"))
def test_it_trains_with_and_without_guidance_or_says_why_not(method: str, family: str) -> None:
    described = section(method, family)
    reason = classifier.unsuitable(described)
    if (method, family) in REFUSED:
        assert REFUSED[method, family] in str(reason)
        return
    assert reason is None
    network = build(method, family)
    size = described["input_size"]
    batch = {
        "images": torch.rand(3, 3, size, size),
        "labels": torch.tensor([1, 2, 0]),
        "maps": torch.rand(3, size, size),
        "valid": torch.tensor([True, True, False]),
    }
    batch = network.method.prepare_batch(batch, torch.Generator().manual_seed(5))
    without, guided = gradients(network, batch, guided=False), gradients(network, batch, guided=True)
    assert without.any() and not torch.equal(without, guided)
