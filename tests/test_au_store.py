import json
import pickle

import numpy as np
import pytest
import torch

from fer_bench.au import au_maps
from fer_bench.au.preview import TEMPLATE
from fer_bench.au.store import MapStore, bytes_per_face, ids_hash, write
from fer_bench.errors import InputError

FACES = 60
AFFECTNET = 283_901
LABELS = ["neutral", "happiness", "surprise", "fear", "anger", "disgust", "sadness"]


def faces():
    """Landmarks and image sizes of several shapes; one face without landmarks, one half outside, one outside."""
    generator = np.random.default_rng(0)
    sizes = np.array([[(224, 224), (112, 112), (100, 150)][index % 3] for index in range(FACES)])
    points = TEMPLATE + generator.normal(0, 8, (FACES, 1, 2)) + generator.normal(0, 3, (FACES, 68, 2))
    points = (points * (sizes[:, None, ::-1] / 224)).astype(np.float32)
    points[4] = np.nan
    points[5] += 120
    points[6] += 5000
    return points, sizes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("heatmaps")
    points, sizes = faces()
    write([f"face{index}" for index in range(FACES)], points, sizes, path, chunk=17, progress=False)
    return path


def direct(wanted, size, variant):
    points, sizes = faces()
    pairs = [
        au_maps(
            torch.from_numpy(points[index : index + 1]), [wanted[index]], size, variant, tuple(sizes[index].tolist())
        )
        for index in range(FACES)
    ]
    return torch.cat([maps for maps, _ in pairs]), torch.cat([valid for _, valid in pairs])


@pytest.mark.parametrize("variant", ["paper", "facs"])
@pytest.mark.parametrize("size", [(28, 28), (112, 112), (64, 90), (14, 14)])
def test_stored_maps_equal_drawn_ones(folder, variant, size):
    wanted = [LABELS[index % 7] for index in range(FACES)]
    stored, valid = MapStore(folder, variant).maps(np.arange(FACES), wanted, size)
    drawn, drawn_valid = direct(wanted, size, variant)
    assert torch.equal(valid, drawn_valid)
    assert 0 < valid.sum() < FACES
    assert (stored - drawn).abs().mean((1, 2)).max() <= 1e-3
    cosine = torch.nn.functional.cosine_similarity(stored.flatten(1), drawn.flatten(1))[valid]
    assert cosine.min() >= 0.9999
    assert not stored[~valid].any()
    assert stored.min() >= 0
    assert stored.max() <= 1


def test_any_set_of_units_without_another_pass(folder):
    store = MapStore(folder)
    rows = np.array([9, 3, 3, 0])
    every_unit = {unit for name in LABELS[1:] for unit in (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 16, 17, 20, 25, 26)}
    maps, valid = store.maps(rows, [every_unit, {12}, "fear", None], (28, 28))
    assert valid.tolist() == [True, True, True, False]
    again, _ = store.maps(rows[::-1].copy(), [None, "fear", {12}, every_unit], (28, 28))
    assert torch.equal(again, maps.flip(0))
    union, _ = store.maps([9], [every_unit], (28, 28))
    assert torch.equal(union[0], maps[0])


def test_codebook_and_ids(folder):
    store = MapStore(folder)
    drawn, _ = store.maps([0], ["disgust"], (28, 28))
    printed, _ = store.maps([0], ["disgust"], (28, 28), codebook="printed")
    by_id, _ = store.maps([0], torch.tensor([5]), (28, 28))
    assert torch.equal(drawn, by_id)
    assert not torch.equal(drawn, printed)


@pytest.mark.parametrize("variant", ["paper", "facs"])
def test_size_on_disk(folder, variant):
    written = sum(path.stat().st_size for path in folder.glob(f"{variant}*.npy"))
    assert bytes_per_face(variant) * FACES <= written <= bytes_per_face(variant) * FACES + 3 * 128
    assert bytes_per_face(variant) * AFFECTNET <= 5e9


def test_pickles_as_its_path(folder):
    store = MapStore(folder)
    expected, _ = store.maps([1], ["fear"], (28, 28))
    data = pickle.dumps(store)
    assert len(data) < 1000
    assert torch.equal(pickle.loads(data).maps([1], ["fear"], (28, 28))[0], expected)


def test_manifest_names_regions_and_no_time_or_path(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(manifest) == ["faces", "ids_sha256", "paper_side", "variants"]
    assert manifest["faces"] == len(MapStore(folder)) == FACES
    assert manifest["ids_sha256"] == ids_hash([f"face{index}" for index in range(FACES)])
    assert manifest["variants"]["paper"]["regions"][8] == [12, 15]


def test_small_images_can_be_drawn_as_if_they_were_large(tmp_path):
    points = ((TEMPLATE[None] + 0.5) / 2 - 0.5).astype(np.float32)
    write(["a"], points, np.array([[112, 112]]), tmp_path, progress=False, paper_side=224)
    stored, _ = MapStore(tmp_path).maps([0], ["fear"], (112, 112))
    drawn, _ = au_maps(TEMPLATE[None], ["fear"], (112, 112), canvas=(224, 224))
    assert (stored - drawn).abs().mean() <= 1e-3
    facs, _ = MapStore(tmp_path, "facs").maps([0], ["fear"], (112, 112))
    torch.testing.assert_close(facs, au_maps(points, ["fear"], (112, 112), "facs")[0], atol=1e-5, rtol=0)


def test_writing_again_gives_the_same_bytes(folder, tmp_path):
    points, sizes = faces()
    write([f"face{index}" for index in range(FACES)], points, sizes, tmp_path, chunk=1000, progress=False)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_an_interrupted_write_is_not_readable(tmp_path):
    points, sizes = faces()
    write(["a", "b"], points[:2], sizes[:2], tmp_path, progress=False)
    with pytest.raises(IndexError):
        write(["a", "b"], points[:2, :40], sizes[:2], tmp_path, progress=False)
    with pytest.raises(InputError, match=r"manifest\.json: not there"):
        MapStore(tmp_path)


def test_errors_are_told(folder, tmp_path):
    points, sizes = faces()
    with pytest.raises(InputError, match="1 ids, 2 landmarks, 2 image sizes"):
        write(["a"], points[:2], sizes[:2], tmp_path, progress=False)
    write(["a"], points[:1], sizes[:1], tmp_path, variants=["paper"], progress=False)
    with pytest.raises(InputError, match="no maps of variant 'facs'; stored: paper"):
        MapStore(tmp_path, "facs")
    with pytest.raises(InputError, match="unknown map variant"):
        MapStore(folder, "fasc")
    with pytest.raises(InputError, match="2 rows but 1 expressions"):
        MapStore(folder).maps([0, 1], ["fear"], (28, 28))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["variants"]["paper"]["regions"].pop()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="another version"):
        MapStore(tmp_path)
