"""Killed in the midst of it, generated faces, landmarks and packed images go on; what is done is not done again."""

import shutil
import subprocess
import sys
from hashlib import sha256

import pytest
from small_pipeline import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FACES = """
import sys
from pathlib import Path
from fer_bench.synthface import SynthSettings, generate
if __name__ == "__main__":
    knobs = SynthSettings(train=70, val=7, test=7, size=48)
    generate(knobs, Path(sys.argv[1]), workers=int(sys.argv[2]), progress=False)
"""
PACKED = """
import sys, time
from pathlib import Path
import numpy as np
from fer_bench import packed
packed.CHUNK = 4
def decode(row, side):
    with open(sys.argv[2], "a") as told:
        print(row, file=told)
    time.sleep(float(sys.argv[3]))
    return np.full((side, side, 3), row, np.uint8)
packed.PackedImages(Path(sys.argv[1]), "", [str(row) for row in range(20)], 6).build(decode, progress=False)
"""


def contents(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize("workers", [1, 2])
def test_generated_faces(tmp_path, workers):
    script = tmp_path / "script.py"
    script.write_text(FACES)
    command = [sys.executable, str(script)]
    subprocess.run([*command, str(tmp_path / "peace"), str(workers)], check=True)
    killed = subprocess.Popen([*command, str(tmp_path / "killed"), str(workers)])
    images = tmp_path / "killed/images"
    until(lambda: len(list(images.glob("*.png"))) >= 20)
    killed.kill()
    killed.wait()
    done = {path: path.stat().st_mtime_ns for path in images.glob("*.png")}
    assert len(done) < 84
    subprocess.run([*command, str(tmp_path / "killed"), str(workers)], check=True)
    assert contents(tmp_path / "killed") == contents(tmp_path / "peace")
    kept = [path for path, stamp in done.items() if path.stat().st_mtime_ns == stamp]
    assert len(kept) >= len(done) - 2 * workers  # an image whose mask is not there yet is drawn again


def test_packed_images(tmp_path):
    script, told = tmp_path / "script.py", tmp_path / "told"
    script.write_text(PACKED)
    command = [sys.executable, str(script), str(tmp_path / "packed"), str(told)]
    killed = subprocess.Popen([*command, "0.1"])
    until(lambda: told.is_file() and len(told.read_text().split()) == 11)  # the third image of the third file
    killed.kill()
    killed.wait()
    told.unlink()
    subprocess.run([*command, "0"], check=True)
    assert [int(row) for row in told.read_text().split()] == list(range(8, 20))
    assert len(list((tmp_path / "packed").rglob("*.npy"))) == 5


@pytest.mark.parametrize("way", [("dvc", "repro"), ("fer_bench.cli", "repro", "-j", "2")])
def test_landmarks_in_the_pipeline(pipeline, way):
    """The whole stage killed, dvc and workers included: its journal holds what was found, its table is the same."""
    whole = pipeline.hashes("landmarks@synthetic_smoke")
    journals = pipeline.folder / "results/provenance/landmarks/synthetic_smoke"
    for path in [*journals.rglob("*.jsonl"), pipeline.folder / "data/landmarks/synthetic_smoke.parquet"]:
        path.unlink()
    cache = pipeline.folder / ".dvc/cache"
    for path in (cache / "runs").rglob("*"):
        if path.is_file() and "landmarks" in path.read_text():
            path.unlink()

    def lines():
        return [line for path in journals.rglob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]

    def found():
        return [line.split('"')[3] for line in lines() if line.endswith("\n")]

    table = next(iter(whole.values()))
    (cache / "files/md5" / table[:2] / table[2:]).unlink()
    started = pipeline.start(*way, "landmarks")
    until(lambda: len(found()) >= 30)
    for process in pipeline.processes():
        process.kill()
    started.wait()
    before = found()
    assert len(before) < 140
    pipeline.run(*way, "landmarks")
    assert pipeline.hashes("landmarks@synthetic_smoke") == whole
    assert len(set(found())) == len(found())  # no image twice
    assert set(before) <= set(found())


@pytest.mark.parametrize("way", [("dvc", "repro"), ("fer_bench.cli", "repro", "-j", "2")])
def test_generated_faces_in_the_pipeline(pipeline, way):
    """DVC clears the folder of the faces before the stage; what is unfinished lies elsewhere."""
    whole = pipeline.hashes("faces@synthetic_smoke")
    shutil.rmtree(pipeline.folder / "data/faces/synthetic_smoke")
    shutil.rmtree(pipeline.folder / ".dvc/cache")
    images = pipeline.folder / "results/provenance/faces/synthetic_smoke"
    started = pipeline.start(*way, "faces")
    until(lambda: len(list(images.glob("*/images/*.png"))) >= 30)
    for process in pipeline.processes():
        process.kill()
    started.wait()
    done = {path.name: path.stat().st_mtime_ns for path in images.glob("*/images/*.png")}
    assert len(done) < 140
    pipeline.run(*way, "faces")
    assert pipeline.hashes("faces@synthetic_smoke") == whole
    made = pipeline.folder / "data/faces/synthetic_smoke/images"
    assert sum((made / name).stat().st_mtime_ns == stamp for name, stamp in done.items()) >= len(done) - 8
    assert not list(images.glob("*"))
