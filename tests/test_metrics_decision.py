"""Attention against decision: by hand, chance levels, and what the contributions of a classifier are."""

import pytest
import torch
from scipy.stats import spearmanr

from fer_bench import classifier as classifiers
from fer_bench import registry
from fer_bench.explainers import contributions, explain_all

RANK, SHARE = (registry.plugin("metrics", f"decision_{name}")() for name in ("rank", "share"))
MODEL = {"backbone": "resnet10t", "kwargs": {"channels": [4, 4, 8, 8], "stem_width": 4}, "weights": "random"}


def random(seed, *shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_share_by_hand():
    # Means 4, 3, 2, 1 and contributions 1, 0, -8, 1: the third channel carries 80 %, one of the others makes it 90 %.
    features = torch.tensor([4.0, 3.0, 2.0, 1.0])[None, :, None, None].expand(1, 4, 2, 2)
    given = torch.tensor([1.0, 0.0, -8.0, 1.0])[None, :, None, None].expand(1, 4, 2, 2)
    found = SHARE.per_image(features, given)
    assert found[""].item() == pytest.approx((2 + 4) / 10)
    assert found["_chance_random"].item() == pytest.approx(2 / 4)


def test_share_where_nothing_contributes_is_undefined():
    found = SHARE.per_image(torch.ones(2, 3, 2, 2), torch.zeros(2, 3, 2, 2))
    assert torch.isnan(found[""]).all() and torch.isnan(found["_chance_random"]).all()


def test_channels_that_decide_at_random_hold_the_chance_share():
    found = SHARE.per_image(random(0, 400, 32, 3, 3), random(1, 400, 32, 3, 3) - 0.5)
    assert found[""].mean().item() == pytest.approx(found["_chance_random"].mean().item(), abs=0.01)


def test_rank_correlation_is_that_of_scipy():
    features, given = random(2, 5, 6, 4, 4).round(decimals=1), random(3, 5, 6, 4, 4) - 0.5
    found = RANK.per_image(features, given)[""]
    for k in range(5):
        expected = spearmanr(features[k].mean(0).flatten(), given[k].sum(0).flatten()).statistic
        assert found[k].item() == pytest.approx(expected, abs=1e-5)
    smooth = random(5, 5, 6, 4, 4)
    assert RANK.per_image(smooth, 2 * smooth)[""].tolist() == pytest.approx([1] * 5)
    assert RANK.per_image(smooth, -smooth)[""].tolist() == pytest.approx([-1] * 5)
    assert RANK.per_image(features, torch.ones_like(given))[""].tolist() == [0] * 5


@pytest.mark.parametrize("method", ["cam", "wildcat"])
def test_contributions_of_a_classifier(method):
    torch.manual_seed(0)
    classifier = classifiers.build({**MODEL, "method": method, "input_size": 64}).eval()
    images, classes = random(4, 3, 3, 64, 64), torch.tensor([1, 2, 6])
    maps, output = explain_all(classifier, images, classes[:, None], ["cam"], raw=True)
    found = contributions(classifier, images, output, classes)
    assert found.shape == output.features[5].shape
    if method == "cam":  # the class activation map over its positions, and the logit without its bias
        cells = found.shape[-1] * found.shape[-2]
        assert torch.allclose(found.sum(dim=1), maps["cam"][:, 0] / cells, atol=1e-6)
        logits = output.logits.gather(1, classes[:, None])[:, 0] - classifier.method.head.bias[classes]
        assert torch.allclose(found.sum(dim=(1, 2, 3)), logits, atol=1e-5)
    assert torch.isfinite(RANK.per_image(output.features[5], found)[""]).all()
