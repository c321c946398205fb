"""Every method in the training loop: gradients, pairs with and without guidance, a short run on generated faces."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fer_bench import registry
from fer_bench.au import au_maps
from fer_bench.classifier import Classifier, build, load_folder
from fer_bench.classifier_output import Output
from fer_bench.expressions import EXPRESSIONS
from fer_bench.guidance.base import GuidanceBase
from fer_bench.protocols import PROTOCOLS
from fer_bench.synthface import SynthSettings, generate
from fer_bench.train import Trainer
from fer_bench.train_settings import TrainSettings

Batches = list[dict[str, torch.Tensor]]
OPTIONS: dict[str, dict[str, Any]] = {
    "cam": {},
    "wildcat": {},
    "acol": {"width": 3},
    "prm": {},
    "adl": {},
    "cutmix": {},
    "tscam": {},
    "apvit": {"dim": 6, "depth": 2, "heads": 2, "mlp_ratio": 1, "keep_tokens": 3, "pooled_blocks": (2,)},
}
RESNETS = [name for name in OPTIONS if name not in ("tscam", "apvit")]  # trained below on a ResNet
# a dropout of weights of its own, so that something besides the method is random too
RESNET = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [8, 8, 12, 16], "stem_width": 8, "output_stride": 8, "drop_path_rate": 0.2},
    "input_size": 48,
}


def head(name: str, channels: int, classes: int) -> Any:
    options = registry.settings("methods", name)(**OPTIONS[name])
    sizes = {"map_size": (4, 4)} if name == "apvit" else {}
    return registry.plugin("methods", name)(channels, classes, options, **sizes)


class Loss(nn.Module):
    """Last features and a batch -> the loss of a method."""

    def __init__(self, method: nn.Module) -> None:
        super().__init__()
        self.method = method

    def forward(self, last: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return self.method.loss(self.method({5: last}), batch)["loss"]


@pytest.mark.parametrize("name", OPTIONS)
def test_gradient_of_every_loss(name: str) -> None:
    """Analytic against numeric derivatives to the features and to every weight of the head, in double precision."""
    generator = torch.Generator().manual_seed(3)
    method = head(name, 2, 3).double().train()
    batch = {
        "images": torch.zeros(2, 3, 8, 8),
        "labels": torch.tensor([0, 2]),
        "maps": torch.ones(2, 8, 8),
        "valid": torch.ones(2).bool(),
    }
    batch = method.prepare_batch(batch, generator)
    names = [f"method.{key}" for key, _ in method.named_parameters()]
    weights = [torch.randn(value.shape, generator=generator).double() for value in method.parameters()]
    features = torch.rand(2, 2, 4, 4, generator=generator, dtype=torch.float64)

    def loss(last: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)  # ADL's draw
        return torch.func.functional_call(Loss(method), dict(zip(names, values, strict=True)), (last, batch))

    inputs = tuple(value.requires_grad_() for value in (features, *weights))
    assert torch.autograd.gradcheck(loss, inputs, eps=1e-6, atol=1e-6)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Batches:
    """28 generated faces of 48 px with the maps of their action units, in two batches."""
    folder = tmp_path_factory.mktemp("faces")
    index = generate(SynthSettings(train=28, val=7, test=7, size=48), folder, workers=1, progress=False)
    truth = pd.read_parquet(folder / "ground_truth.parquet")
    chosen = (index.split == "train").to_numpy()
    images = np.stack([cv2.imread(str(folder / path))[:, :, ::-1] for path in index.path[chosen]])
    points = np.stack([truth[[f"{axis}{i}" for i in range(68)]].to_numpy() for axis in "xy"], axis=2)[chosen]
    labels = torch.tensor([EXPRESSIONS.index(name) for name in index.label[chosen]])
    maps, valid = au_maps(points, labels, (48, 48), "facs")
    whole = {
        "images": torch.from_numpy(images.copy()).permute(0, 3, 1, 2).float() / 255,
        "labels": labels,
        "maps": maps,
        "valid": valid,
    }
    assert labels.bincount().tolist() == [4] * 7
    return [{key: value[part] for key, value in whole.items()} for part in torch.arange(28).chunk(2)]


class Order:
    """Stands for the sampler."""

    epoch = 0

    def __len__(self) -> int:
        return 2


def guidance_of(name: str, weight: float = 4.0) -> GuidanceBase:
    settings = registry.settings("guidance", name)(**({"weight": weight} if name == "au" else {}))
    made: GuidanceBase = registry.plugin("guidance", name)(settings)
    return made


def trainer(
    folder: Path, method: str, guidance: GuidanceBase, data: Batches, seed: int = 7, epochs: int = 2
) -> Trainer:
    torch.manual_seed(seed)
    return Trainer(
        classifier=build({**RESNET, "method": method, "method_kwargs": OPTIONS[method]}),
        guidance=guidance,
        settings=TrainSettings(epochs=epochs, batch_size=14, learning_rate=0.01, schedule="constant"),
        protocol=PROTOCOLS["clean"],
        train=data,
        order=Order(),
        validation=lambda: data,
        class_weights=None,
        weights=folder,
        device="cpu",
        progress=False,
        seed=seed,
    )


@pytest.mark.parametrize("guidance", ["none", "au"])
@pytest.mark.parametrize("method", RESNETS)
def test_a_short_training_on_generated_faces(method: str, guidance: str, faces: Batches, tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    trainer(tmp_path, method, guidance_of(guidance), faces, epochs=6).run(rows.append)
    part = "train_second_cross_entropy" if method == "acol" else "train_cross_entropy"
    assert min(row[part] for row in rows[1:]) < rows[0][part]
    assert all(0 <= row["train_accuracy"] <= 100 for row in rows)
    if guidance == "au":
        assert all(0 <= row["train_guidance"] <= 2 * 4.0 for row in rows)  # λ (1 - cosine)
        assert any(row["train_guidance"] != rows[0]["train_guidance"] for row in rows)
    kept = load_folder(tmp_path)
    assert kept(faces[0]["images"]).logits.shape == (14, 7)


class Draws(GuidanceBase):
    """A guidance that consumes random numbers and pulls at the features."""

    needs_maps = True

    def loss(self, output: Output, maps: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        return output.features[5].square().mean() * torch.rand(7)[0]


def _watched(made: Trainer) -> list[dict[str, Any]]:
    """Run a trainer; for each step the images as the network gets them, the labels, and the state of the generator."""
    seen: list[dict[str, Any]] = []
    network: Classifier = made.classifier
    prepare = network.method.prepare_batch

    def watch(batch: dict[str, torch.Tensor], generator: torch.Generator) -> dict[str, torch.Tensor]:
        prepared = prepare(batch, generator)
        seen.append({**{key: value.clone() for key, value in prepared.items()}, "state": torch.get_rng_state()})
        return prepared

    network.method.prepare_batch = watch
    made.run(lambda row: None)
    return seen


@pytest.mark.parametrize("method", ["adl", "cutmix"])
def test_pairs_see_the_same_batches_and_draws(method: str, faces: Batches, tmp_path: Path) -> None:
    """With and without guidance, even one that draws numbers itself."""
    arms = [guidance_of("none"), guidance_of("au"), Draws(None)]
    runs = [_watched(trainer(tmp_path / str(i), method, arm, faces)) for i, arm in enumerate(arms)]
    assert len(runs[0]) == 4
    for other in runs[1:]:
        for one, two in zip(runs[0], other, strict=True):
            assert set(one) == set(two)
            assert all(torch.equal(one[key], two[key]) for key in one)
    states = [step["state"] for step in runs[0]]
    assert not any(torch.equal(states[0], state) for state in states[1:])  # each step draws anew


@pytest.mark.parametrize("method", RESNETS)
def test_same_seed_same_network_and_weight_zero_is_no_guidance(method: str, faces: Batches, tmp_path: Path) -> None:
    made = [
        trainer(tmp_path / "a", method, guidance_of("none"), faces),
        trainer(tmp_path / "b", method, guidance_of("none"), faces),
        trainer(tmp_path / "c", method, guidance_of("au", weight=0.0), faces),
    ]
    for number, one in enumerate(made):
        torch.manual_seed(number)  # whatever was drawn before
        one.run(lambda row: None)
    first = made[0].classifier.state_dict()
    for other in made[1:]:
        assert all(torch.equal(value, first[key]) for key, value in other.classifier.state_dict().items())


def test_another_seed_mixes_other_batches(faces: Batches, tmp_path: Path) -> None:
    one = _watched(trainer(tmp_path / "a", "cutmix", guidance_of("none"), faces, seed=7))
    two = _watched(trainer(tmp_path / "b", "cutmix", guidance_of("none"), faces, seed=8))
    assert any(not torch.equal(a["images"], b["images"]) for a, b in zip(one, two, strict=True))


def test_accuracy_of_a_mixed_batch_is_that_of_the_method(faces: Batches, tmp_path: Path) -> None:
    made = trainer(tmp_path, "cutmix", guidance_of("none"), faces, epochs=1)
    hits: list[torch.Tensor] = []
    count = made.classifier.method.hits
    made.classifier.method.hits = lambda logits, batch: (hits.append(count(logits, batch)), hits[-1])[1]
    rows: list[dict[str, float]] = []
    made.run(rows.append)
    assert rows[0]["train_accuracy"] == pytest.approx(torch.cat(hits).mean().item() * 100, abs=1e-4)


@pytest.mark.parametrize("method", RESNETS)
def test_reduced_precision(method: str, faces: Batches, tmp_path: Path) -> None:
    made = trainer(tmp_path, method, guidance_of("au"), faces, epochs=1)
    made.settings = made.settings.model_copy(update={"precision": "bfloat16"})
    rows: list[dict[str, float]] = []
    made.run(rows.append)
    assert 0 < rows[0]["train_loss"] < 100
