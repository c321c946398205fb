"""Batches: the same whatever the number of workers, every image once per epoch, maps aligned with images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from fer_bench.data import Faces, ResizedImages, evaluation_batches
from fer_bench.processes import Place
from fer_bench.train_data import EpochOrder, TrainBatches, finished, train_loader
from fer_bench.train_settings import Augmentation, TrainSettings

COUNT, SIDE = 10, 12


def read(path: Path) -> np.ndarray:
    """An image whose grey level is its number."""
    return np.full((SIDE, SIDE, 3), int(path.stem) * 10, np.uint8)


@pytest.fixture
def faces() -> Faces:
    frame = pd.DataFrame({"id": [str(i) for i in range(COUNT)], "path": [f"{i}.png" for i in range(COUNT)]})
    return Faces(frame, np.arange(COUNT) % 7, Path("images"), read)


def maps(rows: np.ndarray, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps that carry the row; every third face has none."""
    values = torch.from_numpy(rows).float()[:, None, None].expand(-1, side, side) / COUNT
    return values.clone(), torch.from_numpy(rows % 3 != 0)


def epoch(faces: Faces, workers: int, number: int = 1, sampling: str = "shuffled") -> list[dict[str, torch.Tensor]]:
    batches = TrainBatches(faces, maps, SIDE, 8, Augmentation(), seed=5)
    loader, order = train_loader(batches, batch_size=4, workers=workers, sampling=sampling)
    order.epoch = number
    return list(loader)


def test_workers_do_not_change_a_batch(faces):
    alone, helped = epoch(faces, 0), epoch(faces, 2)
    assert len(alone) == len(helped) == 3
    for one, other in zip(alone, helped, strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("stepwise", [False, True])
def test_shares_of_several_processes_are_the_batch_of_one(faces, stepwise):
    if stepwise:
        faces.frame[["width", "height"]] = SIDE
    key = (3, 1, (4, 2, 9, 0, 7))
    whole = TrainBatches(faces, maps, SIDE, 8, Augmentation(), 5, stepwise)[key]
    places = [Place(index, 3) for index in range(3)]
    parts = [TrainBatches(faces, maps, SIDE, 8, Augmentation(), 5, stepwise, place)[key] for place in places]
    assert [len(part["labels"]) for part in parts] == [1, 2, 2]
    for name, value in whole.items():
        torch.testing.assert_close(torch.cat([part[name] for part in parts]), value)


def test_what_is_left_to_the_device_ends_as_the_same_batch(faces):
    key = (3, 1, (4, 2, 9, 0, 7))
    made = TrainBatches(faces, maps, SIDE, 8, Augmentation(), 5)[key]
    raw = TrainBatches(faces, maps, SIDE, 8, Augmentation(), 5, on_device=True)[key]
    assert raw["images"].dtype == torch.uint8 and raw["images"].shape[-1] == SIDE
    left = finished(raw, 8)
    assert left.keys() == made.keys() and all(torch.equal(left[name], made[name]) for name in made)


def test_every_image_once_per_epoch_in_a_new_order(faces):
    first = torch.cat([batch["labels"] for batch in epoch(faces, 0, 1)])
    second = torch.cat([batch["labels"] for batch in epoch(faces, 0, 2)])
    assert sorted(first.tolist()) == sorted(second.tolist()) == sorted((np.arange(COUNT) % 7).tolist())
    assert not torch.equal(first, second)


def test_last_partial_batch_is_kept(faces):
    assert [len(batch["labels"]) for batch in epoch(faces, 0)] == [4, 4, 2]


def uneven() -> Faces:
    """Classes 0, 2 and 5 with 6, 3 and 1 images."""
    labels = np.repeat([0, 2, 5], [6, 3, 1])
    frame = pd.DataFrame({"id": [str(i) for i in range(COUNT)], "path": [f"{i}.png" for i in range(COUNT)]})
    return Faces(frame, labels, Path("images"), read)


def rows_of_epoch(number: int, seed: int = 5) -> list[int]:
    order = EpochOrder(uneven().labels, 4, seed, "balanced")
    order.epoch = number
    steps = list(order)
    assert len(order) == len(steps) == 3 and [len(rows) for _, _, rows in steps] == [4, 4, 1]
    return [row for _, _, rows in steps for row in rows]


def test_balanced_sampling_shows_every_class_equally_often():
    # 10 images, 3 classes: 3 draws of each; of class 0 three different ones, of class 5 the same one thrice
    rows = rows_of_epoch(1)
    assert sorted(uneven().labels[rows]) == [0, 0, 0, 2, 2, 2, 5, 5, 5]
    assert len({row for row in rows if row < 6}) == 3
    assert sorted(row for row in rows if row >= 6) == [6, 7, 8, 9, 9, 9]


def test_balanced_sampling_hangs_on_seed_and_epoch_alone():
    assert rows_of_epoch(1) == rows_of_epoch(1)
    assert rows_of_epoch(1) != rows_of_epoch(1, seed=6)
    seen = {row for number in range(1, 9) for row in rows_of_epoch(number)}
    assert seen == set(range(COUNT))  # a large class takes turns
    one, other = (torch.cat([b["labels"] for b in epoch(uneven(), workers, 2, "balanced")]) for workers in (0, 2))
    assert torch.equal(one, other)
    assert torch.bincount(one).tolist() == [3, 0, 3, 0, 0, 3]


def test_class_sizes_are_made_up_for_once():
    with pytest.raises(ValidationError, match="keep one of them"):
        TrainSettings(epochs=1, batch_size=1, learning_rate=0.1, sampling="balanced", class_weights="balanced")


def test_evaluation_is_in_order_and_untouched(faces):
    found = list(evaluation_batches(faces, maps, SIDE, 4))
    rows = np.concatenate([rows for rows, _ in found])
    assert rows.tolist() == list(range(COUNT))
    images = torch.cat([batch["images"] for _, batch in found])
    torch.testing.assert_close(images[:, 0, 0, 0], torch.arange(COUNT) * 10 / 255)
    assert [bool(v) for v in torch.cat([batch["valid"] for _, batch in found])] == [i % 3 != 0 for i in range(COUNT)]


def test_images_are_decoded_on_demand_when_they_do_not_fit(faces, monkeypatch):
    kept = ResizedImages(faces, 6)(np.array([3, 1]))
    monkeypatch.setattr("fer_bench.data.IN_MEMORY_BYTES", 0)
    on_demand = ResizedImages(faces, 6)
    assert on_demand._kept is None
    assert torch.equal(on_demand(np.array([3, 1])), kept)
    assert kept.shape == (2, 3, 6, 6) and kept[0, 0, 0, 0] == pytest.approx(30 / 255)
