"""XGradCAM, EigenCAM, Smooth GradCAM++ and ScoreCAM against the `grad-cam` package and against plain loops."""

import copy

import numpy as np
import pytest
import torch
from grad_cam_package import package_map
from pytorch_grad_cam import EigenCAM, GradCAM, LayerCAM, ScoreCAM, XGradCAM
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection_with_sign_correction
from torch import nn

from fer_bench import classifier, registry
from fer_bench.explainers import explain, explain_all
from fer_bench.explainers.eigencam import projections
from fer_bench.methods.cam import Method
from fer_bench.metrics import cosine
from fer_bench.minmax import min_max

CLASSES = torch.tensor([0, 2, 5, 6, 1, 3])


class Squares(Method):
    """Averages squares: its gradient depends on the features, and no closed form applies."""

    head_weight = None

    def score(self, last):
        return self.head(last.square().mean((2, 3))), None


def build(method=Method):
    """A small network whose channels differ from one another, as those of a trained one do."""
    torch.manual_seed(3)
    kwargs = {"channels": [16, 32, 48, 40], "stem_width": 16, "output_stride": 8}
    network = classifier.build({"backbone": "resnet10t", "kwargs": kwargs, "input_size": 64})
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # the statistics become those of one batch
        nn.init.normal_(norm.weight, 1, 0.3)
        nn.init.normal_(norm.bias, 0, 0.3)
    with torch.no_grad():
        network(coarse_images(16, seed=2))
    network.method = method(network.method.channels, 7, network.method.settings)
    nn.init.normal_(network.method.head.weight)  # differing logits: soft-max weights far from uniform
    return network.eval()


def coarse_images(count, seed):
    """Random 8x8 colours, (count, 3, 64, 64) smooth."""
    colours = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(colours, (64, 64), mode="bicubic").clamp(0, 1)


@pytest.fixture(scope="module")
def linear():
    return build()


@pytest.fixture(scope="module")
def squares():
    return build(Squares)


@pytest.fixture(scope="module")
def images():
    return coarse_images(6, seed=1)


def features_of(network, images):
    with torch.no_grad():
        return network(images).features[5]


def gradient_of(network, images, classes):
    """Features, and gradients of the class logits to them, by plain autograd."""
    last = features_of(network, images).requires_grad_()
    score = network.logits_from_features(last)[torch.arange(len(images)), classes].sum()
    return last.detach(), torch.autograd.grad(score, last)[0]


@pytest.fixture(scope="module", params=["linear", "squares"])
def either(request, linear, squares):
    return linear if request.param == "linear" else squares


@pytest.mark.parametrize(("name", "kind"), [("gradcam", GradCAM), ("layercam", LayerCAM), ("xgradcam", XGradCAM)])
def test_agreement_with_the_package(name, kind, either, images):
    expected = package_map(kind, either, images, CLASSES)
    found = explain(either, images, CLASSES, name)
    assert found.shape == expected.shape == (6, 8, 8)
    assert expected.amax((1, 2)).min() > 0.99  # no empty map, for which any agreement would be luck
    assert cosine(found, expected).min() >= 0.999


def test_scorecam_agrees_with_the_package_given_its_resize(either, images, monkeypatch):
    expected = package_map(ScoreCAM, either, images, CLASSES)
    assert cosine(explain(either, images, CLASSES, "scorecam"), expected).min() < 0.999  # half-pixel masks differ
    monkeypatch.setattr(registry.plugin("explainers", "scorecam"), "align_corners", True)
    found = explain(either, images, CLASSES, "scorecam")
    uniform = min_max(features_of(either, images).mean(1))
    assert cosine(uniform, expected).max() < 0.999  # the weights matter
    assert cosine(found, expected).min() >= 0.999


def test_xgradcam_is_gradcam_behind_average_pooling_and_a_linear_layer(linear, images):
    expected = explain(linear, images, CLASSES, "gradcam", raw=True)
    assert torch.equal(explain(linear, images, CLASSES, "xgradcam", raw=True), expected)


def test_xgradcam_on_a_head_that_is_not_linear(squares, images):
    features, gradient = gradient_of(squares, images, CLASSES)
    expected = torch.zeros(6, 8, 8)
    for b, c in np.ndindex(6, features.shape[1]):
        if features[b, c].sum() > 0:
            expected[b] += (gradient[b, c] * features[b, c] / features[b, c].sum()).sum() * features[b, c]
    found = explain(squares, images, CLASSES, "xgradcam", raw=True)
    torch.testing.assert_close(found, expected.relu())
    assert cosine(found, explain(squares, images, CLASSES, "gradcam", raw=True)).min() < 0.999


def test_xgradcam_leaves_out_a_channel_that_sums_to_zero(squares, images):
    features = torch.tensor([[[[1.0, -1.0]], [[2.0, 1.0]]]])
    network = copy.deepcopy(squares)
    network.layers = (5,)
    network.method = Squares(2, 7, None)
    network.method.head.weight.data.fill_(1.0)
    network.backbone.forward = lambda _: {5: features}
    # Second channel alone: g = 2 F / 2 = F, weight (4 + 1) / 3.
    found = explain(network, images[:1], torch.tensor([0]), "xgradcam", raw=True)
    torch.testing.assert_close(found, torch.tensor([[[10 / 3, 5 / 3]]]))


@pytest.mark.parametrize("shape", [(40, 8, 8), (12, 8, 8), (64, 8, 8)])
def test_eigencam_agrees_with_the_sign_corrected_projection_of_the_package(shape):
    features = torch.randn(5, *shape, generator=torch.Generator().manual_seed(0))
    features[1:] = features[1:].relu()
    features[:, :4, 2:5, 3:6] += 2  # something to find
    expected = torch.from_numpy(get_2d_projection_with_sign_correction(features.numpy()))
    torch.testing.assert_close(projections(features), expected, atol=1e-3, rtol=1e-3)


def test_eigencam_agrees_with_the_package_up_to_its_sign(linear, images):
    expected = package_map(EigenCAM, linear, images, CLASSES)
    found = explain(linear, images, CLASSES, "eigencam")
    projected = torch.from_numpy(get_2d_projection_with_sign_correction(features_of(linear, images).numpy()))
    flipped = cosine(projected.relu(), expected) < 0.5  # the package's sign is whatever its SVD returns
    mirrored = min_max((-projected).relu())
    assert cosine(torch.where(flipped[:, None, None], mirrored, found), expected).min() >= 0.999
    assert cosine(found, min_max(projected.relu())).min() >= 0.999


def test_eigencam_by_hand():
    # Positions (2, 0), (0, 0), (-1, 0), (-1, 0) of two channels: the axis is the first channel, the far end positive.
    features = torch.tensor([[[[2.0, 0.0], [-1.0, -1.0]], [[0.0, 0.0], [0.0, 0.0]]]])
    torch.testing.assert_close(projections(features), features[:, 0])
    torch.testing.assert_close(projections(-features), features[:, 0])
    torch.testing.assert_close(projections(features + 7), features[:, 0])


def test_eigencam_of_constant_and_of_broken_features():
    features = torch.rand(3, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    alone = projections(features[:1])
    features[1] = 3.0
    features[2, 0, 0, 0] = torch.nan
    found = projections(features)
    torch.testing.assert_close(found[:1], alone)
    assert found[1].abs().max() == 0
    assert found[2].isnan().all()


def test_smoothgradcampp_is_gradcampp_behind_average_pooling_and_a_linear_layer(linear, images):
    expected = explain(linear, images, CLASSES, "gradcampp", raw=True)
    assert torch.equal(explain(linear, images, CLASSES, "smoothgradcampp", raw=True), expected)


def test_smoothgradcampp_by_loops(squares, images):
    """Every derivative of every noisy copy by autograd, α as the paper writes it, in double precision."""
    copies, noise = 8, 0.15
    generator = torch.Generator().manual_seed(0)
    one, two, three = 0, 0, 0
    for _ in range(copies):
        shared = torch.randn(3, 64, 64, generator=generator)
        noisy = torch.stack([image + noise * (image.max() - image.min()) * shared for image in images])
        gradient = gradient_of(squares, noisy, CLASSES)[1].double()
        one, two, three = one + gradient / copies, two + gradient**2 / copies, three + gradient**3 / copies
    features = features_of(squares, images).double()
    alpha = two / (2 * two + features.sum((2, 3), keepdim=True) * three)
    weights = torch.where(two > 0, alpha * one.relu(), 0.0).sum((2, 3))
    expected = torch.einsum("bchw,bc->bhw", features, weights).relu()
    found = explain(squares, images, CLASSES, "smoothgradcampp", raw=True)
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-7)
    assert cosine(found, explain(squares, images, CLASSES, "gradcampp", raw=True)).max() < 0.99


def test_smoothgradcampp_without_noise_is_gradcampp(squares, images, monkeypatch):
    monkeypatch.setattr(registry.plugin("explainers", "smoothgradcampp"), "noise", 0.0)
    expected = explain(squares, images, CLASSES, "gradcampp", raw=True)
    torch.testing.assert_close(explain(squares, images, CLASSES, "smoothgradcampp", raw=True), expected)


def test_scorecam_by_loops(linear, images):
    """One masked image at a time; images behind a mask fade to the mean colour."""
    network = copy.deepcopy(linear)
    network.mean[:] = torch.tensor([0.4, 0.5, 0.6])[:, None, None]
    network.std[:] = 0.25
    images, classes = images[:2], CLASSES[:2]
    features = features_of(network, images)
    blank = torch.tensor([0.4, 0.5, 0.6])[:, None, None]
    expected = torch.zeros(2, 8, 8)
    for b in range(2):
        logits = []
        for channel in features[b]:
            wide = nn.functional.interpolate(channel[None, None], (64, 64), mode="bilinear", align_corners=False)[0]
            mask = (wide - wide.min()) / (wide.max() - wide.min()) if wide.max() > wide.min() else 0 * wide
            with torch.no_grad():
                logits.append(network((blank + mask * (images[b] - blank))[None]).logits[0, classes[b]])
        weights = torch.stack(logits).softmax(0)
        expected[b] = (weights[:, None, None] * features[b]).sum(0).relu()
    found = explain(network, images, classes, "scorecam", raw=True)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


def test_scorecam_depends_on_neither_the_size_of_its_passes_nor_a_shift_of_the_logits(linear, images, monkeypatch):
    expected = explain(linear, images, CLASSES, "scorecam", raw=True)
    kind = registry.plugin("explainers", "scorecam")
    for size in (1, 37, 1000):
        monkeypatch.setattr(kind, "images_per_pass", size)
        torch.testing.assert_close(explain(linear, images, CLASSES, "scorecam", raw=True), expected)
    shifted = copy.deepcopy(linear)
    shifted.method.head.bias.data += 5
    torch.testing.assert_close(explain(shifted, images, CLASSES, "scorecam", raw=True), expected)


def passes(network, images, classes, names):
    """Sizes of the batches that the classifier is run on."""
    sizes = []
    handle = network.register_forward_pre_hook(lambda _module, inputs: sizes.append(len(inputs[0])))
    explain_all(network, images, classes, names)
    handle.remove()
    return sizes


def test_passes_are_counted_and_paid_only_by_those_that_need_them(linear, squares, images, monkeypatch):
    two = torch.stack([CLASSES, CLASSES.flip(0)], dim=1)
    cheap = ["cam", "gradcam", "gradcampp", "gradcampp_paper", "layercam", "xgradcam", "eigencam", "smoothgradcampp"]
    assert passes(linear, images, two, cheap) == [6]
    assert passes(squares, images, two, ["smoothgradcampp"]) == [6] + 2 * 8 * [6]
    # 64 // 6 = 10 channels of 40 at a time, once for both classes
    assert passes(linear, images, two, ["scorecam"]) == [6] + 4 * [60]
    monkeypatch.setattr(registry.plugin("explainers", "scorecam"), "images_per_pass", 4)
    assert passes(linear, images, two, ["scorecam"]) == [6] + 40 * [6]  # a channel at a time, never half a batch


def test_scorecam_runs_on_a_transformer_and_on_any_head():
    torch.manual_seed(0)
    kwargs = {"patch_size": 16, "embed_dim": 24, "depth": 2, "num_heads": 2}
    section = {"backbone": "deit_tiny_patch16_224", "kwargs": kwargs, "method": "tscam", "input_size": 64}
    network = classifier.build(section).eval()
    images = torch.rand(2, 3, 64, 64)
    maps, _ = explain_all(network, images, torch.tensor([[0, 1], [2, 3]]), ["scorecam", "smoothgradcampp", "xgradcam"])
    assert all(found.shape == (2, 2, 4, 4) and found.isfinite().all() for found in maps.values())
