"""Several processes train as one does: shares, and the same losses from two processes with halves of every batch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from joint_training import CASES, main

from fer_bench import processes
from fer_bench.processes import Place

LAUNCH = "torch.distributed.run --standalone --nproc_per_node 2"


@pytest.mark.parametrize(("total", "count"), [(8, 2), (5, 2), (7, 3), (2, 3)])
def test_shares_are_neighbours_and_cover_the_batch_once(total, count):
    images = list(range(total))
    shares = [images[Place(index, count).share(total)] for index in range(count)]
    assert [image for part in shares for image in part] == images
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_is_all_there_is():
    value = torch.tensor(3.5)
    assert processes.place() == Place(0, 1)
    assert processes.mean(value) is value
    assert processes.gathered([1, 2]) == [1, 2]
    assert processes.rows_of_whole(4) == (4, slice(0, 4))


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list], dict[str, list], Path]:
    """Of one process and of two, and the folder of the weights; `accelerate launch` starts GPUs in the same way."""
    folder = tmp_path_factory.mktemp("joint")
    main(folder / "one.json")
    command = [sys.executable, "-m", *LAUNCH.split(), str(ROOT / "tests" / "joint_training.py"), folder / "two.json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    one, two = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("one", "two"))
    return one, two, folder


@pytest.mark.parametrize("case", [" ".join(case) for case in CASES])
def test_two_processes_lose_what_one_does(histories, case):
    one, two = histories[0][case], histories[1][case]
    assert len(one) == len(two) == 3
    for first, second in zip(one, two, strict=True):
        assert second == pytest.approx(first, rel=2e-4, abs=2e-5)
    assert one[-1]["train_loss"] != pytest.approx(one[1]["train_loss"], rel=1e-3)  # it moved


def test_the_first_process_alone_writes(histories):
    folders = {path.name for path in histories[2].iterdir() if path.is_dir()}
    assert folders == {f"{method}0of{count}" for method, _ in CASES for count in (1, 2)}
