"""A full disk, a limit on files, a folder that cannot be written, damaged files: one line, and the next run goes on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from small_pipeline import CELL, EVALUATE, TRAIN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AGAIN = "then run the same command again: it goes on from what is finished"


def one_line(output, what, *words):
    """The line of the error of a stage; no traceback besides."""
    assert "Traceback" not in output, output
    lines = [line for line in output.splitlines() if line.startswith(f"error: {what}")]
    assert len(lines) == 1, output
    for word in (*words, AGAIN):
        assert word in lines[0], lines[0]


def goes_on(pipeline, undisturbed):
    pipeline.run("dvc", "repro", "train")
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)
    assert not pipeline.states()


def may_mount() -> bool:
    done = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return os.geteuid() == 0 and done.returncode == 0


@contextmanager
def mounted(folder: Path, *how: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *how, str(folder)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this user cannot mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


needs_mount = pytest.mark.skipif(not may_mount(), reason="only root can mount a small or a read-only file system")


@needs_mount
@pytest.mark.parametrize("where", ["results/states", "results/runs"])
def test_a_full_disk_stops_a_training_in_one_line(pipeline, undisturbed, where):
    """Room for settings, and for no more than a part of the weights."""
    folder = pipeline.folder / where
    with mounted(folder, "-t", "tmpfs", "-o", "size=128k", "tmpfs"):
        output = pipeline.run("dvc", "repro", "train", check=False)
        one_line(output, f"train {CELL}", "No space left on device", "; free some space")
        assert TRAIN not in pipeline.locked
        subprocess.run(["mount", "-o", "remount,size=64M", str(folder)], check=True)
        goes_on(pipeline, undisturbed)


@contextmanager
def full_cache(pipeline) -> Iterator[None]:
    """DVC's cache on a file system that is full, and has room again on leaving."""
    folder = pipeline.folder / ".dvc/cache/files"
    shutil.copytree(folder, pipeline.folder / "kept")
    with mounted(folder, "-t", "tmpfs", "-o", "size=64M", "tmpfs"):
        shutil.copytree(pipeline.folder / "kept", folder, dirs_exist_ok=True)
        room = os.statvfs(folder)
        (folder / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize - 100_000))
        yield


@needs_mount
def test_a_full_cache_costs_time_and_no_number(pipeline, undisturbed):
    """DVC says so, ends with status 0 all the same, and does the stage again when it is asked next."""
    with full_cache(pipeline):
        output = pipeline.run("dvc", "repro", "train", check=False)
        assert "failed to transfer" in output and "No space left on device" in output
        (pipeline.folder / ".dvc/cache/files/ballast").unlink()
        goes_on(pipeline, undisturbed)


@needs_mount
def test_a_full_cache_is_a_failure_side_by_side(pipeline, undisturbed):
    with full_cache(pipeline):
        code, output = pipeline.result("fer_bench.cli", "repro", "-j", "2", "train")
        assert code == 1 and f"results/runs/{CELL}/weights" in output
        assert "not whole in DVC's cache; is its disk full? free some space, run again" in output
        assert TRAIN not in pipeline.locked
        (pipeline.folder / ".dvc/cache/files/ballast").unlink()
        goes_on(pipeline, undisturbed)


def limited(pipeline, blocks):
    """Run stages, and not DVC itself, with a limit on the size of files, in blocks of 512 bytes."""
    script = pipeline.folder.parent / "limited.sh"
    script.write_text(f'#!/bin/sh\nulimit -f {blocks}\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    pipeline.environment["FER_BENCH_PYTHON"] = str(script)


def test_a_limit_on_the_size_of_files_is_told_with_its_cure(pipeline, undisturbed):
    """Less than the weights have, then less than a file of an evaluation.

    Without loader workers, which hand over batches in shared memory: the limit holds for that too.
    """
    pipeline.edit("params.yaml", "\n  workers: 1", "\n  workers: 0")
    limited(pipeline, 1000)
    output = pipeline.run("dvc", "repro", "train", check=False)
    one_line(output, f"train {CELL}", "File too large", "raise the limit (ulimit -f)")
    limited(pipeline, "unlimited")
    goes_on(pipeline, undisturbed)
    limited(pipeline, 500)
    output = pipeline.run("dvc", "repro", "evaluate", check=False)
    one_line(output, f"evaluate synthetic_smoke/{CELL}", "File too large")
    assert EVALUATE not in pipeline.locked


def test_no_room_for_dvc_itself_is_an_error_that_leaves_dvc_lock_as_it_was(pipeline, undisturbed):
    before = (pipeline.folder / "dvc.lock").read_bytes()
    code, output = pipeline.result("dvc", "repro", "train", largest=4_000)
    assert code and "ERROR: " in output and "Traceback" not in output
    assert (pipeline.folder / "dvc.lock").read_bytes() == before
    goes_on(pipeline, undisturbed)


@needs_mount
@pytest.mark.parametrize("way", [("dvc", "repro"), ("fer_bench.cli", "repro", "-j", "2")])
def test_a_folder_that_cannot_be_written_is_named(pipeline, undisturbed, way):
    folder = pipeline.folder / "results/runs"
    folder.mkdir(parents=True, exist_ok=True)
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        _, output = pipeline.result(*way, "train")
    assert f"train {CELL}: results/runs/{CELL}: Read-only file system; make it writable" in output, output
    assert "Traceback" not in output
    goes_on(pipeline, undisturbed)


def test_a_file_where_a_folder_belongs_is_named(pipeline, undisturbed):
    path = pipeline.folder / "results/runs"
    path.write_text("not a folder")
    output = pipeline.run("dvc", "repro", "train", check=False)  # DVC clears outputs first, so it is the one to see it
    assert f"Not a directory: '{path}/{CELL}/weights'" in output and "Traceback" not in output
    path.unlink()
    goes_on(pipeline, undisturbed)


def cached_weights(pipeline):
    """The object of the cache that holds the weights."""
    content = (pipeline.folder / f"results/runs/{CELL}/weights/model.safetensors").read_bytes()
    return next(
        path
        for path in (pipeline.folder / ".dvc/cache/files/md5").rglob("*")
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    )


def test_a_damaged_object_of_the_cache_is_not_taken_for_the_output(pipeline, undisturbed):
    pipeline.run("dvc", "repro", "-q", "train")
    path = cached_weights(pipeline)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1000])
    shutil.rmtree(pipeline.folder / f"results/runs/{CELL}")
    pipeline.run("dvc", "repro", "train")
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)
    weights = [folder.folder / f"results/runs/{CELL}/weights/model.safetensors" for folder in (pipeline, undisturbed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_damaged_table_of_landmarks_is_made_again(pipeline, undisturbed):
    path = pipeline.folder / "data/landmarks/synthetic_smoke.parquet"
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[: len(whole) // 2])
    output = pipeline.run("dvc", "repro", "train")
    assert path.read_bytes() == whole
    assert "landmarks@synthetic_smoke" in output
    assert pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)


def test_packed_images_that_were_cut_short_are_noticed(tmp_path):
    from fer_bench.packed import PackedImages

    made = PackedImages(tmp_path, "", [str(row) for row in range(4)], 6)
    made.build(lambda row, side: np.full((side, side, 3), row, np.uint8), progress=False)
    path = made.paths[0]
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="mmap length is greater than file size"):
        PackedImages(tmp_path, "", [str(row) for row in range(4)], 6)[np.array([0])]
