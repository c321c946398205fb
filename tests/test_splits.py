"""The validation split and the near-duplicates it must not tear apart."""

import io

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_bench.datasets import near_duplicates, perceptual_hash, validation_split
from fer_bench.errors import InputError


def index(labels: list[str], subjects: list[str] | None = None, split: str = "train") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"face{i:04}" for i in range(len(labels))],
            "label": labels,
            "split": split,
            "subject": subjects or [""] * len(labels),
        }
    )


def test_ten_percent_of_each_label() -> None:
    frame = index(["anger"] * 200 + ["fear"] * 30 + ["sadness"] * 5)
    split = validation_split(frame, 0.1, seed=0)
    moved = frame["label"][split == "val"].value_counts().to_dict()
    assert moved == {"anger": 20, "fear": 3, "sadness": 1}  # 0.5 of 5 rounds to 0, but at least one goes


def test_a_label_keeps_its_only_image_in_train() -> None:
    split = validation_split(index(["anger"] * 20 + ["fear"]), 0.5, seed=0)
    assert split.iloc[-1] == "train"
    assert (split == "val").sum() == 10


def test_other_splits_stay_as_they_are() -> None:
    frame = pd.concat([index(["anger"] * 50), index(["anger"] * 50, split="test")], ignore_index=True)
    split = validation_split(frame, 0.2, seed=0)
    assert (split[50:] == "test").all()
    assert (split[:50] == "val").sum() == 10
    assert (frame["split"] == ["train"] * 50 + ["test"] * 50).all()


def test_nothing_to_take_from() -> None:
    frame = index(["anger"] * 5, split="test")
    assert (validation_split(frame, 0.1, seed=0) == "test").all()
    assert (validation_split(index(["anger"] * 5), 0.0, seed=0) == "train").all()


def test_fixed_number_per_label() -> None:
    split = validation_split(index(["anger"] * 40 + ["fear"] * 12), 0.1, seed=0, per_class=5)
    assert (split[:40] == "val").sum() == (split[40:] == "val").sum() == 5


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(InputError, match=r"val_per_class 12 would leave nothing to train on for: fear \(12\)"):
        validation_split(index(["anger"] * 40 + ["fear"] * 12), 0.1, seed=0, per_class=12)
    with pytest.raises(InputError, match="val_fraction"):
        validation_split(index(["anger"] * 4), 1.0, seed=0)


def test_choice_hangs_on_ids_and_seed_not_on_row_order() -> None:
    frame = index(["anger"] * 60 + ["fear"] * 40)
    ids = set(frame["id"][validation_split(frame, 0.1, seed=0) == "val"])
    mixed = frame.sample(frac=1, random_state=1)
    assert set(mixed["id"][validation_split(mixed, 0.1, seed=0) == "val"]) == ids
    assert set(frame["id"][validation_split(frame, 0.1, seed=1) == "val"]) != ids


def test_golden_choice() -> None:
    """The ids of a split are part of results: sorted by sha256 of "0/ID", the first two of each label."""
    frame = index(["anger", "fear"] * 10)
    assert frame["id"][validation_split(frame, 0.2, seed=0) == "val"].tolist() == [
        "face0000",
        "face0004",
        "face0005",
        "face0007",
    ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["anger", "fear", "sadness"]), st.integers(0, 12), st.integers(0, 25)),
        min_size=1,
        max_size=80,
    ),
    fraction=st.floats(0.05, 0.6),
    seed=st.integers(0, 5),
)
def test_groups_are_never_torn(rows: list[tuple[str, int, int]], fraction: float, seed: int) -> None:
    labels, subjects, groups = zip(*rows, strict=True)
    frame = index(list(labels), [f"person{s}" if s else "" for s in subjects])
    frame["split"] = validation_split(frame, fraction, seed, groups=np.array(groups))
    assert frame["split"].isin(["train", "val"]).all()
    assert (frame["split"].groupby(list(groups)).nunique() == 1).all()
    named = frame[frame["subject"] != ""]
    assert (named.groupby("subject")["split"].nunique() == 1).all()
    assert set(frame["label"][frame["split"] == "train"]) == set(labels)


def test_whole_subjects_still_meet_the_counts() -> None:
    frame = index(["anger", "fear", "sadness", "neutral"] * 100, [f"person{i // 8}" for i in range(400)])
    moved = frame[validation_split(frame, 0.1, seed=0) == "val"]
    assert moved["label"].value_counts().to_dict() == dict.fromkeys(["anger", "fear", "sadness", "neutral"], 10)


def test_of_two_counts_equally_near_the_smaller_stays() -> None:
    frame = index(["anger"] * 30, [f"person{i // 2}" for i in range(30)])  # wanted 3, possible 2 or 4
    assert (validation_split(frame, 0.1, seed=0) == "val").sum() == 2


def scene(seed: int, side: int = 128) -> np.ndarray:
    """A smooth random picture, as different from another as two photographs are."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def compressed(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=40)
    return np.array(Image.open(buffer))


COPIES = {
    "compressed": compressed,
    "half": lambda image: cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA),
    "brighter": lambda image: np.clip(image * 1.1 + 5, 0, 255).astype(np.uint8),
    "grey": lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_and_others_are_not(kind: str) -> None:
    images = [scene(seed) for seed in range(30)]
    hashes = np.array([perceptual_hash(x) for x in [*images, *map(COPIES[kind], images)]], dtype=np.uint64)
    groups = near_duplicates(hashes)
    np.testing.assert_array_equal(groups[:30], groups[30:])
    assert len(set(groups)) == 30


def test_bits_count_to_the_limit_and_chains_join() -> None:
    hashes = np.array([[0, 0], [0b111111, 0], [0b111111 << 6 | 0b111111, 0], [1 << 63, 0b111111111]], dtype=np.uint64)
    groups = near_duplicates(hashes)
    assert groups[0] == groups[1] == groups[2]  # 6 bits from each to the next, 12 from end to end
    assert groups[3] != groups[0]  # 9 bits of the second hash
    assert near_duplicates(hashes, phash_bits=5).tolist() == [0, 1, 2, 3]


def test_pairs_are_found_across_tiles() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, (5000, 2), dtype=np.uint64)
    hashes[4990] = hashes[3]
    groups = near_duplicates(hashes)
    assert groups[4990] == groups[3]
    assert len(set(groups)) == 4999


def test_no_images_no_groups() -> None:
    assert len(near_duplicates(np.empty((0, 2), np.uint64))) == 0


def test_constant_images_have_hashes() -> None:
    assert perceptual_hash(np.zeros((1, 1, 3), np.uint8)) == (0, 0)
