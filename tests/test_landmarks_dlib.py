"""The offline backend on generated faces: steps, statuses, resuming, interruption, workers."""

import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_bench.datasets import read_image
from fer_bench.errors import InputError
from fer_bench.landmarks import _weights, error_against, read, run
from fer_bench.landmarks._run import make
from fer_bench.landmarks.dlib import Backend, Settings
from fer_bench.synthface import SynthSettings, generate

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
FACES = 14
NOISE = {"mmod_side": 80, "enlarge_to": 80, "bad_box": "fallback"}  # the cheapest way through all four steps


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Fourteen unoccluded faces, the smallest size at which the detectors are at home."""
    folder = tmp_path_factory.mktemp("faces")
    settings = SynthSettings(train=FACES, val=0, test=0, size=112, occlusion=0.0, glasses=0.0)
    return folder, generate(settings, folder, workers=1, progress=False)


@pytest.fixture(scope="module")
def backend() -> Backend:
    return Backend(Settings())


def face(faces: tuple[Path, pd.DataFrame], row: int = 0) -> np.ndarray:
    return read_image(faces[0] / faces[1]["path"].iloc[row])


def noise(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def index_of(folder: Path, images: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = []
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
        rows.append((name, f"{name}.png", sha256((folder / f"{name}.png").read_bytes()).hexdigest()))
    return pd.DataFrame(rows, columns=["id", "path", "sha256"])


class Reader:
    """Reads images and remembers which."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, path: Path) -> np.ndarray:
        self.seen.append(path.name)
        return read_image(path)


def test_generated_faces_are_found_near_the_truth(faces: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, index = faces
    timings = tmp_path / "provenance" / "t.csv"
    arguments = (tmp_path / "found.parquet", 1, False, read_image, tmp_path / "c")
    frame = run(index, folder, "dlib", {}, *arguments, timings=timings)
    run(index, folder, "given", {}, tmp_path / "true.parquet", *arguments[1:], truth=folder / "ground_truth.parquet")
    ids, points, statuses = read(tmp_path / "found.parquet")
    assert ids.tolist() == index["id"].tolist()
    assert set(statuses) <= {"ok", "fallback", "no_face"}
    assert (statuses == "ok").mean() >= 0.9
    assert np.nanmean(error_against(points, read(tmp_path / "true.parquet")[1])) < 0.08
    assert set(frame.loc[frame["status"] == "ok", "step"]) <= {"hog", "hog_enlarged", "mmod"}
    table = pd.read_csv(timings).set_index("step")
    assert table.loc["all", "tried"] == FACES
    assert table.loc["hog", "found"] == (frame["step"] == "hog").sum()


def test_a_second_run_does_only_what_is_missing(faces: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, index = faces
    settings = {"mmod_threshold": 0.4}
    first, second = Reader(), Reader()
    head = run(index.head(3), folder, "dlib", settings, tmp_path / "a.parquet", 1, False, first, tmp_path / "c")
    both = run(index.head(5), folder, "dlib", settings, tmp_path / "b.parquet", 1, False, second, tmp_path / "c")
    assert len(first.seen) == 3
    assert second.seen == [Path(path).name for path in index["path"].iloc[3:5]]
    pd.testing.assert_frame_equal(both.head(3), head)
    third = Reader()
    run(index.head(1), folder, "dlib", {"hog_threshold": 0.1}, tmp_path / "d", 1, False, third, tmp_path / "c")
    assert len(third.seen) == 1  # other settings, other answers


def test_workers_change_nothing(faces: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, index = faces
    for workers in (1, 2):
        out = tmp_path / f"{workers}.parquet"
        run(index, folder, "dlib", {}, out, workers, False, read_image, tmp_path / f"cache{workers}")
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_no_face_and_unreadable_images_stay_as_rows(faces: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    images = {"noise": noise(0), "face": face(faces), "dot": noise(1, 1), "line": np.tile(noise(2, 1), (1, 300, 1))}
    index = index_of(tmp_path, images)
    index.loc[len(index)] = ["broken", "broken.png", "b"]
    index.loc[len(index)] = ["twin", "face.png", index.loc[1, "sha256"]]
    (tmp_path / "broken.png").write_bytes(b"")
    reader = Reader()
    frame = run(index, tmp_path, "dlib", {}, tmp_path / "o", 1, False, reader, tmp_path / "c").set_index("id")
    assert frame["status"].drop(["dot", "line"]).to_dict() == {
        "noise": "no_face",
        "face": "ok",
        "broken": "error",
        "twin": "ok",
    }
    assert "broken.png: empty file" in frame.loc["broken", "message"]
    assert frame.loc[["noise", "broken"], ["x0", "y67", "box_x1", "score"]].isna().all(axis=None)
    assert frame.loc["twin", "x0"] == frame.loc["face", "x0"]
    assert reader.seen.count("face.png") == 1
    again = Reader()
    run(index, tmp_path, "dlib", {}, tmp_path / "o", 1, False, again, tmp_path / "c")
    assert again.seen == ["broken.png"]  # an error is no finding: tried again


def test_no_landmarks_at_all(tmp_path: Path) -> None:
    index = index_of(tmp_path, {"a": noise(0), "b": noise(1)})
    with pytest.raises(InputError, match=r"no landmarks at all in 2 images \(2 images, 2 no_face"):
        run(index, tmp_path, "dlib", {}, tmp_path / "o.parquet", 1, False, read_image, tmp_path / "c")
    assert len(list((tmp_path / "c").rglob("no_landmarks.parquet"))) == 1


def test_steps_when_earlier_ones_find_nothing(faces: tuple[Path, pd.DataFrame], backend: Backend) -> None:
    image = face(faces)
    native = backend.detect(image)
    assert (native.status, native.step, native.message) == ("ok", "hog", "")
    assert list(backend.seconds) == ["hog"]
    forced = Backend(Settings(hog_threshold=50.0))
    cnn = forced.detect(image)
    assert (cnn.status, cnn.step) == ("ok", "mmod")
    assert list(forced.seconds) == ["hog", "hog_enlarged", "mmod"]
    assert error_against(cnn.points[None], native.points[None])[0] < 0.08  # its box was turned into one of HOG's
    small = np.asarray(Image.fromarray(image).resize((56, 56)))
    enlarged = backend.detect(small)
    assert (enlarged.status, enlarged.step) == ("ok", "hog_enlarged")
    assert error_against(enlarged.points[None] * 2, native.points[None])[0] < 0.08


def test_whole_image_box_is_judged_by_its_spread(faces: tuple[Path, pd.DataFrame]) -> None:
    never = {"hog_threshold": 50.0, "mmod_threshold": 50.0}
    kept = Backend(Settings(**never, max_spread=1.0)).detect(face(faces))
    assert (kept.status, kept.step) == ("fallback", "whole_image")
    assert -1 < kept.score < 0
    assert f"{-kept.score:.3f}" in kept.message
    dropped = Backend(Settings(**never, max_spread=-kept.score / 2)).detect(face(faces))
    assert (dropped.status, dropped.step) == ("no_face", "")
    assert np.isnan(dropped.points).all()
    still = Backend(Settings(**never, max_spread=-kept.score / 2, bad_box="fallback")).detect(face(faces))
    assert still.status == "fallback"


def test_of_two_faces_the_larger_central_one_is_taken(faces: tuple[Path, pd.DataFrame], backend: Backend) -> None:
    scene = np.full((240, 420, 3), 128, np.uint8)
    scene[64:176, 8:120] = face(faces)
    scene[8:232, 190:414] = np.asarray(Image.fromarray(face(faces)).resize((224, 224)))
    found = backend.detect(scene)
    assert found.status == "several_faces"
    assert "2 faces found" in found.message
    assert 190 < found.points[:, 0].min() < found.points[:, 0].max() < 414


def test_every_face_is_listed_with_its_own_points(faces: tuple[Path, pd.DataFrame], backend: Backend) -> None:
    scene = np.full((240, 420, 3), 128, np.uint8)
    scene[64:176, 8:120] = face(faces)
    scene[8:232, 190:414] = np.asarray(Image.fromarray(face(faces)).resize((224, 224)))
    small, large = sorted(backend.faces(scene), key=lambda one: one.box[0])
    assert {small.status, large.status} == {"ok"}
    assert 8 < small.points[:, 0].min() < small.points[:, 0].max() < 120
    native = backend.detect(face(faces)).points
    assert error_against(large.points[None], native[None] * 2 + (190, 8))[0] < 0.08
    assert backend.faces(noise(0)) == []  # the whole-image box never stands in


def test_a_large_image_is_shrunk_and_mapped_back(faces: tuple[Path, pd.DataFrame]) -> None:
    large = np.asarray(Image.fromarray(face(faces)).resize((672, 672)))
    limited = Backend(Settings(largest_side=112)).detect(large)
    native = Backend(Settings()).detect(face(faces))
    assert limited.status == "ok"
    assert error_against(limited.points[None] / 6, native.points[None])[0] < 0.05


def test_the_licence_restriction_is_printed_once(capfd: pytest.CaptureFixture[str]) -> None:
    from fer_bench.landmarks.dlib import _print_licence

    _print_licence.cache_clear()
    Backend(Settings())
    Backend(Settings())
    assert capfd.readouterr().err.count("excludes commercial use") == 1


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr(_weights.importlib.util, "find_spec", lambda _: None)
        with pytest.raises(InputError, match=r"landmarks\.dlib: package dlib-bin .*fer_bench\[landmarks-offline\]"):
            make("dlib", {}, "params.yaml: landmarks.dlib")
    monkeypatch.setattr(_weights, "distribution", absent)
    with pytest.raises(InputError, match=r"face-recognition-models .*fer_bench\[landmarks-offline\]"):
        make("dlib", {}, "params.yaml: landmarks.dlib")


def test_unknown_backend_and_setting() -> None:
    with pytest.raises(InputError, match="did you mean 'dlib'"):
        make("dlibb", {}, "params.yaml: landmarks.dlibb")
    with pytest.raises(InputError, match="did you mean 'hog_threshold'"):
        make("dlib", {"hog_treshold": 1.0}, "params.yaml: landmarks.dlib")


RUN = """
import sys, time
from pathlib import Path
import pandas as pd
from fer_bench.datasets import read_image
from fer_bench.landmarks import run

FOLDER = Path(sys.argv[1])

def slowly(path):
    (FOLDER / f"{__import__('os').getpid()}.pid").touch()
    time.sleep(0.1)
    return read_image(path)

if __name__ == "__main__":
    index = pd.read_csv(FOLDER / "index.csv")
    run(index, FOLDER, "dlib", SETTINGS, FOLDER / "o.parquet", 2, False, slowly, FOLDER / "c")
"""


def _alive(pid: int) -> bool:
    """A process that has ended may stay listed as a zombie until somebody asks for its status."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def _wait(condition: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def _kept(folder: Path) -> int:
    return sum(shard.read_text().count("\n") for shard in (folder / "c").rglob("shard-*.jsonl"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
def test_a_killed_run_loses_nothing_and_leaves_nobody_behind(tmp_path: Path) -> None:
    images = 20
    index_of(tmp_path, {f"n{i}": noise(i) for i in range(images)}).to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "script.py").write_text(RUN.replace("SETTINGS", repr(NOISE)))
    process = subprocess.Popen([sys.executable, str(tmp_path / "script.py"), str(tmp_path)], stderr=subprocess.DEVNULL)
    _wait(lambda: process.poll() is not None or _kept(tmp_path) > 0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert workers
    _wait(lambda: not any(_alive(pid) for pid in workers))
    kept = _kept(tmp_path)
    assert 0 < kept < images
    rest = Reader()
    index = pd.read_csv(tmp_path / "index.csv")
    frame = run(index, tmp_path, "dlib", NOISE, tmp_path / "o.parquet", 1, False, rest, tmp_path / "c")
    assert len(rest.seen) == images - kept
    some = index.iloc[::4]  # rows from before the kill and from after it
    whole = run(some, tmp_path, "dlib", NOISE, tmp_path / "p.parquet", 1, False, read_image, tmp_path / "fresh")
    pd.testing.assert_frame_equal(frame.iloc[::4].reset_index(drop=True), whole)
