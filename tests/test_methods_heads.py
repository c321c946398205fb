"""WILDCAT, PRM and ACoL: heads of class maps against numbers computed by hand; what their explainers show."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from fer_bench import classifier, registry
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.explainers import explain, supported
from fer_bench.methods.base import MethodBase

RESNET: dict[str, Any] = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8, "output_stride": 8},
    "input_size": 32,
}


def method(name: str, channels: int = 1, classes: int = 2, **options: Any) -> MethodBase:
    made: MethodBase = registry.plugin("methods", name)(
        channels, classes, registry.settings("methods", name)(**options)
    )
    return made


def set_weights(layer: nn.Module, weight: list[float], bias: list[float]) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight).view_as(layer.weight))
        layer.bias.copy_(torch.tensor(bias))


def network(name: str, **options: Any) -> classifier.Classifier:
    torch.manual_seed(0)
    return classifier.build({**RESNET, "method": name, "method_kwargs": options}).eval()


SQUARE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("correct", [4.9, -0.975]),  # k+ = 2, k- = 1: (8 + 0.6 * 3) / 2 and (-0.75 + 0.6 * -2) / 2
        ("paper", [8.0, -0.75]),  # the mean of the two highest, not halved
    ],
)
def test_wildcat_by_hand(pooling: str, expected: list[float]) -> None:
    head = method("wildcat", modalities=2, kmin=0.25, pooling=pooling)
    set_weights(head.head, [1, 3, -1, 0], [0, 2, 0, 0])  # class 0: modalities 0 and 1; class 1: 2 and 3
    logits, maps = head.score(SQUARE)
    assert maps.tolist() == [[[[3.0, 5.0], [7.0, 9.0]], [[-0.5, -1.0], [-1.5, -2.0]]]]
    assert logits[0].tolist() == pytest.approx(expected)


def test_published_pooling_of_wildcat_reads_neither_kmin_nor_alpha() -> None:
    maps = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    heads = [method("wildcat", pooling="paper", **lowest) for lowest in ({}, {"kmin": 0.9, "alpha": 3.0})]
    heads[1].load_state_dict(heads[0].state_dict())
    assert torch.equal(heads[0].score(maps)[0], heads[1].score(maps)[0])
    assert method("wildcat").settings.pooling == "correct"
    assert method("wildcat").settings.alpha == 0.6


@pytest.mark.parametrize("options", [{}, {"kmin": 0.0}, {"kmin": 0.25, "alpha": 0.0}])
def test_wildcat_without_lowest_values_is_the_mean_of_the_highest(options: dict[str, float]) -> None:
    head = method("wildcat", modalities=1, **options)  # 10 % of four positions round to none
    set_weights(head.head, [1, -1], [0, 0])
    assert head.score(SQUARE)[0].tolist() == [[3.5, -1.5]]


@pytest.mark.parametrize(
    ("side", "highest", "lowest"),
    [
        (7, (25 + 48) / 2, 4 / 2),  # 24.5 -> the 24 highest of 0..48, 4.9 -> the 5 lowest
        (28, (392 + 783) / 2, 77 / 2),  # 392 and 78, as at the resolution of the paper
    ],
)
def test_wildcat_counts_positions_half_to_even(side: int, highest: float, lowest: float) -> None:
    head = method("wildcat", classes=1, modalities=1)
    set_weights(head.head, [1], [0])
    ramp = torch.arange(side * side).flip(0).view(1, 1, side, side).double()
    assert head.double().score(ramp)[0].item() == pytest.approx((highest + 0.6 * lowest) / 2)
    paper = method("wildcat", classes=1, modalities=1, pooling="paper").double()
    paper.load_state_dict(head.state_dict())
    assert paper.score(ramp)[0].item() == pytest.approx(highest)


def test_wildcat_reads_a_map_of_one_position() -> None:
    head = method("wildcat", classes=1, modalities=1)
    set_weights(head.head, [2], [1])
    assert head.score(torch.full((1, 1, 1, 1), 3.0))[0].item() == 7


def test_prm_by_hand() -> None:
    head = method("prm")
    set_weights(head.head, [1, -1], [0, 0.5])
    values = torch.arange(16.0).view(1, 1, 4, 4)
    logits, maps = head.score(values)
    assert torch.equal(maps[0, 0], values[0, 0])
    assert torch.equal(maps[0, 1], 0.5 - values[0, 0])  # bias included
    # windows of 3x3 in a 4x4 map: their maxima are 10, 11, 14, 15; the minima 0, 1, 4, 5
    assert logits.tolist() == [[12.5, 0.5 - 2.5]]


def test_prm_on_a_2x2_map_has_class_maps_and_no_window() -> None:
    head = method("prm")
    set_weights(head.head, [2, -1], [0, 0.5])
    assert head.head(SQUARE).tolist() == [[[[2.0, 4.0], [6.0, 8.0]], [[-0.5, -1.5], [-2.5, -3.5]]]]
    with pytest.raises(RuntimeError, match="too small"):  # `unsuitable` says so before: no padding
        head.score(SQUARE)


def test_prm_of_a_single_window() -> None:
    head = method("prm", classes=1)
    set_weights(head.head, [1], [0.25])
    assert head.score(torch.arange(9.0).view(1, 1, 3, 3))[0].item() == 8.25


def test_prm_refuses_maps_smaller_than_its_window() -> None:
    section = {"backbone": "resnet18", "input_size": 64, "method": "prm"}
    reason = classifier.unsuitable(section)
    assert reason is not None
    assert "3x3 windows, but the last map of resnet18 is 2x2" in reason
    with pytest.raises(InputError, match=r"models: PRM pools over 3x3 windows.*large_maps"):
        classifier.build(section)
    assert classifier.unsuitable({**section, "kwargs": {"large_maps": True}}) is None


def acol_by_hand() -> MethodBase:
    """Both branches pass positive features on unchanged; class 0 counts them, class 1 counts their opposite."""
    head = method("acol", width=1)
    centre = [0.0, 0, 0, 0, 1, 0, 0, 0, 0]
    for branch in (head.branch_a, head.branch_b):
        set_weights(branch[0], centre, [0])
        set_weights(branch[2], centre, [0])
        set_weights(branch[4], [1, -1], [0, 0])
    return head


FACE = torch.tensor([[[[0.0, 10.0], [5.0, 1.0]]]])


def test_acol_by_hand() -> None:
    head = acol_by_hand()
    logits, maps = head.score(FACE)
    assert logits.tolist() == [[4.0, -4.0]]
    assert torch.equal(maps, torch.cat([FACE, -FACE], dim=1))
    # Of label 1 branch A finds -f, in [0, 1]: 1, 0, 0.5, 0.9; what is below 0.1 is left to branch B: the 10.
    parts = head.loss(Output(logits, {5: FACE}, maps), {"labels": torch.tensor([1])})
    assert parts["cross_entropy"].item() == pytest.approx(math.log1p(math.exp(8)))
    assert parts["second_cross_entropy"].item() == pytest.approx(math.log1p(math.exp(5)))
    assert parts["loss"].item() == pytest.approx(math.log1p(math.exp(8)) + math.log1p(math.exp(5)))
    assert torch.equal(parts["logits"], logits)  # branch A alone predicts


def test_acol_erases_from_its_threshold_on() -> None:
    head = acol_by_hand()
    second = head.second_class_maps(FACE, FACE[:, 0])  # class 0: 0, 1, 0.5, 0.1; a tenth is erased too
    assert not second.any()
    kept = method("acol", width=1, threshold=0.6)
    kept.load_state_dict(head.state_dict())
    assert kept.second_class_maps(FACE, FACE[:, 0])[0, 0].tolist() == [[0.0, 0.0], [5.0, 1.0]]
    constant = torch.full((1, 2, 2), 3.0)  # nothing stands out, nothing is erased
    assert torch.equal(head.second_class_maps(FACE, constant)[:, :1], FACE)


def test_acol_weights_both_branches_by_class() -> None:
    head, labels = acol_by_hand(), torch.tensor([1, 0])
    faces = torch.cat([FACE, FACE + 1])
    output = Output(head.score(faces)[0], {5: faces}, head.score(faces)[1])
    weights = torch.tensor([1.0, 3.0])
    single = [
        head.loss(Output(output.logits[[i]], {5: faces[[i]]}, output.class_maps[[i]]), {"labels": labels[[i]]})
        for i in (0, 1)
    ]
    found = head.loss(output, {"labels": labels}, weights)
    for part in ("cross_entropy", "second_cross_entropy"):
        assert found[part].item() == pytest.approx((3 * single[0][part].item() + single[1][part].item()) / 4)


def test_acols_second_branch_teaches_the_backbone_but_not_the_first() -> None:
    head = method("acol", channels=3, classes=4, width=5)
    features = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    logits, maps = head.score(features)
    parts = head.loss(Output(logits, {5: features}, maps), {"labels": torch.tensor([0, 3])})
    parts["second_cross_entropy"].backward()
    assert all(parameter.grad is None for parameter in head.branch_a.parameters())
    assert all(parameter.grad is not None for parameter in head.branch_b.parameters())
    assert features.grad is not None and features.grad.abs().max() > 0


def test_acols_explainer_by_hand() -> None:
    tiny = nn.Module()
    tiny.method = acol_by_hand()
    tiny.head_weight = None
    tiny.forward = lambda images: tiny.method({5: images})
    # class 1: branch A 1, 0, 0.5, 0.9; branch B sees the 10 alone and shows 0, -10, 0, 0: 1, 0, 1, 1
    assert explain(tiny, FACE, torch.tensor([1]), "acol", raw=True).tolist() == [[[1.0, 0.0], [1.0, 1.0]]]
    # class 0: 0, 1, 0.5, 0.1; branch B sees nothing
    found = explain(tiny, FACE, torch.tensor([0]), "acol", raw=True)
    assert found.flatten().tolist() == pytest.approx([0.0, 1.0, 0.5, 0.1])


def test_acols_map_depends_on_the_class_asked_for() -> None:
    acol = network("acol", width=8)
    images, classes = torch.rand(3, 3, 32, 32), torch.tensor([0, 1, 2])
    with torch.no_grad():
        output = acol(images)
        first = output.class_maps[torch.arange(3), classes]
        second = acol.method.second_class_maps(output.features[5], first)[torch.arange(3), classes]

    def stretched(maps: torch.Tensor) -> torch.Tensor:
        low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
        return (maps - low) / (high - low)

    expected = torch.maximum(stretched(first), stretched(second))
    torch.testing.assert_close(explain(acol, images, classes, "acol", raw=True), expected)


@pytest.mark.parametrize("name", ["wildcat", "prm"])
def test_class_maps_are_shown_as_they_are(name: str) -> None:
    head = network(name)
    images, classes = torch.rand(3, 3, 32, 32), torch.tensor([0, 6, 3])
    with torch.no_grad():
        expected = head(images).class_maps[torch.arange(3), classes]
    assert expected.min() < 0 < expected.max()
    assert torch.equal(explain(head, images, classes, "class_maps", raw=True), expected)


@pytest.mark.parametrize(
    ("name", "class_maps", "acol"),
    [
        ("cam", "explainer `cam`", "two branches"),
        ("cutmix", "explainer `cam`", "two branches"),
        ("wildcat", "", "two branches"),
        ("prm", "", "two branches"),
        ("acol", "", ""),
    ],
)
def test_explainers_of_heads_say_where_they_apply(name: str, class_maps: str, acol: str) -> None:
    reasons = supported(network(name, **({"width": 8} if name == "acol" else {})), ["class_maps", "acol"])
    for expected, reason in ((class_maps, reasons["class_maps"]), (acol, reasons["acol"])):
        assert expected in reason
        assert bool(expected) == bool(reason)


@pytest.mark.parametrize("name", ["wildcat", "prm", "acol"])
@pytest.mark.parametrize("explainer", ["gradcam", "gradcampp", "gradcampp_paper", "layercam"])
def test_gradients_of_heads_that_are_not_linear(name: str, explainer: str) -> None:
    """The explainer's gradient is that of the class logit, by differences of the head in double precision."""
    head = network(name, **({"width": 8} if name == "acol" else {})).double()
    images = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        output = head(images)
    last, classes = output.features[5], output.logits.argmax(1)  # classes that are seen somewhere
    gradient = torch.zeros_like(last)
    step = 1e-6
    for place in torch.nonzero(torch.ones_like(last[0])).tolist():
        moved = torch.zeros_like(last)
        moved[(slice(None), *place)] = step
        with torch.no_grad():
            difference = head.logits_from_features(last + moved) - head.logits_from_features(last - moved)
        gradient[(slice(None), *place)] = difference[torch.arange(2), classes] / (2 * step)
    weights = {
        "gradcam": gradient.mean((2, 3), keepdim=True),
        "gradcampp_paper": gradient.relu().pow(3).sum((2, 3), keepdim=True),
        "layercam": gradient.relu(),
        "gradcampp": torch.where(gradient > 1e-12, gradient / (2 + gradient * last.sum((2, 3), keepdim=True)), 0.0).sum(
            (2, 3), keepdim=True
        ),
    }[explainer]
    expected = (weights * last).sum(1).relu()
    found = explain(head, images, classes, explainer, raw=True)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)
    assert expected.max() > 0


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("wildcat", {"head.weight": (35, 2048, 1, 1), "head.bias": (35,)}),
        ("prm", {"head.weight": (7, 2048, 1, 1), "head.bias": (7,)}),
        ("adl", {"head.weight": (7, 2048), "head.bias": (7,)}),
        ("cutmix", {"head.weight": (7, 2048), "head.bias": (7,)}),
        (
            "acol",
            {
                f"branch_{branch}.{layer}": shape
                for branch in "ab"
                for layer, shape in {
                    "0.weight": (1024, 2048, 3, 3),
                    "0.bias": (1024,),
                    "2.weight": (1024, 1024, 3, 3),
                    "2.bias": (1024,),
                    "4.weight": (7, 1024, 1, 1),
                    "4.bias": (7,),
                }.items()
            },
        ),
    ],
)
def test_parameters_have_the_shapes_of_the_published_ones(name: str, shapes: dict[str, tuple[int, ...]]) -> None:
    with torch.device("meta"):
        head = method(name, 2048, 7)
    assert {key: tuple(value.shape) for key, value in head.state_dict().items()} == shapes


@pytest.mark.parametrize("name", ["wildcat", "prm", "acol", "adl", "cutmix"])
def test_heads_start_with_xavier_uniform_weights_and_no_bias(name: str) -> None:
    torch.manual_seed(0)
    head = method(name, 256, 7, **({"width": 64} if name == "acol" else {}))
    for layer in (module for module in head.modules() if isinstance(module, nn.Conv2d | nn.Linear)):
        cells = layer.weight[0, 0].numel()
        bound = math.sqrt(6 / ((layer.weight.shape[0] + layer.weight.shape[1]) * cells))
        assert 0.95 * bound < layer.weight.abs().max() <= bound
        assert not layer.bias.any()
