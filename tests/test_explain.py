"""Photographs explained: the face as the training set frames it, maps and coverage as the evaluation has them."""

import json
import subprocess
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import fer_bench
from fer_bench import cli
from fer_bench.au import store
from fer_bench.commands.explain import EXPLANATIONS
from fer_bench.dataset_files import DatasetFiles
from fer_bench.datasets import _alignment, read_image
from fer_bench.errors import InputError
from fer_bench.explanation import command, explain, trained, words
from fer_bench.explanation.face import cut
from fer_bench.explanation.photo import listed
from fer_bench.explanation.units import Region
from fer_bench.metrics import face_region
from fer_bench.protocols import PROTOCOLS
from fer_bench.targets import Targets
from fer_bench.trained import write_folder
from fer_bench.unit_coverage import UnitCoverage
from tests.trained_cells import CELL, ROOT, repository


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def network(root):
    return trained(CELL, root=root)


@pytest.fixture(scope="module")
def files(root, network):
    entry = json.loads((root / "results" / "runs" / CELL / "log" / "settings.json").read_text(encoding="utf-8"))
    return DatasetFiles(entry["dataset"], root)


@pytest.fixture(scope="module")
def faces(files):
    """Files of the test faces."""
    split = files.faces("test")
    return [split.root / str(path) for path in split.frame["path"]]


@pytest.fixture(scope="module")
def found(network, faces):
    return explain(faces[0], model=network, whole=True)


@pytest.fixture
def no_face(tmp_path):
    path = tmp_path / "wall.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)).save(path)
    return path


def test_a_face_crop_taken_whole_is_prepared_as_a_test_image(found, network, files):
    pixels = files.faces("test").decode(0, 64)
    images = torch.from_numpy(pixels[None]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        wanted = network.classifier(images).logits.softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(found.network.probabilities, wanted, atol=1e-6)
    assert found.expression == network.about.expressions[int(wanted.argmax())]
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("variant", ["paper", "facs"])
def test_coverage_is_that_of_the_evaluation(found, files, variant, root):
    reading = next(one for one in found.readings if one.variant == variant)
    faces = files.faces("test")
    faces.frame, faces.labels = faces.frame.iloc[[0]], np.array([found.network.predicted])
    targets = Targets(files, faces, ["paper", "facs"], 64)
    # The store was filled with true landmarks; what is measured here are those found, so the regions are drawn anew.
    points = found.face.detection.points[None]
    store.write([str(name) for name in files.index["id"]], np.repeat(points, len(files.index), 0),
                files.index[["height", "width"]].to_numpy(), root / "anew", progress=False, paper_side=224)  # fmt: skip
    targets._stores = {name: store.MapStore(root / "anew", name) for name in ("paper", "facs")}
    hulls = face_region((points + 0.5) / np.array([80, 80]), 64)
    maps = {
        "att.5": torch.from_numpy(found.network.attention)[None],
        "cam.cam": torch.from_numpy(found.network.cams["cam"])[None],
    }
    measured = UnitCoverage(maps, targets, hulls, files.plugin.expressions, PROTOCOLS["clean"]).arrays(variant)
    row = found.network.predicted
    for mine, key in (("attention", "att.5"), ("cam", "cam.cam"), ("ideal", "ideal")):
        values = [np.nan if region.coverage.get(mine) is None else region.coverage[mine] for region in reading.regions]
        # the store keeps maps as bytes, so that single pixels at the edge of a region differ
        np.testing.assert_allclose(values, measured[f"{key}.{variant}"][row], atol=0.03, equal_nan=True)
    assert [bool(region.own) for region in reading.regions] == measured[f"own.{variant}"][row].tolist()


def test_a_crop_onto_the_template_of_rafdb_is_the_dataset_s_own(network):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (300, 260, 3), dtype=np.uint8)
    five = _alignment.TEMPLATE * 0.8 + 20 + rng.normal(0, 3, (5, 2))
    how = network.about.preparation.model_copy(update={"crop_size": (224, 224), "border": "black", "antialias": False})
    to_photo = _alignment.similarity(_alignment.TEMPLATE, five)
    np.testing.assert_array_equal(cut(image, to_photo, how), _alignment.align(image, five)[0])


def test_a_large_face_is_reduced_without_aliasing(network):
    how = network.about.preparation
    fine = np.indices((800, 800)).sum(axis=0) % 2 * 255  # a chequerboard of single pixels is grey from afar
    image = np.repeat(fine[..., None], 3, axis=2).astype(np.uint8)
    crop = cut(image, np.array([(8.0, 0, 100), (0, 8.0, 100)]), how)
    assert crop.shape == (80, 80, 3)
    assert abs(crop.astype(float) - 127.5).max() <= 1.5


def test_a_cut_out_face_lies_where_its_landmarks_say(network, faces):
    image = read_image(faces[1])
    large = cv2.copyMakeBorder(
        cv2.resize(image, (320, 320), interpolation=cv2.INTER_CUBIC), 90, 60, 120, 40, cv2.BORDER_CONSTANT
    )
    one, other = explain(image, model=network), explain(large, model=network)
    assert other.face.scale == pytest.approx(4 * one.face.scale, rel=0.05)
    np.testing.assert_allclose(one.face.points, other.face.points, atol=2.5)  # pixels of 80; found at two sizes
    np.testing.assert_allclose(
        _alignment.apply(other.face.to_photo, other.face.points), other.face.detection.points, atol=1e-3
    )
    assert one.to_dict()["preparation"]["crop_width_in_outer_eye_distances"] == pytest.approx(
        other.face.framing, rel=0.08
    )


def test_a_photograph_on_its_side_is_turned_by_its_exif(network, faces, tmp_path):
    upright = Image.open(faces[0]).convert("RGB").crop((0, 0, 80, 76))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright.save(tmp_path / "upright.png")
    turned, straight = (explain(tmp_path / name, model=network, whole=True) for name in ("turned.png", "upright.png"))
    assert turned.photo.pixels.shape == (76, 80, 3)
    assert turned.probabilities == straight.probabilities


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.11, "visited"), (1.1, "even"), (0.9, "even"), (0.89, "ignored"), (None, "undefined")]
)
def test_what_counts_as_visited(value, verdict):
    region = Region((12, 15), (12,), np.zeros((8, 8), bool), {"attention": value}, 3.0)
    assert region.verdict == verdict
    said = words.sentence(region)
    assert "AU 12 (Lip Corner Puller)" in said
    assert ("visits" in said, "ignores" in said) == (verdict == "visited", verdict == "ignored")


def test_neutral_has_nothing_to_visit_and_says_so(found):
    neutral = next(one for one in found.readings if one.variant == "facs")
    empty = type(neutral)("facs", None, neutral.regions)
    assert words.sentences(empty, "neutral") == [
        "The codebook has no action units for neutral, so there is nothing that attention should visit."
    ]


def test_a_network_trained_on_generated_faces_warns_first(found):
    assert found.notes[0] == words.GENERATED
    assert any("40.0 % (chance 70.0 %)" in note for note in found.notes)
    assert words.GENERATED in found.to_html()


class Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_nothing_and_says_what_its_pictures_show(network, faces):
    found = explain(faces[0], model=network, whole=True, explainers=["cam", "gradcam"])
    text = found.to_html()
    page = Page(text)
    pictures = page.of("img")
    assert len(pictures) == 6  # photograph, face, action units, attention, two explainers
    assert all(str(one["src"]).startswith("data:image/png;base64,") and one["alt"] for one in pictures)
    assert not page.of("script") and not page.of("link")
    assert "http" not in text.replace("http-equiv", "")
    assert len(page.of("h1")) == 1 and page.of("html")[0]["lang"] == "en"
    assert all(one.get("scope") for one in page.of("th"))
    assert "<html" not in found._repr_html_() and found._repr_html_() in text.replace("<main", "<div").replace(
        "</main>", "</div>"
    )


def test_a_file_s_name_cannot_write_into_the_page(network, faces, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    path.write_bytes(faces[0].read_bytes())
    page = Page(explain(path, model=network, whole=True).to_html())
    assert all("onerror" not in attributes for attributes in page.of("img"))


def test_the_json_holds_what_was_found(found, tmp_path):
    picture, data, page = found.save(tmp_path / "made", "one")
    read = json.loads(data.read_text(encoding="utf-8"))
    assert read == json.loads(json.dumps(found.to_dict()))
    assert read["prediction"]["expression"] == found.expression
    assert np.shape(read["maps"]["attention"]) == found.network.attention.shape
    assert len(read["face"]["landmarks"]) == 68
    assert read["preparation"]["template"] and read["preparation"]["aligned"] is False
    assert set(read["action_units"]) == {"paper", "facs"} and read["shown_variant"] == "facs"
    assert Image.open(picture).size[0] > 1000 and page.stat().st_size > 10_000


def test_the_same_photograph_gives_the_same_files(found, network, faces, tmp_path):
    again = explain(faces[0], model=network, whole=True)
    for one, other in zip(found.save(tmp_path / "a", "x"), again.save(tmp_path / "b", "x"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_an_export_explains_as_its_cell_does(found, network, faces, tmp_path):
    write_folder(network, tmp_path / "exported", {})
    other = explain(faces[0], model=tmp_path / "exported", whole=True)
    assert other.to_dict() == found.to_dict()


def test_no_face_is_one_line_and_stops_nobody(network, faces, no_face, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "trained", lambda *given: network)
    asked = command.Asked([no_face, faces[0]], tmp_path / "out", whole=True)
    outcome = command.run(asked, CELL, None)
    assert [path.name for path, _ in outcome.failed] == ["wall.png"]
    assert len(outcome.explained) == 1
    stem = faces[0].stem
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [".gitignore", f"{stem}.html", f"{stem}.json", f"{stem}.png"]
    )
    lines = [line for line in capsys.readouterr().err.splitlines() if "wall.png" in line]
    assert len(lines) == 1 and "no face found" in lines[0]


def test_exit_status_and_json(network, faces, no_face, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "trained", lambda *given: network)
    arguments = [
        "explain",
        str(no_face),
        str(faces[0]),
        "--cell",
        CELL,
        "--out",
        str(tmp_path / "out"),
        "--whole",
        "--json",
    ]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 3
    printed = json.loads(result.stdout)
    assert printed["failures"][0]["file"] == "wall.png"
    assert printed["explanations"][0]["photo"]["file"] == faces[0].name
    assert CliRunner().invoke(cli.app, [*arguments[:1], *arguments[2:]]).exit_code == 0


def test_no_network_named_names_make_repro(faces):
    result = CliRunner().invoke(cli.app, ["explain", str(faces[0])])
    assert result.exit_code == 1
    with pytest.raises(InputError, match="make repro"):
        explain(faces[0])
    with pytest.raises(InputError, match="not both"):
        explain(faces[0], cell=CELL, model="exported")


def test_the_package_offers_the_function():
    assert fer_bench.explain is explain
    with pytest.raises(AttributeError, match="no attribute 'explian'"):
        fer_bench.explian()


def test_names_that_do_not_exist(network, faces):
    with pytest.raises(InputError, match="did you mean 'gradcam'"):
        explain(faces[0], model=network, explainers=["gradcm"])
    with pytest.raises(InputError, match="did you mean 'facs'"):
        explain(faces[0], model=network, variant="fac")


def test_photographs_are_never_replaced(network, faces, monkeypatch):
    monkeypatch.setattr(command, "trained", lambda *given: network)
    before = faces[0].read_bytes()
    with pytest.raises(InputError, match="would be replaced"):
        command.run(command.Asked([faces[0]], faces[0].parent), CELL, None)
    assert faces[0].read_bytes() == before


def test_two_photographs_of_one_name_have_two_outputs(tmp_path):
    paths = [tmp_path / "a" / "x.jpg", tmp_path / "b" / "X.png", tmp_path / "c" / "y.png"]
    assert list(command.file_names(paths).values()) == ["x", "X-2", "y"]


def test_a_folder_stands_for_the_photographs_in_it(tmp_path):
    for name in ("b.jpg", "a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in listed([tmp_path, tmp_path / "b.jpg"])] == ["a.PNG", "b.jpg"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no photograph"):
        listed([tmp_path / "empty"])
    with pytest.raises(InputError, match="no such file"):
        listed([tmp_path / "absent.jpg"])


def test_git_ignores_the_default_folder():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    shown = subprocess.run(
        ["git", "check-ignore", str(EXPLANATIONS / "photo.png")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.strip() == "explanations/photo.png"
