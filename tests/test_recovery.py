"""A training that is stopped anywhere, any number of times, ends as one that is not: same weights, same history."""

import os
import signal

import pytest
import torch
from joint_training import SIDE, faces, maps

from fer_bench import optimisation, registry, train
from fer_bench.classifier import WEIGHTS_FILE, build
from fer_bench.data import evaluation_batches
from fer_bench.protocols import PROTOCOLS
from fer_bench.recovery import Recovery
from fer_bench.train import Trainer
from fer_bench.train_data import TrainBatches, train_loader
from fer_bench.train_settings import Augmentation, TrainSettings
from fer_bench.training_state import TrainingState

CNN = {"backbone": "resnet10t", "kwargs": {"channels": [8, 8, 16, 16], "stem_width": 8, "output_stride": 8}}
TRANSFORMER = {
    "backbone": "deit_tiny_patch16_224",
    "kwargs": {"patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "drop_rate": 0.1},
}
CASES = {
    "cnn": ({**CNN, "method": "cam"}, {"optimizer": "adamw", "schedule": "cosine", "warmup_epochs": 1}),
    "mixed images": ({**CNN, "method": "cutmix"}, {"optimizer": "sgd", "validation_interval": 0.5}),
    "dropped attention": ({**CNN, "method": "adl"}, {"optimizer": "adamw", "sampling": "balanced"}),
    "dropout": ({**TRANSFORMER, "method": "cam"}, {"optimizer": "adamw", "selection": "last"}),
}
STEPS = 12  # three epochs of 29 images in batches of 8


class Killed(Exception):
    """Stands for the end of the process."""


def trainer(case, folder, recovery=None, workers=0):
    section, options = CASES[case]
    settings = TrainSettings(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.01, **options})
    torch.manual_seed(0)
    split = faces()
    guidance = registry.settings("guidance", "au")(attention="random_avg", p=0.5)
    batches = TrainBatches(split, maps, SIDE, SIDE, Augmentation(), seed=3)
    loader, order = train_loader(batches, settings.batch_size, workers, settings.sampling)
    held_out = list(evaluation_batches(split, maps, SIDE, 6))
    return Trainer(
        classifier=build({**section, "input_size": SIDE}, 7),
        guidance=registry.plugin("guidance", "au")(guidance, seed=5),
        settings=settings,
        protocol=PROTOCOLS["paper"],
        train=loader,
        order=order,
        validation=lambda: (batch for _, batch in held_out),
        class_weights=optimisation.class_weights(torch.from_numpy(split.labels), 7, settings),
        weights=folder,
        device="cpu",
        progress=False,
        recovery=recovery or Recovery(),
    )


def stop_after(made, steps):
    """Let a trainer do so many steps and no more."""
    settle, left = made._settle, [steps]

    def counted(*given):
        settle(*given)
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    made._settle = counted


def outcome(folder, history):
    return (folder / WEIGHTS_FILE).read_bytes(), history.rows, history.best_epoch


@pytest.fixture(autouse=True)
def every_step(monkeypatch):
    monkeypatch.setattr(train, "SETTLE_EVERY", 1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a training without a stop gives: case -> weights, rows and kept epoch."""
    found = {}
    for case in CASES:
        folder = tmp_path_factory.mktemp("undisturbed")
        found[case] = outcome(folder, trainer(case, folder).run(lambda row: None))
    return found


@pytest.mark.parametrize("case", CASES)
def test_stopped_after_every_third_step_it_ends_the_same(case, undisturbed, tmp_path):
    states, stops, told = TrainingState(tmp_path / "states"), 0, []
    while True:
        made = trainer(case, tmp_path / f"weights{stops}", Recovery(states, seconds=0))
        stop_after(made, 3)
        told.clear()
        try:
            history = made.run(told.append)
            break
        except Killed:
            stops += 1
    assert stops >= 3
    assert outcome(tmp_path / f"weights{stops}", history) == undisturbed[case]
    assert told == history.rows  # a record that starts with every attempt is whole at the end


@pytest.mark.parametrize("steps", range(STEPS))
def test_stopped_once_anywhere_it_ends_the_same(steps, undisturbed, tmp_path):
    states = TrainingState(tmp_path / "states")
    first = trainer("cnn", tmp_path / "first", Recovery(states, seconds=0))
    stop_after(first, steps)
    with pytest.raises(Killed):
        first.run(lambda row: None)
    again = trainer("cnn", tmp_path / "again", Recovery(states, seconds=0), workers=1 if steps == 5 else 0)
    assert outcome(tmp_path / "again", again.run(lambda row: None)) == undisturbed["cnn"]


def test_a_damaged_state_costs_time_and_no_number(undisturbed, tmp_path):
    states = TrainingState(tmp_path / "states")
    first = trainer("cnn", tmp_path / "first", Recovery(states, seconds=0))
    stop_after(first, 7)
    with pytest.raises(Killed):
        first.run(lambda row: None)
    last = max(states.folder.iterdir())
    last.write_bytes(last.read_bytes()[:-100])
    again = trainer("cnn", tmp_path / "again", Recovery(states, seconds=0))
    assert outcome(tmp_path / "again", again.run(lambda row: None)) == undisturbed["cnn"]


def test_a_training_that_was_done_is_not_done_again(undisturbed, tmp_path):
    states = TrainingState(tmp_path / "states")
    trainer("cnn", tmp_path / "first", Recovery(states)).run(lambda row: None)
    again = trainer("cnn", tmp_path / "again", Recovery(states))
    stop_after(again, 0)
    assert outcome(tmp_path / "again", again.run(lambda row: None)) == undisturbed["cnn"]


def test_states_within_an_epoch_keep_their_distance(tmp_path):
    states = TrainingState(tmp_path / "states")
    saved, save = [], states.save
    states.save = lambda state, number: saved.append(number) or save(state, number)
    trainer("cnn", tmp_path / "weights", Recovery(states, seconds=1000)).run(lambda row: None)
    assert saved == [1_000_000, 1_000_004, 2_000_004, 3_000_004]  # the untrained network and the ends of epochs


def test_sigterm_saves_and_ends(undisturbed, tmp_path, capsys):
    states = TrainingState(tmp_path / "states")
    first = trainer("cnn", tmp_path / "first", Recovery(states, seconds=1000))
    settle, steps = first._settle, []

    def asked(*given):
        settle(*given)
        steps.append(first.stand.step)
        if len(steps) == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    first._settle = asked
    before = signal.getsignal(signal.SIGTERM)
    with first.recovery.listening(), pytest.raises(SystemExit, match="143"):
        first.run(lambda row: None)
    assert signal.getsignal(signal.SIGTERM) is before
    assert "goes on from here" in capsys.readouterr().err
    assert len(steps) == 6 and states.load()["stand"]["step"] == 2  # the second step of the second epoch
    again = trainer("cnn", tmp_path / "again", Recovery(states))
    assert outcome(tmp_path / "again", again.run(lambda row: None)) == undisturbed["cnn"]
