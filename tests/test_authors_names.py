"""Names and shapes of the released files, against networks of torchvision and lists written by hand."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from fer_bench import classifier
from fer_bench.authors import tensors
from fer_bench.authors.catalog import RELEASES, Release
from fer_bench.authors.names import published_names
from fer_bench.authors.survey import section
from fer_bench.errors import InputError

RESNETS = [release for release in RELEASES if release.encoder == "resnet50"]
BY_MODEL = {release.model: release for release in RELEASES}
HEADS = {
    "cam": {"fc.weight": (7, 2048), "fc.bias": (7,)},
    "wildcat": {"to_modalities.weight": (35, 2048, 1, 1), "to_modalities.bias": (35,)},
    "prm": {"conv.weight": (7, 2048, 1, 1), "conv.bias": (7,)},
    "acol": {
        f"acol_pooler.classifier_{branch}.{place}.{kind}": shape if kind == "weight" else shape[:1]
        for branch in "AB"
        for place, shape in {0: (1024, 2048, 3, 3), 2: (1024, 1024, 3, 3), 4: (7, 1024, 1, 1)}.items()
        for kind in ("weight", "bias")
    },
}
HEADS |= {"adl": HEADS["cam"], "cutmix": HEADS["cam"]}
NORM = {"weight": 0, "bias": 0, "running_mean": 0, "running_var": 0, "num_batches_tracked": None}


def published(release: Release) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the file that our network of full size is filled from."""
    described = {key: value for key, value in section(release).items() if key not in ("explainers", "train", "label")}
    with torch.device("meta"):
        state = classifier.build({**described, "method_kwargs": release.fixed}).state_dict()
    names = published_names(release, state)
    assert set(names) == set(state) - {"mean", "std"} and len(set(names.values())) == len(names)
    return {theirs: tuple(state[ours].shape) for ours, theirs in names.items()}


def resnet50(release: Release) -> nn.Module:
    """torchvision's, with ADL's modules in the lists of blocks as the published code inserts them."""
    with torch.device("meta"):
        net = torchvision.models.resnet50()
    if release.method == "adl":
        for stage, places in ((net.layer3, [0]), (net.layer4, [0, 2])):
            for place in reversed(places):
                stage.insert(place + 1, nn.Identity())
    return net


@pytest.mark.parametrize("release", RESNETS, ids=lambda release: release.model)
def test_resnets_are_torchvisions_and_heads_as_published(release):
    found = published(release)
    encoder = {
        f"encoder.{name}": tuple(value.shape)
        for name, value in resnet50(release).state_dict().items()
        if not name.startswith("fc.")
    }
    head = {f"classification_head.{name}": shape for name, shape in HEADS[release.method].items()}
    assert found == encoder | head


def test_tscam_has_the_names_of_a_small_deit_and_a_convolution():
    block = {
        "norm1.weight": (384,), "norm1.bias": (384,), "attn.qkv.weight": (1152, 384), "attn.qkv.bias": (1152,),
        "attn.proj.weight": (384, 384), "attn.proj.bias": (384,), "norm2.weight": (384,), "norm2.bias": (384,),
        "mlp.fc1.weight": (1536, 384), "mlp.fc1.bias": (1536,), "mlp.fc2.weight": (384, 1536), "mlp.fc2.bias": (384,),
    }  # fmt: skip
    expected = {f"blocks.{number}.{name}": shape for number in range(12) for name, shape in block.items()}
    expected |= {"cls_token": (1, 1, 384), "pos_embed": (1, 197, 384), "norm.weight": (384,), "norm.bias": (384,)}
    expected |= {"patch_embed.proj.weight": (384, 3, 16, 16), "patch_embed.proj.bias": (384,)}
    expected |= {"head.weight": (7, 384, 3, 3), "head.bias": (7,)}
    assert published(BY_MODEL["authors_tscam"]) == expected


def normed(prefix: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}.{name}": () if size is None else (channels,) for name, size in NORM.items()}


def unit(prefix: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    found = normed(f"{prefix}.res_layer.0", inputs) | {f"{prefix}.res_layer.1.weight": (outputs, inputs, 3, 3)}
    found |= {f"{prefix}.res_layer.2.weight": (outputs,), f"{prefix}.res_layer.3.weight": (outputs, outputs, 3, 3)}
    found |= normed(f"{prefix}.res_layer.4", outputs)
    if inputs != outputs:
        found |= {f"{prefix}.shortcut_layer.0.weight": (outputs, inputs, 1, 1)}
        found |= normed(f"{prefix}.shortcut_layer.1", outputs)
    return found


def test_apvit_has_the_names_of_its_extractor_transformer_and_head():
    expected = {"extractor.input_layer.0.weight": (64, 3, 3, 3), "extractor.input_layer.2.weight": (64,)}
    expected |= normed("extractor.input_layer.1", 64)
    inputs = 64
    for stage, (units, channels) in enumerate([(3, 64), (4, 128), (14, 256)]):
        for number in range(units):
            expected |= unit(f"extractor.body.{stage}.{number}", inputs, channels)
            inputs = channels
    block = {
        "norm1.weight": (768,), "norm1.bias": (768,), "attn.qkv.weight": (2304, 768), "attn.proj.weight": (768, 768),
        "attn.proj.bias": (768,), "norm2.weight": (768,), "norm2.bias": (768,), "mlp.fc1.weight": (2304, 768),
        "mlp.fc1.bias": (2304,), "mlp.fc2.weight": (768, 2304), "mlp.fc2.bias": (768,),
    }  # fmt: skip
    expected |= {f"vit.blocks.{number}.{name}": shape for number in range(8) for name, shape in block.items()}
    expected |= {"vit.projs.0.weight": (768, 256, 1, 1), "vit.projs.0.bias": (768,), "vit.cls_token": (1, 1, 768)}
    expected |= {"vit.cls_pos_embed": (1, 1, 768), "vit.patch_pos_embed": (1, 196, 768)}
    expected |= {"vit.norm.weight": (768,), "vit.norm.bias": (768,)}
    expected |= {"classification_head.fc.weight": (7, 768), "classification_head.fc.bias": (7,)}
    assert published(BY_MODEL["authors_apvit"]) == expected


def randomised(module: nn.Module, seed: int) -> nn.Module:
    """Values for a network on the meta device: small weights, statistics near those of normalised features."""
    torch.manual_seed(seed)
    made = module.to_empty(device="cpu").eval()
    for name, value in made.state_dict().items():
        if value.is_floating_point():
            low = 0.95 if name.endswith("running_var") else -0.05
            value.uniform_(low, low + 0.1)
        else:
            value.zero_()
    return made


@pytest.mark.parametrize(("large_maps", "size"), [(True, (8, 8)), (False, (2, 2))])
def test_adl_computes_what_the_published_network_computes(large_maps, size):
    """The published file of a network of torchvision's, with ADL's places in the lists of blocks, read into ours."""
    release = BY_MODEL["authors_adl"]
    theirs = randomised(resnet50(release), seed=1)
    stages = [nn.Sequential(theirs.conv1, theirs.bn1, theirs.relu, theirs.maxpool, theirs.layer1), theirs.layer2]
    stages += [theirs.layer3, theirs.layer4]
    for stage in stages[2:] if large_maps else ():
        stage[0].conv2.stride = stage[0].downsample[0].stride = (1, 1)
    published_file = {f"encoder.{name}": value for name, value in theirs.state_dict().items() if name[:3] != "fc."}
    head = torch.randn(7, 2048) * 0.05
    published_file |= {"classification_head.fc.weight": head, "classification_head.fc.bias": torch.arange(7.0)}
    described = {"backbone": release.backbone, "kwargs": {"large_maps": large_maps}, "method": release.method}
    with torch.device("meta"):
        ours = classifier.build({**described, "input_size": 64})
    ours = randomised(ours, seed=2)
    names = published_names(release, ours.state_dict())
    state = tensors.fitted(published_file, names, ours.state_dict(), Path("model.pt"))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    ours.load_state_dict(state | {"mean": mean.view(1, 3, 1, 1), "std": std.view(1, 3, 1, 1)})
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        features = nn.Sequential(*stages)((images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
        output = ours(images)
    assert features.shape[-2:] == size and features.std() > 1e-3
    torch.testing.assert_close(output.features[5], features)
    torch.testing.assert_close(output.logits, features.mean((2, 3)) @ head.T + torch.arange(7.0))


def test_a_name_of_another_network_is_refused():
    with pytest.raises(InputError, match=r"'method\.other' is no parameter of a released network"):
        published_names(BY_MODEL["authors_cam"], ["method.other"])
