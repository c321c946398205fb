"""ADL: masks by hand, places in the backbone, draws, and the two mistakes of the published code on request."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fer_bench import classifier
from fer_bench.explainers import explain, supported
from fer_bench.guidance import alignment_loss
from fer_bench.methods.adl import Method, Settings

# as many blocks a stage as a ResNet50, none of them an identity at the start
RESNET: dict[str, Any] = {
    "backbone": "resnet34",
    "kwargs": {"channels": [8, 8, 12, 16], "output_stride": 8, "zero_init_last": False},
    "input_size": 32,
}


def network(backbone: dict[str, Any] = RESNET, weights: str = "random", **options: Any) -> classifier.Classifier:
    torch.manual_seed(0)
    section = {**backbone, "method": "adl", "method_kwargs": options, "weights": weights}
    return classifier.build(section)


def module(**options: Any) -> Method:
    return Method(2, 2, Settings(**options)).train()


# attention of the first face: 10, 1, 0.9, 0; of the second: -1, -2, -3, -4
FEATURES = torch.tensor(
    [[[[8.0, 2.0], [0.9, -1.0]], [[12.0, 0.0], [0.9, 1.0]]], [[[-1.0, -2.0], [-3.0, -4.0]]] * 2],
)


def test_drop_mask_by_hand() -> None:
    """What is below a tenth of the strongest attention stays, the rest goes; a tenth itself goes too."""
    dropped = module(drop_rate=1.0).drop(FEATURES)
    assert dropped[0].tolist() == [[[0.0, 0.0], [pytest.approx(0.9), -1.0]], [[0.0, 0.0], [pytest.approx(0.9), 1.0]]]
    assert torch.equal(dropped[1], torch.where(FEATURES[1] < -0.1, FEATURES[1], 0.0))  # 0.1 * -1: all are below


def test_importance_map_by_hand() -> None:
    stressed = module(drop_rate=0.0).drop(FEATURES)
    importance = torch.tensor([[10.0, 1.0], [0.9, 0.0]]).sigmoid()
    torch.testing.assert_close(stressed[0], FEATURES[0] * importance)
    torch.testing.assert_close(stressed[1], FEATURES[1] * FEATURES[1, 0].sigmoid())


def test_tokens_are_treated_like_positions() -> None:
    for rate in (0.0, 1.0):
        adl = module(drop_rate=rate)
        assert torch.equal(adl.drop(FEATURES.flatten(2)), adl.drop(FEATURES).flatten(2))


def test_one_draw_for_the_whole_batch() -> None:
    adl = module()
    hidden, stressed = module(drop_rate=1.0).drop(FEATURES), module(drop_rate=0.0).drop(FEATURES)
    torch.manual_seed(0)
    draws = torch.rand(2000)
    torch.manual_seed(0)
    found = [adl.drop(FEATURES) for _ in range(2000)]
    for draw, output in zip(draws, found, strict=True):
        assert torch.equal(output, hidden if draw < 0.4 else stressed)
    assert 0.37 < (draws < 0.4).float().mean() < 0.43


def test_gradient_of_importance_reaches_the_attention() -> None:
    features = FEATURES.clone().requires_grad_()
    module(drop_rate=0.0).drop(features).sum().backward()
    # d/df of sum_c f_c * sigmoid(mean f) = sigmoid(a) + mean(f) * sigmoid'(a)
    attention = FEATURES.mean(1, keepdim=True)
    share = attention.sigmoid()
    torch.testing.assert_close(features.grad, (share + attention * share * (1 - share)).expand_as(FEATURES))


def test_guidance_survives_a_map_that_is_dropped_altogether() -> None:
    """Constant attention is nowhere below a tenth of its maximum: nothing is left, and no gradient is infinite."""
    features = torch.ones(2, 3, 4, 4, requires_grad=True)
    dropped = module(drop_rate=1.0).drop(features)
    assert not dropped.any()
    loss = alignment_loss({5: dropped}, torch.rand(2, 8, 8), torch.ones(2).bool(), ["last"])
    loss.backward()
    assert loss.item() == 1
    assert features.grad is not None and not features.grad.any()


def test_modules_stand_where_the_paper_has_them() -> None:
    adl, images = network(drop_rate=0.0).train(), torch.rand(2, 3, 32, 32)
    for layer in adl.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()
    net, stress = adl.backbone.net, adl.method.drop
    with torch.no_grad():
        output = adl(images)
        third = net.layer2(net.layer1(net.maxpool(torch.relu(net.bn1(net.conv1(images))))))
        fourth = stress(net.layer3[0](third))
        for block in net.layer3[1:]:
            fourth = block(fourth)
        last = stress(net.layer4[0](fourth))
        for block in net.layer4[1:]:
            last = block(last)
        last = stress(last)
    torch.testing.assert_close(output.features[3], third)
    torch.testing.assert_close(output.features[4], fourth)
    torch.testing.assert_close(output.features[5], last)  # what guidance sees is behind the last module
    torch.testing.assert_close(output.logits, adl.method.score(last)[0])


def _recorded(adl: classifier.Classifier) -> list[torch.Size]:
    """Fill a list with the shape of what each module is given from now on."""
    calls: list[torch.Size] = []
    drop = adl.method.drop

    def recorded(features: torch.Tensor) -> torch.Tensor:
        calls.append(features.shape)
        return drop(features)

    adl.method.drop = recorded
    return calls


def test_a_stage_of_one_block_gets_one_module() -> None:
    single = {"backbone": "resnet10t", "kwargs": {"channels": [8, 8, 12, 16], "output_stride": 8}, "input_size": 32}
    for backbone, expected in ((single, [12, 16]), (RESNET, [12, 16, 16])):
        adl = network(backbone).train()
        calls = _recorded(adl)
        adl(torch.rand(2, 3, 32, 32))
        assert [shape[1] for shape in calls] == expected


def test_in_evaluation_it_is_the_plain_network() -> None:
    adl = network().eval()
    torch.manual_seed(0)
    cam = classifier.build({**RESNET, "method": "cam"}).eval()
    assert list(adl.state_dict()) == list(cam.state_dict())
    images = torch.rand(2, 3, 32, 32)
    state = torch.get_rng_state()
    assert torch.equal(adl(images).logits, cam(images).logits)
    assert torch.equal(torch.get_rng_state(), state)
    assert adl.head_weight is adl.method.head.weight


def test_the_global_seed_decides_the_draws() -> None:
    adl, images = network().train(), torch.rand(4, 3, 32, 32)
    found = []
    for seed in (1, 1, *range(2, 12)):
        torch.manual_seed(seed)
        with torch.no_grad():
            found.append(adl(images).features[5])
    assert torch.equal(found[0], found[1])
    assert any(not torch.equal(found[0], other) for other in found[2:])


def test_copies_and_pickles_work_by_themselves() -> None:
    adl, images = network(cam_block="paper").train(), torch.rand(2, 3, 32, 32)
    adl(images)
    twin = copy.deepcopy(adl).eval()
    buffer = io.BytesIO()
    torch.save(adl, buffer)
    buffer.seek(0)
    stored = torch.load(buffer, weights_only=False).eval()
    assert torch.equal(twin(images).logits, adl.eval()(images).logits)
    assert torch.equal(stored(images).logits, adl(images).logits)
    torch.manual_seed(0)
    trained = twin.train()(images).features[5]
    assert not adl.training
    assert not torch.equal(trained, twin.eval()(images).features[5])


@pytest.mark.parametrize(
    ("name", "size", "kwargs"),
    [
        ("convnextv2_atto", 64, {}),
        ("efficientnet_b0", 64, {}),
        ("swin_tiny_patch4_window7_224", 64, {"embed_dim": 48, "depths": [1, 1, 2, 2]}),
        ("pvt_v2_b0", 64, {}),
    ],
)
def test_it_runs_on_other_networks_in_stages(name: str, size: int, kwargs: dict[str, Any]) -> None:
    adl = network({"backbone": name, "kwargs": kwargs, "input_size": size}).train()
    calls = _recorded(adl)
    output = adl(torch.rand(2, 3, size, size))
    adl.method.loss(output, {"labels": torch.tensor([0, 1])})["loss"].backward()
    assert len(calls) == 3
    assert all(value.grad is not None for value in adl.parameters() if value.requires_grad)


@pytest.mark.parametrize(
    ("backbone", "options", "reason"),
    [
        ("vit_tiny_patch16_224", {}, "ADL cannot run on vit_tiny_patch16_224: VisionTransformer has no stages"),
        ("xception41", {}, "it has 1 stage of blocks, two are needed"),
        ("convnext_atto", {"loading": "paper"}, "repeat what happens to a ResNet, not convnext_atto"),
        ("convnext_atto", {"cam_block": "paper"}, "repeat what happens to a ResNet, not convnext_atto"),
        ("resnet10t", {"cam_block": "paper"}, "reads the second block of layer4, and resnet10t has one block there"),
    ],
)
def test_what_cannot_work_says_why(backbone: str, options: dict[str, str], reason: str) -> None:
    section = {"backbone": backbone, "input_size": 64, "method": "adl", "method_kwargs": options}
    assert reason in str(classifier.unsuitable(section))


def test_options_of_the_published_code_are_accepted_by_resnets() -> None:
    options = {"loading": "paper", "cam_block": "paper"}
    for backbone in ("resnet18", "resnet50"):
        assert classifier.unsuitable({"backbone": backbone, "method": "adl", "method_kwargs": options}) is None


def _numbered(folder: Path) -> Path:
    """Weights whose values in layer3 and layer4 are the number of their block plus one."""
    torch.manual_seed(5)
    state = dict(classifier.build(RESNET).backbone.net.state_dict())
    for key, value in state.items():
        stage, _, rest = key.partition(".")
        if stage in ("layer3", "layer4") and "num_batches" not in key:
            state[key] = torch.full_like(value, int(rest.partition(".")[0]) + 1)
    save_file(state, folder / "numbered.safetensors")
    return folder / "numbered.safetensors"


def _block_values(adl: classifier.Classifier, stage: str) -> list[float | None]:
    """The number in each block's first weight, None where it is random."""
    weights = [block.conv1.weight for block in getattr(adl.backbone.net, stage)]
    return [value.flatten()[0].item() if (value == value.flatten()[0]).all() else None for value in weights]


def test_loading_as_published_shifts_the_blocks(tmp_path: Path) -> None:
    file = f"file:{_numbered(tmp_path)}"
    correct, paper = network(weights=file), network(weights=file, loading="paper")
    assert _block_values(correct, "layer3") == [1, 2, 3, 4, 5, 6]
    assert _block_values(correct, "layer4") == [1, 2, 3]
    assert _block_values(paper, "layer3") == [1, 3, 4, 5, 6, None]  # block 1 of the file is unused
    assert _block_values(paper, "layer4") == [1, 3, None]
    for stage in ("layer3", "layer4"):
        last = getattr(paper.backbone.net, stage)[-1]
        deviation = (2 / (last.conv2.out_channels * 9)) ** 0.5
        assert last.conv2.weight.std().item() == pytest.approx(deviation, rel=0.1)
        assert (last.bn2.weight == 1).all() and (last.bn2.running_var == 1).all() and not last.bn2.running_mean.any()
    for name, value in correct.backbone.net.state_dict().items():
        if not name.startswith(("layer3", "layer4")):
            assert torch.equal(value, paper.backbone.net.state_dict()[name])
    classifier.save(paper, tmp_path / "saved")
    loaded = classifier.load_folder(tmp_path / "saved")
    assert all(torch.equal(value, paper.state_dict()[key]) for key, value in loaded.state_dict().items())


def test_loading_as_published_means_nothing_without_pretrained_weights() -> None:
    one, other = network(), network(loading="paper")
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


def test_cam_as_published_reads_the_second_block_of_layer4() -> None:
    paper, correct = network(cam_block="paper").eval(), network().eval()
    images, classes = torch.rand(2, 3, 32, 32), torch.tensor([2, 4])
    net = paper.backbone.net
    with torch.no_grad():
        output = paper(images)
        second = net.layer4[1](net.layer4[0](output.features[4]))
    weight = paper.method.head.weight.detach()
    expected = torch.einsum("kc,bchw->bkhw", weight, second)
    torch.testing.assert_close(output.class_maps, expected)
    assert torch.equal(output.logits, correct(images).logits)
    of_class = expected[torch.arange(2), classes]
    for explainer in ("cam", "class_maps"):
        torch.testing.assert_close(explain(paper, images, classes, explainer, raw=True), of_class)
    assert not torch.allclose(explain(correct, images, classes, "cam", raw=True), of_class, atol=1e-3)
    for explainer in ("gradcam", "layercam"):
        found = explain(paper, images, classes, explainer, raw=True)
        torch.testing.assert_close(found, explain(correct, images, classes, explainer, raw=True))
    assert supported(correct, ["class_maps"])["class_maps"]
