"""The loop: it learns, guidance aligns, a pair starts alike, a loss that is not finite stops it."""

import copy

import pytest
import torch

from fer_bench import registry
from fer_bench.classifier import Classifier, build, load_folder
from fer_bench.errors import InputError
from fer_bench.protocols import PROTOCOLS
from fer_bench.train import Trainer
from fer_bench.train_settings import TrainSettings

SECTION = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8, "output_stride": 8},
    "input_size": 32,
}


def network(seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return build(SECTION, 7)


def batches(scale: float = 1.0) -> list[dict[str, torch.Tensor]]:
    """Seven classes told apart by the place of a bright square; the map marks the opposite corner."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(28) % 7
    images = torch.rand(28, 3, 32, 32, generator=generator) * 0.2
    maps = torch.zeros(28, 32, 32)
    for i, label in enumerate(labels.tolist()):
        images[i, :, 4 * label : 4 * label + 6, 4:12] = scale
        maps[i, 18:30, 18:30] = 1.0
    whole = {"images": images, "labels": labels, "maps": maps, "valid": labels > 0}
    return [{key: value[part] for key, value in whole.items()} for part in torch.arange(28).chunk(2)]


class Order:
    """Stands for the sampler."""

    epoch = 0

    def __len__(self) -> int:
        return 2


def trainer(
    folder, guidance: str, weight: float = 4.0, data=None, section=None, protocol: str = "clean", **options
) -> Trainer:
    settings = {"epochs": 6, "batch_size": 14, "learning_rate": 0.01, "schedule": "constant", **options}
    chosen = registry.settings("guidance", guidance)(
        **({"weight": weight, **(section or {})} if guidance == "au" else {})
    )
    data = data or batches()
    return Trainer(
        classifier=network(),
        guidance=registry.plugin("guidance", guidance)(chosen),
        settings=TrainSettings(**settings),
        protocol=PROTOCOLS[protocol],
        train=data,
        order=Order(),
        validation=lambda: data,
        class_weights=None,
        weights=folder,
        device="cpu",
        progress=False,
    )


def test_it_learns_and_guidance_aligns_attention(tmp_path):
    rows: dict[str, list[dict]] = {"none": [], "au": []}
    for name, kept in rows.items():
        trainer(tmp_path / name, name).run(kept.append)
    assert rows["none"][-1]["train_loss"] < rows["none"][0]["train_loss"]
    assert rows["au"][-1]["val_att_cos"] > rows["none"][-1]["val_att_cos"] + 0.1
    assert "train_guidance" in rows["au"][0] and "train_guidance" not in rows["none"][0]


def test_weight_zero_is_no_guidance_bit_for_bit(tmp_path):
    plain, zero = trainer(tmp_path / "a", "none"), trainer(tmp_path / "b", "au", weight=0.0)
    plain.run(lambda row: None)
    zero.run(lambda row: None)
    one, other = plain.classifier.state_dict(), zero.classifier.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_guidance_hears_of_every_epoch_before_its_first_batch(tmp_path):
    made, heard = trainer(tmp_path, "au", epochs=3), []
    loss = made.guidance.loss
    made.guidance.start_epoch = lambda epoch: heard.append(f"epoch {epoch}")
    made.guidance.loss = lambda *batch: heard.append("batch") or loss(*batch)
    made.run(lambda row: None)
    assert heard == [f"epoch {number}" if step == 0 else "batch" for number in (1, 2, 3) for step in range(3)]


def test_random_channels_repeat_whatever_the_global_source(tmp_path):
    section, states = {"attention": "random_avg", "p": 0.5}, []
    for seed in (1, 2):
        made = trainer(tmp_path, "au", section=section, epochs=2)
        torch.manual_seed(seed)
        made.run(lambda row: None)
        states.append(made.classifier.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_saved_weights_are_those_of_the_kept_epoch(tmp_path):
    states = []
    made = trainer(tmp_path, "none", selection="best_accuracy")
    history = made.run(lambda row: states.append(copy.deepcopy(made.classifier.state_dict())))
    saved = load_folder(tmp_path).state_dict()
    kept = states[int(history.best_epoch) - 1]
    assert all(torch.equal(saved[key], kept[key]) for key in saved)


def test_infinite_loss_stops_with_epoch_step_and_last_good_weights(tmp_path):
    data = batches()
    made = trainer(tmp_path, "none", data=data)

    def poison(row: dict) -> None:
        if row["epoch"] == 2:
            data[1]["images"][0, 0, 0, 0] = torch.nan

    with pytest.raises(InputError, match=r"the loss is nan at epoch 3, step 2; last good weights: epoch \d"):
        made.run(poison)
    assert all(torch.isfinite(value).all() for value in load_folder(tmp_path).state_dict().values())


def test_validation_accuracy_by_hand(tmp_path):
    made = trainer(tmp_path, "none", epochs=1)
    rows: list[dict] = []
    made.run(rows.append)
    made.classifier.eval()
    with torch.no_grad():
        hits = [made.classifier(b["images"]).logits.argmax(1) == b["labels"] for b in batches()]
    assert rows[0]["val_accuracy"] == pytest.approx(float(torch.cat(hits).float().mean()) * 100)


def test_validations_before_training_and_within_epochs(tmp_path):
    """Two steps an epoch: a share of 0.5 is every step; the published protocol scores the untrained network first."""
    rows: list[dict] = []
    made = trainer(tmp_path, "none", epochs=2, validation_interval=0.5, protocol="paper")
    untrained = copy.deepcopy(made.classifier.state_dict())
    modes: list[bool] = []
    history = made.run(lambda row: (rows.append(row), modes.append(made.classifier.training)))
    steps = len(made.order)
    assert [row["epoch"] for row in rows] == pytest.approx([0, *((number + 1) / steps for number in range(2 * steps))])
    assert "train_loss" not in rows[0] and all("train_loss" in row for row in rows[1:])
    assert [row["epoch"] for row in history.rows if row["epoch"] % 1 == 0] == [0, 1, 2]
    assert any(not torch.equal(value, made.classifier.state_dict()[name]) for name, value in untrained.items())


@pytest.mark.parametrize("protocol", ["clean", "paper"])
def test_no_epoch_is_one_validation_of_the_network_as_it_is(tmp_path, protocol):
    made = trainer(tmp_path, "au", epochs=0, protocol=protocol)
    before = copy.deepcopy(made.classifier.state_dict())
    rows: list[dict] = []
    history = made.run(rows.append)
    assert [row["epoch"] for row in rows] == [0] and history.best_epoch == 0
    saved = load_folder(tmp_path).state_dict()
    assert all(torch.equal(saved[key], before[key]) for key in before)


def test_validating_more_often_trains_alike(tmp_path):
    plain, watched = trainer(tmp_path / "a", "au"), trainer(tmp_path / "b", "au", validation_interval=0.5)
    plain.run(lambda row: None)
    watched.run(lambda row: None)
    one, other = plain.classifier.state_dict(), watched.classifier.state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_reduced_precision_runs(tmp_path, precision):
    rows: list[dict] = []
    trainer(tmp_path, "au", epochs=1, precision=precision).run(rows.append)
    assert rows[0]["train_loss"] > 0
