"""The face-alignment code path, offline: stand-in weights of a few hundred kB in the package's own cache folder.

The stand-ins have the shapes of the real files. FAN answers with flat heat maps, their first pixel is the peak,
so all 68 points lie in the top left corner of the crop: a place that can be computed by hand. S3FD finds faces of one
scale everywhere, or nowhere, by the bias of its last layers.
"""

from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fer_bench.datasets import read_image
from fer_bench.errors import InputError
from fer_bench.landmarks import _fan, run
from fer_bench.landmarks._run import make
from fer_bench.landmarks.face_alignment import FAN_FILE, S3FD_FILE, Backend, Settings

SOURCE = "params.yaml: landmarks.face_alignment"
SCALES = ("conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2")  # faces of 32, 64, 128, 256 and 512 px
IMAGE = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
pytestmark = pytest.mark.filterwarnings("ignore:.*not the published file")


def save_stand_in(network: torch.nn.Module, path: Path, biases: dict[str, list[float]]) -> None:
    """Save a state dict of zeros (variances: ones) that takes no space: one number, repeated by a stride of 0."""
    state = {}
    for name, value in network.state_dict().items():
        filled = torch.tensor(float(name.endswith("running_var")), dtype=value.dtype).expand(value.shape)
        state[name] = torch.tensor(biases[name]) if name in biases else filled
    torch.save(state, path)


def save_s3fd(folder: Path, scale: str | None) -> None:
    from face_alignment.detection.sfd.net_s3fd import s3fd

    biases = {f"{name}_mbox_conf.bias": [-3.0, 3.0] if name == scale else [5.0, -5.0] for name in SCALES}
    biases["conv3_3_norm_mbox_conf.bias"] = [5.0, 5.0, 5.0, -5.0]  # three background scores, one face score
    with torch.device("meta"):
        network = s3fd()
    save_stand_in(network, folder / S3FD_FILE, biases)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torch.hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins of both files; S3FD finds one face."""
    from face_alignment import utils
    from face_alignment.models import FAN

    with torch.device("meta"):
        network = FAN(4)
    save_stand_in(network, checkpoints / FAN_FILE, {})
    save_s3fd(checkpoints, "conv7_2")
    for name in ("transform_np", "_get_preds_fromhm"):  # the same functions without ten seconds of compilation
        monkeypatch.setattr(utils, name, getattr(utils, name).py_func)
    return checkpoints


def corner(box: tuple[float, ...]) -> np.ndarray:
    """The point in the middle of the first heat map pixel, by the package's conventions.

    The crop has a side of 200 (w + h) / 195 px, its centre lies 12 % of h above the box's. A heat map has 64 pixels.
    """
    left, top, right, bottom = box
    side = 200 * (right - left + bottom - top) / 195
    centre = np.array([right - (right - left) / 2, bottom - (bottom - top) / 2 - 0.12 * (bottom - top)])
    return np.trunc(centre - side / 2 + 0.5 * side / 64)


def test_a_face_is_found_and_its_points_mapped(weights: Path) -> None:
    found = Backend(Settings(device="cpu")).detect(IMAGE)
    assert (found.status, found.step, found.message) == ("ok", "s3fd", "")
    assert found.box == pytest.approx((-192, -192, 320, 320)) or found.box == pytest.approx((-64, -64, 448, 448))
    assert found.score == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-4)
    assert found.points.shape == (68, 2)
    assert (found.points == corner(found.box)).all()


def test_several_faces(weights: Path) -> None:
    save_s3fd(weights, "conv6_2")
    found = Backend(Settings(device="cpu")).detect(IMAGE)
    assert found.status == "several_faces"
    assert "faces found, the largest central one taken" in found.message
    assert (found.points == corner(found.box)).all()


def test_every_face_is_listed(weights: Path) -> None:
    save_s3fd(weights, "conv6_2")
    backend = Backend(Settings(device="cpu", whole_image="no_face"))
    taken, listed = backend.detect(IMAGE), backend.faces(IMAGE)
    assert f"{len(listed)} faces found" in taken.message
    assert {one.status for one in listed} == {"ok"}
    assert taken.box in [one.box for one in listed]
    assert all((one.points == corner(one.box)).all() for one in listed)
    save_s3fd(weights, None)
    assert Backend(Settings(device="cpu", whole_image="no_face")).faces(IMAGE) == []
    assert Backend(Settings(device="cpu", whole_image="always")).faces(IMAGE) == []


def test_no_face_and_its_fallback(weights: Path) -> None:
    save_s3fd(weights, None)
    none = Backend(Settings(device="cpu")).detect(IMAGE)
    assert (none.status, none.step) == ("no_face", "")
    assert np.isnan(none.points).all()
    backend = Backend(Settings(device="cpu", whole_image="no_face", inset=0.25))
    found = backend.detect(IMAGE)
    assert (found.status, found.step) == ("fallback", "whole_image")
    assert found.box == (28, 28, 84, 84)
    assert (found.points == corner(found.box)).all()
    assert found.score == 0  # flat heat maps
    assert set(backend.seconds) == {"s3fd", "whole_image"}


def test_a_batch_finds_what_single_images_give(weights: Path) -> None:
    """Images of several sizes, in a batch that is not full."""
    images = [IMAGE, np.ascontiguousarray(IMAGE[:96, :80]), IMAGE[::-1].copy()]
    backend = Backend(Settings(device="cpu", whole_image="always", batch_size=4))
    for image, (found, seconds) in zip(images, backend.detect_batch(images), strict=True):
        alone = backend.detect(image)
        assert (found.status, found.box, found.score) == (alone.status, alone.box, alone.score)
        assert (found.points == alone.points).all()
        assert list(seconds) == ["whole_image"]


def test_faces_without_a_box_take_no_part_in_a_pass(weights: Path) -> None:
    save_s3fd(weights, None)
    backend = Backend(Settings(device="cpu"))
    found = [detection for detection, _ in backend.detect_batch([IMAGE, IMAGE])]
    assert [one.status for one in found] == ["no_face", "no_face"]


@pytest.fixture
def small_fan(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Networks with a random FAN of one hourglass, as `_fan.fit` uses them."""
    from face_alignment import LandmarksType, utils
    from face_alignment.models import FAN

    for name in ("transform_np", "_get_preds_fromhm"):
        monkeypatch.setattr(utils, name, getattr(utils, name).py_func)
    torch.manual_seed(0)
    network = FAN(1).eval().to(memory_format=torch.channels_last)
    return SimpleNamespace(
        face_alignment_net=network,
        face_detector=SimpleNamespace(reference_scale=195),
        flip_input=True,
        device="cpu",
        dtype=torch.float32,
        verbose=False,
        max_batch_size=1,
        landmarks_type=LandmarksType.TWO_D,
    )


def test_a_face_has_the_same_bits_beside_any_others(small_fan: SimpleNamespace) -> None:
    images = [IMAGE, IMAGE[::-1].copy(), IMAGE[:, ::-1].copy()]
    boxes = [(10.0, 20.0, 90.0, 100.0), (0.0, 0.0, 112.0, 112.0), (30.0, 5.0, 70.0, 60.0)]
    together = _fan.fit(small_fan, images, boxes, size=2)
    for image, box, (points, score) in zip(images, boxes, together, strict=True):
        ((alone, height),) = _fan.fit(small_fan, [image], [box], size=2)
        assert (points == alone).all()
        assert score == height


def test_the_points_are_those_of_the_package(small_fan: SimpleNamespace) -> None:
    from face_alignment import FaceAlignment

    box = (10.0, 20.0, 90.0, 100.0)
    ((points, score),) = _fan.fit(small_fan, [IMAGE], [box], size=1)
    published = FaceAlignment.get_landmarks_from_image
    ((theirs,), (heights,), _) = published(small_fan, IMAGE, [np.array(box)], return_landmark_score=True)
    assert score == pytest.approx(float(heights.mean()), rel=1e-4)
    assert np.abs(points - theirs).max() <= 1  # two pixels of a random heat map may tie but for rounding
    assert (points == theirs).mean() > 0.9


def test_a_detector_threshold_above_the_score(weights: Path) -> None:
    assert Backend(Settings(device="cpu", detector_threshold=0.999)).detect(IMAGE).status == "no_face"


def test_aligned_crops_need_no_detector(weights: Path) -> None:
    (weights / S3FD_FILE).unlink()
    settings = Settings(device="cpu", whole_image="always", inset=0.0, flip_input=True, dtype="bfloat16")
    backend = Backend(settings)
    found = backend.detect(IMAGE)
    assert (found.status, found.step, found.box) == ("fallback", "whole_image", (0, 0, 112, 112))
    assert list(backend.seconds) == ["whole_image"]


def test_run_writes_the_table(weights: Path, tmp_path: Path) -> None:
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    index = pd.DataFrame({"id": ["a"], "path": ["a.png"], "sha256": [sha256(IMAGE.tobytes()).hexdigest()]})
    arguments = (tmp_path / "o.parquet", 1, False, read_image, tmp_path / "c")
    frame = run(index, tmp_path, "face_alignment", {"device": "cpu"}, *arguments)
    assert frame.loc[0, ["status", "step", "backend"]].tolist() == ["ok", "s3fd", "face_alignment"]
    assert frame["x0"].dtype == np.float32


def test_missing_weights_say_which_where_how_and_what_works(checkpoints: Path) -> None:
    with pytest.raises(InputError) as caught:
        make("face_alignment", {}, SOURCE)
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        SOURCE,
        str(checkpoints),
        FAN_FILE,
        S3FD_FILE,
        "11f355bf06",
        "619a316812",
        "sha256",
        "dlib",
        "offline",
    ):
        assert part in message


def test_only_the_missing_file_is_named(weights: Path) -> None:
    (weights / S3FD_FILE).unlink()
    with pytest.raises(InputError) as caught:
        make("face_alignment", {}, SOURCE)
    assert S3FD_FILE in str(caught.value)
    assert FAN_FILE not in str(caught.value)


def test_nothing_is_downloaded_unasked(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("tried to download")

    monkeypatch.setattr(torch.hub, "download_url_to_file", forbidden)
    with pytest.raises(InputError, match="weights missing"):
        make("face_alignment", {}, SOURCE)


def test_a_failed_download_is_the_same_clear_error(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(InputError, match=f"weights missing in .*{FAN_FILE}.*download failed .*no route"):
        make("face_alignment", {"download": True}, SOURCE)


def test_a_download_fetches_both_files_and_keeps_the_backend_light(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stored = (weights / S3FD_FILE).read_bytes()
    (weights / S3FD_FILE).unlink()

    def fetch(_: str, target: str, *__: object, **___: object) -> None:
        Path(target).write_bytes(stored)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    backend = make("face_alignment", {"download": True, "device": "cpu"}, SOURCE)
    assert "fetching weights" in capfd.readouterr().err
    assert (weights / S3FD_FILE).read_bytes() == stored
    assert "_networks" not in vars(backend)


def test_damaged_weights_stop_the_run(weights: Path, tmp_path: Path) -> None:
    (weights / FAN_FILE).write_bytes(b"not a state dict")
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    index = pd.DataFrame({"id": ["a"], "path": ["a.png"], "sha256": ["a"]})
    arguments = (tmp_path / "o.parquet", 1, False, read_image, tmp_path / "c")
    with pytest.raises(InputError, match=f"cannot be loaded .*expected the published {FAN_FILE}"):
        run(index, tmp_path, "face_alignment", {"device": "cpu"}, *arguments)


def test_foreign_weights_are_used_with_a_warning_and_make_another_cache(weights: Path) -> None:
    backend = make("face_alignment", {"device": "cpu", "download": True}, SOURCE)
    with pytest.warns(UserWarning, match=f"{S3FD_FILE} has sha256 .*not the published file"):
        identity = backend.identity()
    assert identity["weights"][FAN_FILE] == sha256((weights / FAN_FILE).read_bytes()).hexdigest()
    assert identity["settings"]["device"] == "cpu"
    assert identity["settings"]["batch_size"] == 1
    assert "download" not in identity["settings"]


def test_one_process_on_an_accelerator() -> None:
    backend = object.__new__(Backend)
    backend.settings = Settings(device="cuda:1")
    assert backend.processes(8) == 1
    backend = object.__new__(Backend)
    backend.settings = Settings(device="cpu")
    assert backend.processes(8) == 8


@pytest.mark.slow
def test_the_compiled_functions_agree(checkpoints: Path) -> None:
    """The package's numba functions as they are, without the stand-in for their compilation."""
    from face_alignment.models import FAN

    with torch.device("meta"):
        network = FAN(4)
    save_stand_in(network, checkpoints / FAN_FILE, {})
    found = Backend(Settings(device="cpu", whole_image="always")).detect(IMAGE)
    assert (found.points == corner(found.box)).all()
