import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from fer_bench import classifier, registry
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.explainers import explain, explain_all, supported
from fer_bench.explainers.gradcampp import alpha_weights
from fer_bench.metrics import cosine
from fer_bench.minmax import min_max

POOLED = ["cam", "gradcam", "gradcampp", "gradcampp_paper", "layercam"]
GRADIENT = POOLED[1:]


class LinearHead(nn.Module):
    """Average pooling and a linear layer."""

    needs_attention = False

    def __init__(self, channels=6, classes=7):
        super().__init__()
        self.channels = channels
        self.linear = nn.Linear(channels, classes)

    @property
    def head_weight(self):
        return self.linear.weight

    def score(self, last):
        return self.linear(last.mean((2, 3))), None


class HiddenWeight(LinearHead):
    """The same head, but its weights are not shown: explainers have to differentiate."""

    head_weight = None


class ConvHead(LinearHead):
    """Class maps by a convolution, those of a second branch, and a class token's attention."""

    needs_attention = True
    head_weight = None

    def __init__(self, channels=6, classes=7):
        super().__init__(channels, classes)
        self.conv = nn.Conv2d(channels, classes, 3, padding=1)

    def score(self, last):
        maps = self.conv(last)
        return maps.mean((2, 3)), maps

    def second_class_maps(self, last, found):
        return self.conv(last * (found < found.mean())[:, None])


class Double(nn.Module):
    """The smallest network that keeps the classifier's contract: 32 px in, 8x8 maps out."""

    def __init__(self, method, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.body = nn.Sequential(nn.Conv2d(3, 6, 5, stride=4, padding=2), nn.BatchNorm2d(6), nn.ReLU())
        self.method = method()
        self.forwards = 0

    @property
    def head_weight(self):
        return self.method.head_weight

    def forward(self, images):
        self.forwards += 1
        last = self.body(images)
        logits, maps = self.method.score(last)
        attention = last.amax(1) if self.method.needs_attention else None
        return Output(logits, {5: last}, maps, attention)

    def logits_from_features(self, last):
        return self.method.score(last)[0]


@pytest.fixture
def images():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def classes():
    return torch.tensor([0, 3, 6, 1])


def features_and_weights(network, images, classes):
    network.eval()
    with torch.no_grad():
        return network(images).features[5], network.head_weight[classes]


def test_closed_forms_by_hand(images, classes):
    network = Double(LinearHead)
    features, weights = features_and_weights(network, images, classes)
    spread = weights[:, :, None, None]
    textbook = spread.relu() / (2 + spread * features.mean((2, 3), keepdim=True))
    expected = {
        "cam": (spread * features).sum(1),
        "gradcam": (spread * features).sum(1).relu() / 64,
        "gradcampp": (textbook * features).sum(1),
        "gradcampp_paper": (spread.relu() ** 3 * features).sum(1) / 64**2,
        "layercam": (spread.relu() * features).sum(1) / 64,
    }
    for name, map_ in expected.items():
        assert torch.allclose(explain(network, images, classes, name, raw=True), map_, rtol=1e-4, atol=1e-8), name


def test_numbers_of_one_tiny_case():
    network = Double(LinearHead)
    network.body = nn.Identity()
    network.method = LinearHead(channels=2, classes=2)
    network.method.linear.weight.data = torch.tensor([[1.0, -2.0], [0.0, 1.0]])
    features = torch.tensor([[[[4.0, 0.0]], [[1.0, 3.0]]]])
    first = torch.tensor([0])
    assert explain(network, features, first, "cam", raw=True).tolist() == [[[2.0, -6.0]]]
    assert explain(network, features, first, "cam").tolist() == [[[1.0, 0.0]]]
    assert explain(network, features, first, "gradcam", raw=True).tolist() == [[[1.0, 0.0]]]
    # α = 1 / (2 + g ΣF) = 1 / (2 + 0.5 · 4) at both positions; Σ α g = 2 · 0.25 · 0.5.
    assert explain(network, features, first, "gradcampp", raw=True).tolist() == [[[1.0, 0.0]]]
    assert explain(network, features, first, "layercam", raw=True).tolist() == [[[2.0, 0.0]]]
    assert explain(network, features, first, "gradcampp_paper", raw=True).tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("name", GRADIENT)
def test_autograd_gives_the_closed_form(name, images, classes):
    shown, hidden = Double(LinearHead), Double(HiddenWeight)
    hidden.load_state_dict(shown.state_dict())
    expected = explain(shown, images, classes, name, raw=True)
    assert torch.allclose(explain(hidden, images, classes, name, raw=True), expected, rtol=1e-3, atol=1e-9)


def eps_free_gradcampp(features, weights):
    """GradCAM++ from its definition: derivatives of exp(score) by autograd, float64, no eps."""
    features = features.double().requires_grad_()
    score = (features.mean((2, 3)) * weights.double()).sum(1)
    first = torch.autograd.grad(score.exp().sum(), features, create_graph=True)[0]
    gradient = (first / score.exp()[:, None, None, None]).detach()
    # A linear score: second and third derivatives of exp(score) are exp(score) g² and exp(score) g³.
    alpha = gradient**2 / (2 * gradient**2 + features.detach().sum((2, 3), keepdim=True) * gradient**3)
    channel = (alpha * first.detach().relu()).sum((2, 3), keepdim=True)
    return (channel * features.detach()).sum(1).relu()


def test_gradcampp_against_an_eps_free_autograd_form(images, classes):
    network = Double(LinearHead)
    features, weights = features_and_weights(network, images, classes)
    expected = eps_free_gradcampp(features, weights)
    found = explain(network.double(), images.double(), classes, "gradcampp", raw=True)
    assert cosine(found, expected).min() > 1 - 1e-9


def test_gradcampp_on_a_head_that_is_not_linear(images):
    """Position-wise gradients: α and weights written out with loops."""
    network = Double(HiddenWeight)
    classes = torch.tensor([2, 2, 5, 5])
    network.logits_from_features = lambda last: network.method.linear(last.square().mean((2, 3)))
    features = network.eval()(images).features[5].detach()
    gradient = 2 * features * network.method.linear.weight.detach()[classes][:, :, None, None] / 64
    channel = torch.zeros(4, 6)
    for b, c in np.ndindex(4, 6):
        for g in gradient[b, c].flatten():
            if g > 0:
                channel[b, c] += g**2 / (2 * g**2 + g**3 * features[b, c].sum()) * g
    expected = (channel[:, :, None, None] * features).sum(1).relu()
    found = explain(network, images, classes, "gradcampp", raw=True)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-8)


@pytest.fixture(scope="module")
def small_network():
    torch.manual_seed(3)
    kwargs = {"channels": [16, 32, 64, 128], "stem_width": 16, "output_stride": 8}
    return classifier.build({"backbone": "resnet10t", "kwargs": kwargs, "input_size": 64}).eval()


class Logits(nn.Module):
    """The network as the `grad-cam` package wants it: logits out, a module to hook at the last features."""

    def __init__(self, network):
        super().__init__()
        self.network, self.tap = network, nn.Identity()

    def forward(self, images):
        return self.network.logits_from_features(self.tap(self.network(images).features[5]))


def images_and_visible_classes(network):
    """Random images and, for each, the class with the highest evidence anywhere, so that no map is empty."""
    images = torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return images, network(images).class_maps.amax((2, 3)).argmax(1)


def package_map(kind, network, images, classes):
    wrapped = Logits(network)
    with kind(wrapped, [wrapped.tap]) as cam:
        cam.get_target_width_height = lambda _: None  # the native grid
        found = cam(images, [ClassifierOutputTarget(int(k)) for k in classes])
    network.zero_grad()
    return torch.from_numpy(found)


@pytest.mark.parametrize(("name", "kind"), [("gradcam", GradCAM), ("layercam", LayerCAM)])
def test_agreement_with_the_grad_cam_package(name, kind, small_network):
    images, classes = images_and_visible_classes(small_network)
    expected = package_map(kind, small_network, images, classes)
    found = explain(small_network, images, classes, name)
    assert found.shape == expected.shape == (6, 8, 8)
    assert expected.amax((1, 2)).min() > 0.9  # no empty map, for which any agreement would be luck
    assert cosine(found, expected).min() >= 0.999


def test_gradcampp_agrees_with_the_package_given_its_eps(small_network):
    images, classes = images_and_visible_classes(small_network)
    expected = package_map(GradCAMPlusPlus, small_network, images, classes)
    features, weights = features_and_weights(small_network, images, classes)
    gradients = (weights / 64)[:, :, None, None]
    found = (alpha_weights(gradients, features, eps=1e-6) * features).sum(1)
    assert cosine(found, expected).min() >= 0.999


def test_the_eps_of_the_package_turns_large_maps_into_the_published_form():
    generator = torch.Generator().manual_seed(2)
    features = torch.rand(1, 32, 28, 28, generator=generator)
    gradients = 0.03 * torch.randn(1, 32, 1, 1, generator=generator) / 28**2
    cube = gradients.relu() ** 3

    def likeness(weights):
        return torch.cosine_similarity(weights / weights.max(), cube / cube.max(), dim=1).item()

    assert likeness(alpha_weights(gradients, features, eps=1e-6)) > 0.999
    assert likeness(alpha_weights(gradients, features)) < 0.95


def test_tscam_is_attention_times_class_map(images, classes):
    network = Double(ConvHead).eval()
    with torch.no_grad():
        output = network(images)
    expected = output.attention * output.class_maps[torch.arange(4), classes]
    assert torch.equal(explain(network, images, classes, "tscam", raw=True), expected)
    assert torch.equal(explain(network, images, classes, "cam", raw=True), output.class_maps[torch.arange(4), classes])


def test_tscam_of_a_real_vision_transformer():
    torch.manual_seed(0)
    kwargs = {"patch_size": 16, "embed_dim": 24, "depth": 2, "num_heads": 2}
    section = {"backbone": "deit_tiny_patch16_224", "kwargs": kwargs, "method": "tscam", "input_size": 64}
    network = classifier.build(section)
    images, classes = torch.rand(2, 3, 64, 64), torch.tensor([1, 4])
    found, output = explain_all(network, images, classes[:, None], ["cam", "gradcam", "tscam"], raw=True)
    own = output.class_maps[torch.arange(2), classes]
    assert torch.allclose(found["tscam"][:, 0], output.attention * own)
    assert found["gradcam"].shape == (2, 1, 4, 4)


@pytest.mark.parametrize("name", POOLED)
def test_maps_lie_in_zero_one_and_batches_change_nothing(name, images, classes):
    network = Double(LinearHead)
    together = explain(network, images, classes, name)
    alone = torch.cat([explain(network, images[i : i + 1], classes[i : i + 1], name) for i in range(4)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert together.amin((1, 2)).eq(0).all()
    assert together.amax((1, 2)).eq(1).all()


def test_a_constant_map_becomes_zeros(images, classes):
    network = Double(LinearHead)
    for parameter in network.method.parameters():
        nn.init.zeros_(parameter)
    assert explain(network, images, classes, "cam").abs().max() == 0


def test_min_max_by_hand():
    rows = torch.tensor([[2.0, 4.0, 3.0], [5.0, 5.0, 5.0], [1.0, torch.nan, 2.0], [-1.0, -3.0, -2.0]])
    expected = [[[0.0, 1.0, 0.5]], [[0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]], [[1.0, 0.0, 0.5]]]
    assert min_max(rows[:, None]).tolist() == expected


@pytest.mark.parametrize("method", [LinearHead, HiddenWeight])
def test_one_forward_serves_all_explainers_and_classes(method, images):
    network = Double(method)
    names = POOLED if method is LinearHead else GRADIENT
    several = torch.tensor([[0, 1], [2, 2], [6, 5], [3, 0]])
    maps, output = explain_all(network, images, several, names)
    assert network.forwards == 1
    assert output.logits.shape == (4, 7)
    assert set(maps) == set(names)
    for name in names:
        assert maps[name].shape == (4, 2, 8, 8)
        for column in (0, 1):
            expected = explain(network, images, several[:, column], name)
            assert torch.allclose(maps[name][:, column], expected, atol=1e-6)


def test_classes_may_come_from_the_output(images):
    network = Double(LinearHead)
    maps, output = explain_all(network, images, lambda output: output.logits.topk(2).indices, ["cam"])
    assert network.forwards == 1
    assert torch.equal(maps["cam"][:, 0], explain(network, images, output.logits.argmax(1), "cam"))


def test_mode_and_gradients_are_left_as_found(images, classes):
    network = Double(HiddenWeight).train()
    network.body[1].eval()  # frozen statistics
    statistics = network.body[1].running_mean.clone()
    found = explain(network, images, classes, "gradcam")
    assert network.training
    assert not network.body[1].training
    assert torch.equal(network.body[1].running_mean, statistics)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not found.requires_grad


def test_inference_mode_is_no_obstacle(images, classes):
    network = Double(HiddenWeight)
    expected = explain(network, images, classes, "layercam")
    with torch.inference_mode():
        assert torch.allclose(explain(network, images, classes, "layercam"), expected)


def test_what_cannot_be_applied_says_why(images, classes):
    network = Double(HiddenWeight)
    reasons = supported(network, registry.names("explainers"))
    assert "class maps" in reasons["cam"]
    assert "attention" in reasons["tscam"]
    assert [reasons[name] for name in GRADIENT] == ["", "", "", ""]
    with pytest.raises(InputError, match=r"tscam cannot be applied.*attention"):
        explain(network, images, classes, "tscam")


def test_wrong_names_and_classes_are_refused(images, classes):
    network = Double(LinearHead)
    with pytest.raises(InputError, match="gradcam"):
        explain(network, images, classes, "grad_cam")
    with pytest.raises(InputError, match=r"0\.\.6"):
        explain(network, images, classes + 4, "cam")
    with pytest.raises(InputError, match="one row for each"):
        explain(network, images, classes[:2], "cam")


@pytest.mark.parametrize("name", registry.names("explainers"))
def test_every_explainer_keeps_the_contract(name, images, classes):
    explainer = registry.plugin("explainers", name)
    assert explainer.label
    assert explainer.citation
    network = Double(ConvHead)
    assert explainer().supports(network) is None
    found = explain(network, images, classes, name)
    assert found.shape == (4, 8, 8)
    assert torch.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
