"""Files made to do harm: each is one clear error, no code of theirs runs, nothing outside is read or written."""

import hashlib
import io
import os
import pickle
import zipfile
import zlib
from pathlib import Path

import ferplus_dataset
import numpy as np
import pandas as pd
import pytest
import torch
from folder_dataset import make_folder, picture, prepare, refused, table, write
from huggingface_hub import constants
from PIL import Image, PngImagePlugin

from fer_bench import weight_files
from fer_bench.backbones import hub
from fer_bench.datasets import ferplus, read_image, read_index
from fer_bench.datasets._affectnet_npy import read_number
from fer_bench.datasets._images import check_bytes
from fer_bench.datasets.au_table import Dataset as AuTable
from fer_bench.datasets.au_table import Settings as AuTableSettings
from fer_bench.errors import LONGEST, InputError
from fer_bench.landmarks import _fan, _weights
from fer_bench.landmarks.face_alignment import S3FD_FILE, Backend, Settings
from fer_bench.yaml_file import read_untagged_yaml, read_yaml


class Surprise:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("code of a file was run",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


# paths


def test_a_link_to_an_image_outside_is_refused(root: Path, tmp_path: Path) -> None:
    picture(5).save(tmp_path / "private.png")
    image = root / "images" / "Person_03_0001.png"
    image.unlink()
    image.symlink_to(tmp_path / "private.png")
    message = refused(root, r"1 of 21 images lead out of .*Person_03_0001\.png -> .*private\.png")
    assert "cp -rL" in message


def test_a_linked_folder_is_refused_and_a_link_within_is_not(root: Path, tmp_path: Path) -> None:
    (root / "images").rename(root / "pictures")
    (root / "images").symlink_to(root / "pictures")
    assert len(prepare(root)) == 21
    (root / "pictures").rename(tmp_path / "elsewhere")
    (root / "images").unlink()
    (root / "images").symlink_to(tmp_path / "elsewhere")
    refused(root, "21 of 21 images lead out of", out=tmp_path / "second")
    assert len(prepare(root, images=str(tmp_path / "elsewhere"))) == 21  # named in params.yaml


def test_a_root_that_is_a_link_itself_works(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert len(prepare(tmp_path / "link")) == 21


def test_a_pipe_in_the_place_of_an_image_does_not_stop_the_run(root: Path) -> None:
    rows = pd.DataFrame({"image": ["images/a.png"], "au": ["12"]})
    rows.to_csv(root / "units.csv", index=False)
    pd.DataFrame({"image": ["a.png"], "label": ["happiness"]}).to_csv(root / "labels.csv", index=False)
    rows.assign(image="a.png").to_csv(root / "units.csv", index=False)
    os.mkfifo(root / "images" / "a.png")
    settings = AuTableSettings(root=str(root), layout="csv", units="units.csv", images="images", labels="labels.csv")
    with pytest.raises(InputError, match=r"images/a\.png \(no ordinary file\)"):
        AuTable("mine", settings).prepare(root.parent / "out", workers=1, progress=False)


@pytest.mark.parametrize("name", ["a\x00.png", "a\x1b[2Jb.png", ".", "images/.."])
def test_names_that_are_none(root: Path, name: str) -> None:
    rows = table(root)
    rows.loc[4, "image"] = name
    write(root, rows)
    message = refused(root, "outside the image folder: |not a readable CSV")
    assert message.isprintable()


def test_no_stored_image_is_written_outside(tmp_path: Path) -> None:
    root = ferplus_dataset.make(tmp_path / "fer")
    votes = pd.read_csv(root / "fer2013new.csv", keep_default_na=False)
    votes.loc[0, "Image name"] = "../../../stolen.png"
    votes.to_csv(root / "fer2013new.csv", index=False)
    found = ferplus.Dataset("fer", ferplus.Settings(root=str(root), expressions=8))
    with pytest.raises(InputError, match=r"1 ids would lead out .*'\.\./\.\./\.\./stolen'"):
        found.prepare(tmp_path / "a" / "b" / "out", workers=1, progress=False)
    assert not list(tmp_path.rglob("stolen*"))


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret.png", "images/../../x.png", ""])
def test_an_index_does_not_lead_out_of_its_folder(tmp_path: Path, path: str) -> None:
    header = "id,path,label,split,subject,width,height,sha256\n"
    (tmp_path / "index.csv").write_text(f"{header}a,{path},fear,test,,8,8,0\n")
    with pytest.raises(InputError, match=r"index\.csv: 1 paths would lead out"):
        read_index(tmp_path / "index.csv")


# images


def test_text_in_a_png_is_not_unpacked_without_end(tmp_path: Path) -> None:
    entry = PngImagePlugin.PngInfo()
    entry.add_text("bomb", "0" * 200_000_000, zip=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=entry)
    assert (tmp_path / "a.png").stat().st_size < 1_000_000
    with pytest.raises(InputError, match="damaged or truncated"):
        read_image(tmp_path / "a.png")


def test_a_file_larger_than_any_image_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.write(b"\xff\xd8")
        file.truncate(2**40)  # takes no space
    with pytest.raises(InputError, match=r"a\.jpg: too large: a file of 1,099,511,627,776 bytes"):
        read_image(tmp_path / "a.jpg")
    Image.fromarray(np.zeros((50, 50, 4), np.uint8)).save(tmp_path / "b.tif")
    check_bytes(tmp_path / "b.tif", max_pixels=2500)


# numbers and settings


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def test_a_label_of_many_terabytes_is_not_allocated() -> None:
    with pytest.raises(InputError, match=r"float64 of shape \(1000000000000,\)"):
        read_number(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"))
    with pytest.raises(InputError, match="more than 4096 bytes"):
        read_number(b"\x93NUMPY" + b"0" * 5000)


def test_a_pickled_label_is_not_opened() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array(0, object), allow_pickle=True)
    data = buffer.getvalue()
    hostile = data[: data.index(b"\n") + 1] + pickle.dumps(np.array(Surprise(), object))
    with pytest.raises(InputError, match="a pickled object, which is never opened"):
        read_number(hostile)


@pytest.mark.parametrize("value", [np.array(3.5), np.array(np.nan), np.array(True), np.array(1j), np.array("x")])
def test_a_label_that_is_no_whole_number(value: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, value)
    with pytest.raises(InputError):
        read_number(buffer.getvalue())


BILLIONS = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BILLIONS, "stands for more than 1,000,000 values"),
        ("a: &a [*a]\n", "more than 50 levels deep, or one that holds itself"),
        ("a: " + "[" * 2000 + "]" * 2000, "levels deep|cannot|not YAML"),
        ("a: 2001-99-99\n", "not YAML that can be read"),
        ("a: " + "9" * 5000, "not YAML that can be read|stands"),
    ],
)
def test_settings_made_to_exhaust(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    for read in (read_yaml, read_untagged_yaml):
        with pytest.raises(InputError, match=reason):
            read(tmp_path / "a.yaml")


def test_tags_of_python_objects_make_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"a: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    with pytest.raises(InputError, match="line 1"):
        read_yaml(path)
    assert read_untagged_yaml(path) == {"a": [f"{tmp_path}/made"]}
    path.write_text("a: !munch.Munch {b: 1}\n")
    assert read_untagged_yaml(path) == {"a": {"b": 1}}
    assert not (tmp_path / "made").exists()


def test_a_file_that_is_too_large_for_settings(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n" + "#" * 5_000_000)
    with pytest.raises(InputError, match="settings have 4,194,304 at most"):
        read_yaml(tmp_path / "a.yaml")


def test_messages_neither_break_the_line_nor_steer_the_terminal() -> None:
    assert str(InputError("a\nb\x1b[31mc\u202ed é")) == "a\\nb\\x1b[31mc\\u202ed é"
    assert len(str(InputError("x" * 10**6))) == LONGEST + 1
    assert pickle.loads(pickle.dumps(InputError("a\nb"))).args == ("a\\nb",)  # between processes


# weights


def test_code_in_a_weight_file_is_never_run(tmp_path: Path) -> None:
    for name, content in (("a.pth", {"w": torch.zeros(1), "x": Surprise()}), ("b.pt", Surprise())):
        torch.save(content, tmp_path / name)
        with pytest.raises(InputError, match="holds no weights that can be read"):
            weight_files.read(tmp_path / name, "models.m.weights")
    (tmp_path / "c.pth").write_bytes(pickle.dumps(Surprise()))
    with pytest.raises(InputError, match="holds no weights that can be read"):
        weight_files.read(tmp_path / "c.pth", "models.m.weights")


def test_code_in_the_weights_of_a_detector_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    folder = _weights.checkpoint_folder()
    folder.mkdir(parents=True)
    torch.save({"x": Surprise()}, folder / S3FD_FILE)
    torch.save({"x": Surprise()}, folder / "2DFAN4-11f355bf06.pth.tar")
    with pytest.raises(InputError, match="cannot be loaded"):
        Backend(Settings(device="cpu")).load()
    from face_alignment.detection.sfd import sfd_detector

    options = _fan.detector_options(Settings(), folder / S3FD_FILE)
    with pytest.raises(pickle.UnpicklingError):
        sfd_detector.SFDDetector("cpu", **options)


def test_weights_that_unpack_to_more_than_they_are(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(3)}, tmp_path / "plain.pth")
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as source,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
        target.writestr("archive/data/1", bytes(50_000_000))
    assert set(weight_files.read(tmp_path / "plain.pth", "w")) == {"w"}
    with pytest.raises(InputError, match=r"bomb\.pth unpacks from .* to 50,0"):
        weight_files.read(tmp_path / "bomb.pth", "w")


def test_published_weights_with_another_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "vit_small_p16_224-15ec54c9.pth"
    torch.save({"w": torch.zeros(1)}, path)
    for ask in (weight_files.read, weight_files.check_promise):
        with pytest.raises(InputError, match="its name promises 15ec54c9: damaged, or not the published"):
            ask(path, "models.m.method_kwargs.blocks")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    path.rename(tmp_path / "hub" / "checkpoints" / path.name)
    with pytest.raises(InputError, match="its name promises"):
        weight_files.downloaded(weight_files.VIT_SMALL, "models.m")


def test_hub_weights_that_changed_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--timm--net.in1k"
    content = b"weights"
    blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
    snapshot = folder / "snapshots" / ("0" * 40)
    for made in (folder / "refs", blob.parent, snapshot):
        made.mkdir(parents=True)
    (folder / "refs" / "main").write_text("0" * 40)
    blob.write_bytes(content)
    (snapshot / "model.safetensors").symlink_to(blob)
    hub.check_cached("timm/net.in1k", "models.m.weights")
    hub.check_cached("timm/absent.in1k", "models.m.weights")
    hub.check_cached("", "models.m.weights")
    blob.write_bytes(b"other weights")
    with pytest.raises(InputError, match=r"the hub gave .*damaged or changed"):
        hub.check_cached("timm/net.in1k", "models.m.weights")


def test_a_download_with_another_hash_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "served.pth"
    source.write_bytes(zlib.compress(b"not what was promised"))
    with pytest.raises(RuntimeError, match="invalid hash value"):
        _weights.fetch(source.as_uri(), tmp_path / "cache" / S3FD_FILE)
    assert not list((tmp_path / "cache").iterdir())
    right = f"net-{hashlib.sha256(source.read_bytes()).hexdigest()[:10]}.pth"
    _weights.fetch(source.as_uri(), tmp_path / "cache" / right)
    assert (tmp_path / "cache" / right).read_bytes() == source.read_bytes()
