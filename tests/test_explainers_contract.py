"""What every explainer promises, on every small classifier that it supports."""

import pytest
import torch

from fer_bench import classifier, registry
from fer_bench.explainers import explain, explain_all, supported
from fer_bench.minmax import min_max

EXPLAINERS = registry.names("explainers")
BACKBONES = {
    "cnn": {
        "backbone": "resnet10t",
        "kwargs": {"channels": [4, 8, 8, 12], "stem_width": 8, "output_stride": 8},
        "input_size": 32,
    },
    "vit": {
        "backbone": "deit_tiny_patch16_224",
        "kwargs": {"patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 2},
        "input_size": 32,
    },
}
# Heads whose defaults are made for a ResNet50, at a size that tests can afford.
SMALL = {"acol": {"width": 8}, "apvit": {"dim": 16, "depth": 2, "heads": 2, "pooled_blocks": [2]}}
SECTIONS = {f"{method} on {name}": {**section, "method": method, "method_kwargs": SMALL.get(method, {})}
            for method in registry.names("methods") for name, section in BACKBONES.items()}  # fmt: skip
MODELS = [name for name, section in SECTIONS.items() if not classifier.unsuitable(section)]


def build(name):
    torch.manual_seed(4)
    return classifier.build(SECTIONS[name]).eval()


@pytest.fixture(scope="module")
def networks():
    return {name: build(name) for name in MODELS}


@pytest.fixture(scope="module")
def images():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


CLASSES = torch.tensor([0, 3, 6, 1])


def able(networks, explainer):
    """The classifiers that an explainer supports."""
    return {name: network for name, network in networks.items() if not supported(network, [explainer])[explainer]}


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_it_says_what_it_is_and_has_a_classifier_to_explain(explainer, networks):
    kind = registry.plugin("explainers", explainer)
    assert kind.label
    assert kind.citation
    assert isinstance(kind.class_specific, bool)
    assert able(networks, explainer), "no method of this package makes a classifier that it supports"


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_maps_lie_in_zero_one_at_the_grid_of_the_last_features(explainer, networks, images):
    filled = 0
    for name, network in able(networks, explainer).items():
        maps, output = explain_all(network, images, CLASSES[:, None], [explainer])
        found = maps[explainer][:, 0]
        assert found.shape == (4, *output.features[5].shape[-2:]), name
        assert found.amin((1, 2)).eq(0).all(), name
        assert set(found.amax((1, 2)).tolist()) <= {0.0, 1.0}, name  # an empty map: no evidence for the class anywhere
        assert not found.requires_grad
        filled += int(found.amax((1, 2)).sum())
    assert filled >= 2


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_map_does_not_depend_on_its_batch_or_on_a_second_look(explainer, networks, images):
    for name, network in able(networks, explainer).items():
        together = explain(network, images, CLASSES, explainer, raw=True)
        alone = [explain(network, images[i : i + 1], CLASSES[i : i + 1], explainer, raw=True) for i in range(4)]
        # Of the range of the map, and a rounding error of its values, which may be far from zero.
        tolerance = float(2e-4 * (together.max() - together.min()) + 1e-6 * together.abs().max())
        torch.testing.assert_close(torch.cat(alone), together, atol=tolerance, rtol=0, msg=name)
        assert torch.equal(explain(network, images, CLASSES, explainer, raw=True), together), name


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_several_classes_get_what_each_gets_alone(explainer, networks, images):
    several = torch.stack([CLASSES, CLASSES.flip(0)], dim=1)
    specific = registry.plugin("explainers", explainer).class_specific
    differs = []
    for name, network in able(networks, explainer).items():
        raw = explain_all(network, images, several, [explainer], raw=True)[0][explainer]
        for column in (0, 1):
            alone = explain(network, images, several[:, column], explainer, raw=True)
            torch.testing.assert_close(raw[:, column], alone, msg=name)
        differs.append(not torch.equal(raw[:, 0], raw[:, 1]))
        # Kept or not, a map in [0, 1] is the raw one after min-max.
        scaled = explain_all(network, images, several, [explainer])[0][explainer]
        assert torch.equal(scaled, min_max(raw))
    assert any(differs) == specific


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_modes_gradients_hooks_and_random_state_are_left_as_found(explainer, networks, images):
    name = next(iter(able(networks, explainer)))
    network = build(name).train()
    frozen = next(network.backbone.net.children()).eval()
    fused = [getattr(module, "fused_attn", None) for module in network.modules()]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    random = torch.get_rng_state()
    explain(network, images, CLASSES, explainer)
    assert torch.equal(torch.get_rng_state(), random)
    assert network.training
    assert not frozen.training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert [getattr(module, "fused_attn", None) for module in network.modules()] == fused
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_inference_mode_is_no_obstacle(explainer, networks, images):
    for name, network in able(networks, explainer).items():
        expected = explain(network, images, CLASSES, explainer)
        with torch.inference_mode():
            again = explain(network, images.clone(), CLASSES.clone(), explainer)
        torch.testing.assert_close(again, expected, atol=1e-5, rtol=0, msg=name)


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_frozen_classifier_can_be_explained(explainer, networks, images):
    name = next(iter(able(networks, explainer)))
    expected = explain(build(name), images, CLASSES, explainer)
    assert torch.equal(explain(build(name).requires_grad_(False), images, CLASSES, explainer), expected)


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_grey_images_are_explained_like_their_copy_in_three_channels(explainer, networks, images):
    name, network = next(iter(able(networks, explainer).items()))
    grey = images[:, :1]
    expected = explain_all(network, grey, CLASSES[:, None], ["eigencam"])[1].logits
    torch.testing.assert_close(expected, network(grey.expand(-1, 3, -1, -1)).logits)
    assert explain(network, grey, CLASSES, explainer).isfinite().all(), name
