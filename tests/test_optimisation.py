"""Schedules and weights by hand."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from fer_bench.classifier import build
from fer_bench.optimisation import class_weights, factor, optimizer
from fer_bench.train_settings import TrainSettings


def settings(**options: object) -> TrainSettings:
    return TrainSettings(epochs=20, batch_size=8, learning_rate=0.002, **options)


def test_step_schedule_is_the_published_one():
    chosen = settings(schedule="step", step_epochs=4, step_factor=0.9)
    rates = [0.002 * factor(epoch * 10, chosen, 10) for epoch in (0, 3, 4, 8, 12, 16)]
    assert rates == pytest.approx([0.002, 0.002, 0.0018, 0.00162, 0.001458, 0.0013122])


def test_cosine_schedule_with_warm_up():
    chosen = settings(schedule="cosine", warmup_epochs=2)
    assert factor(0, chosen, 10) == pytest.approx(1 / 20)
    assert factor(19, chosen, 10) == pytest.approx(1.0)
    assert factor(20, chosen, 10) == pytest.approx(1.0)
    assert factor(110, chosen, 10) == pytest.approx(0.5)
    assert factor(200, chosen, 10) == pytest.approx(1e-7 / 0.002)


def test_rate_never_falls_below_the_minimum():
    chosen = settings(schedule="step", step_epochs=1, step_factor=0.1, minimum_learning_rate=1e-5)
    assert 0.002 * factor(15 * 10, chosen, 10) == pytest.approx(1e-5)


def test_constant_schedule():
    assert factor(77, settings(schedule="constant"), 10) == 1.0


def test_head_has_its_own_rate_and_no_parameter_is_lost_or_doubled():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    made = optimizer(network, network[1], settings(optimizer="sgd", head_learning_rate_ratio=10.0))
    assert [group["lr"] for group in made.param_groups] == pytest.approx([0.002, 0.02])
    assert [len(group["params"]) for group in made.param_groups] == [2, 2]
    assert made.param_groups[0]["nesterov"]


def test_class_weights_by_hand():
    labels = torch.tensor([0, 0, 0, 1])
    assert class_weights(labels, 2, settings()) is None
    weights = class_weights(labels, 2, settings(class_weights="balanced"))
    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert float(weights[labels].mean()) == pytest.approx(1.0)


def test_cosine_is_smooth():
    chosen = settings(schedule="cosine")
    values = [factor(step, chosen, 10) for step in range(200)]
    assert all(later <= earlier for earlier, later in pairwise(values))
    assert values[50] == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))


def test_fused_adamw_steps_as_the_plain_one_on_a_network_with_channels_last():
    """The fused step reads weight and gradient in the order of memory; both have to lie there alike."""
    section = {"backbone": "resnet10t", "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8}, "input_size": 32}
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    states = []
    for fused in (True, False):
        torch.manual_seed(0)
        network = build(section).to(memory_format=torch.channels_last)
        chosen = optimizer(network, network.method, settings(optimizer="adamw", weight_decay=0.1))
        for group in chosen.param_groups:
            assert group["fused"]
            group["fused"] = fused
        for _ in range(3):
            chosen.zero_grad()
            network(images.contiguous(memory_format=torch.channels_last)).logits.square().sum().backward()
            assert all(value.stride() == value.grad.stride() for value in network.parameters())
            chosen.step()
        states.append(network.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-3, atol=1e-4)
