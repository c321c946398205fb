"""Packed images: the pixels that decoding gives, made in parts, by several, and after an interruption."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import prepared_faces
import pytest

from fer_bench import data, packed
from fer_bench.data import Faces, ResizedImages
from fer_bench.errors import InputError
from fer_bench.pack import pack
from fer_bench.packed import PackedImages

COUNT, SIDE = 10, 6


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "CHUNK", 4)


def decode(row: int, side: int) -> np.ndarray:
    return np.full((side, side, 3), row, np.uint8)


def images(folder: Path, identity: str = "", count: int = COUNT) -> PackedImages:
    return PackedImages(folder, identity, [f"hash {row}" for row in range(count)], SIDE)


def test_rows_are_those_decoded(tmp_path):
    made = images(tmp_path)
    assert not made.whole and made.build(decode, progress=False) == 3
    rows = np.array([9, 0, 4, 4, 3])
    assert images(tmp_path).whole
    assert images(tmp_path)[rows][:, 0, 0, 0].tolist() == rows.tolist()
    assert images(tmp_path)[rows].shape == (5, SIDE, SIDE, 3)


def test_an_interrupted_run_goes_on(tmp_path):
    def failing(row: int, side: int) -> np.ndarray:
        if row == 6:
            raise KeyboardInterrupt
        return decode(row, side)

    with pytest.raises(KeyboardInterrupt):
        images(tmp_path).build(failing, progress=False)
    assert not images(tmp_path).whole
    seen: list[int] = []
    images(tmp_path).build(lambda row, side: seen.append(row) or decode(row, side), progress=False)
    assert seen == [4, 5, 6, 7, 8, 9]  # the first file was whole
    assert images(tmp_path)[np.arange(COUNT)][:, 0, 0, 0].tolist() == list(range(COUNT))


def test_one_that_builds_the_same_file_meanwhile_does_no_harm(tmp_path):
    def beside(row: int, side: int) -> np.ndarray:
        if row == 2:
            images(tmp_path).build(decode, progress=False)
        return decode(row, side)

    images(tmp_path).build(beside, progress=False)
    assert images(tmp_path)[np.arange(COUNT)][:, 0, 0, 0].tolist() == list(range(COUNT))
    assert not list(tmp_path.rglob("*.partial"))


def test_shards_make_the_whole(tmp_path):
    made = [images(tmp_path).build(decode, shard, 2, progress=False) for shard in range(2)]
    assert made == [2, 1] and images(tmp_path).whole


def test_other_files_other_settings_other_folder(tmp_path):
    folders = {images(tmp_path).folder, images(tmp_path, "bilinear").folder, images(tmp_path, count=9).folder}
    folders.add(PackedImages(tmp_path, "", [f"hash {row}" for row in range(COUNT)], SIDE + 1).folder)
    assert len(folders) == 4


def test_a_split_too_large_for_memory_reads_its_packed_images(tmp_path, monkeypatch):
    frame = pd.DataFrame({"path": [f"{row}.png" for row in range(COUNT)], "sha256": [f"{row}" for row in range(COUNT)]})
    read = [0]

    def reader(path: Path) -> np.ndarray:
        read[0] += 1
        return np.full((12, 12, 3), 10 * int(path.stem), np.uint8)

    faces = Faces(frame, np.zeros(COUNT, int), Path(), reader, packed=tmp_path, reader="plain")
    monkeypatch.setattr(data, "IN_MEMORY_BYTES", 0)
    rows = np.array([7, 2])
    decoded = ResizedImages(faces, SIDE)(rows)
    faces.packed_at(SIDE).build(faces.decode, progress=False)
    read[0] = 0
    assert (ResizedImages(faces, SIDE)(rows) == decoded).all() and read[0] == 0


def test_the_command_packs_what_the_plan_trains_on(tmp_path):
    files = prepared_faces.prepare(tmp_path)
    plan = tmp_path / "data" / "plan" / "train"
    plan.mkdir(parents=True)
    entry = {
        "dataset": {"name": files.name, "plugin": "synthetic", "settings": files._plugin[1]},
        "protocol": "clean",
        "train": {"epochs": 1, "batch_size": 8, "learning_rate": 0.1},
        "model": {"input_size": 28},
        "skip": "",
    }
    for name, change in {"a": {}, "b": {}, "c": {"model": {"input_size": 56}}, "d": {"skip": "no"}}.items():
        (plan / f"{name}.json").write_text(json.dumps({**entry, **change}), encoding="utf-8")
    folders = pack(files.name, root=tmp_path, progress=False)
    assert len(folders) == 2  # 32 and 64 px
    made = files.faces("train").packed_at(32)
    assert made.whole and made.folder in folders
    assert (made[np.array([3])][0] == files.faces("train").decode(3, 32)).all()
    with pytest.raises(InputError, match="no cell of the active grid trains on it"):
        pack("nothing", root=tmp_path)
    with pytest.raises(InputError, match="expected I/N"):
        pack(files.name, shard="3/2", root=tmp_path)


def test_a_file_cut_short_is_made_again(tmp_path):
    images(tmp_path).build(decode, progress=False)
    path = images(tmp_path).paths[1]
    path.write_bytes(path.read_bytes()[:-1])
    assert not images(tmp_path).whole
    assert images(tmp_path).build(decode, progress=False) == 1
    assert images(tmp_path)[np.arange(COUNT)][:, 0, 0, 0].tolist() == list(range(COUNT))


def test_what_a_killed_run_left_is_removed_when_it_is_old(tmp_path):
    made = images(tmp_path)
    made.folder.mkdir(parents=True)
    old, young = (made.folder / f"00000.{name}.partial" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    made.build(decode, progress=False)
    assert not old.exists() and young.exists()


def test_no_room_on_the_disk_is_an_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        images(tmp_path).build(decode, progress=False)
    assert not list(tmp_path.rglob("*.partial"))
