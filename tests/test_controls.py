"""Controls: the same faces as `au`, other maps; what each map says and what it does not."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from prepared_faces import prepare

from fer_bench import registry
from fer_bench.augment import augment
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS, EXPRESSIONS_8
from fer_bench.gaussian import centred_gaussian
from fer_bench.guidance import _blobs, _shuffled, face_mask
from fer_bench.guidance.landmarks import gaussians
from fer_bench.metrics import cosine
from fer_bench.split_maps import SplitMaps
from fer_bench.train_data import TrainBatches
from fer_bench.train_settings import Augmentation

GUIDED = [name for name in registry.names("guidance") if name != "none"]
CONTROLS = [name for name in GUIDED if name != "au"]
WITH_NEUTRAL = ["au_present", "au_generic", "center", "class_code", "face_mask", "landmarks"]
BLIND = 3  # training faces without landmarks, one of each of the first classes
SIDE = 32


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("controls"), blind=BLIND, train=42, val=7, test=7, size=64)


@pytest.fixture(scope="module")
def split(files):
    return SplitMaps(files, files.faces("train"))


def made(name, seed=0, **section):
    return registry.plugin("guidance", name)(registry.settings("guidance", name)(**section), seed=seed)


def drawn(split, name, seed=0, side=SIDE, **section):
    """Maps and validity of all faces of a split."""
    return made(name, seed, **section).maps(split)(np.arange(len(split.labels)), side)


def of_class(split, expression):
    return torch.from_numpy(split.labels == EXPRESSIONS.index(expression))


@pytest.mark.parametrize("variant", ["paper", "facs"])
@pytest.mark.parametrize("name", GUIDED)
def test_every_guidance_acts_on_the_same_faces_as_au(split, name, variant):
    maps, valid = drawn(split, name, variant=variant)
    own = drawn(split, "au", variant=variant)[1]
    assert own.sum() == 6 * 6 - int((split.labels[:BLIND] > 0).sum())
    assert torch.equal(valid, own)
    assert maps.shape == (len(split.labels), SIDE, SIDE) and maps.dtype == torch.float32
    assert maps.min() >= 0 and maps.max() <= 1
    assert maps[~valid].abs().max() == 0
    assert (maps[valid].flatten(1).amax(dim=1) > 0.1).all()


@pytest.mark.parametrize("name", CONTROLS)
def test_no_control_is_au_itself(split, name):
    maps, valid = drawn(split, name)
    own = drawn(split, "au")[0]
    assert cosine(maps[valid], own[valid]).mean() < 0.98


@pytest.mark.parametrize("name", GUIDED)
def test_maps_do_not_depend_on_the_batch_or_on_what_was_drawn_before(split, name):
    whole, valid = drawn(split, name, seed=3)
    again = made(name, 3).maps(split)
    rows = np.array([30, 8, 9])
    part, part_valid = again(rows, SIDE)
    torch.testing.assert_close(part, whole[rows])
    assert torch.equal(part_valid, valid[rows])


@pytest.mark.parametrize("name", GUIDED)
def test_augmentation_moves_every_map_with_its_image(split, files, name):
    """The loader resamples the maps of a control as it does those of `au`, and drops none that `au` keeps."""
    kept = {}
    for one in (name, "au"):
        source = made(one).maps(split)
        batches = TrainBatches(split.faces, source, 36, SIDE, Augmentation(), seed=1)
        rows = tuple(range(len(split.labels)))
        batch = batches[1, 0, rows]
        kept[one] = batch["valid"]
        generator = torch.Generator().manual_seed(0)
        stacked = source(np.arange(len(rows)), 36)[0]
        images, maps = augment(stacked[:, None].expand(-1, 3, -1, -1), stacked, SIDE, _geometry(), generator)
        assert (images[:, 0] - maps).abs().mean() < 0.08  # bilinear against nearest: the same place
    assert torch.equal(kept[name], kept["au"])


def _geometry():
    return Augmentation(grayscale_probability=0, jitter_probability=0, erasing_probability=0)


@pytest.mark.parametrize("name", ["center", "class_code"])
def test_a_map_without_anatomy_is_its_own_mirror_image(split, name):
    """Flipping an image in training must not make two targets of one class."""
    maps, valid = drawn(split, name)
    torch.testing.assert_close(maps[valid].flip(-1), maps[valid], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", WITH_NEUTRAL)
def test_neutral_faces_take_part_only_when_asked_for(split, name):
    neutral = of_class(split, "neutral")
    seen = torch.from_numpy(np.isfinite(split.points()).all(axis=(1, 2)))
    assert not drawn(split, name)[1][neutral].any()
    maps, valid = drawn(split, name, with_neutral=True)
    if name == "au_present":  # a neutral face may have no unit at all
        there = torch.tensor([any(value >= 0.1 for value in face.values()) for face in split.intensities()])
        assert torch.equal(valid[neutral], (seen & there)[neutral])
    else:
        assert torch.equal(valid[neutral], seen[neutral])
    torch.testing.assert_close(maps[~neutral], drawn(split, name)[0][~neutral])


@pytest.mark.parametrize("name", sorted(set(GUIDED) - set(WITH_NEUTRAL)))
def test_maps_of_an_expression_have_no_neutral_option(name):
    with pytest.raises(ValueError, match="with_neutral"):
        registry.settings("guidance", name)(with_neutral=True)


@pytest.mark.parametrize("variant", ["paper", "facs"])
@pytest.mark.parametrize("expressions", [EXPRESSIONS, EXPRESSIONS_8])
def test_derangements_move_every_class_and_never_twice_to_the_same(expressions, variant):
    asked = SimpleNamespace(expressions=expressions)
    found = [made("au_wrong_class", derangement=d, variant=variant).wrong(asked) for d in range(3)]
    named = {"happiness", "surprise", "fear", "anger", "disgust", "sadness"}
    named |= {"contempt"} & set(expressions) if variant == "facs" else set()
    for wrong in found:
        assert set(wrong) == set(wrong.values()) == named  # a permutation
        assert all(name != other for name, other in wrong.items())
    assert all(len({wrong[name] for wrong in found}) == 3 for name in named)


def test_derangement_by_hand():
    wrong = made("au_wrong_class", derangement=0).wrong(SimpleNamespace(expressions=EXPRESSIONS))
    assert wrong == {
        "happiness": "surprise", "surprise": "fear", "fear": "anger", "anger": "disgust", "disgust": "sadness",
        "sadness": "happiness",
    }  # fmt: skip
    with pytest.raises(InputError, match="derangement 1 needs more than 2 expressions with units; there are 2"):
        made("au_wrong_class", derangement=1).wrong(SimpleNamespace(expressions=("neutral", "fear", "anger")))


def test_the_wrong_class_is_drawn_on_the_face_itself(split):
    maps, _ = drawn(split, "au_wrong_class", derangement=0)
    fear = np.flatnonzero(split.labels == EXPRESSIONS.index("fear"))
    anger = made("au").units("anger")
    expected = split.unit_maps([anger] * len(split.labels), "paper")(fear, SIDE)[0]
    assert torch.equal(maps[fear], expected)


def test_the_generic_map_covers_every_classs_map(split):
    maps, valid = drawn(split, "au_generic", variant="facs")
    for name in EXPRESSIONS[1:]:
        units = made("au", variant="facs").units(name)
        one = split.unit_maps([units] * len(split.labels), "facs")(np.arange(len(split.labels)), SIDE)[0]
        assert (maps[valid] >= one[valid] - 1e-5).all()


@pytest.mark.parametrize("variant", ["paper", "facs"])
def test_units_present_have_their_intensity_as_peak(split, variant):
    """Inner brow raiser and chin raiser lie far apart: the weaker one's peak is its share of the stronger one's."""
    row = int(np.flatnonzero(split.labels == EXPRESSIONS.index("sadness"))[0])

    def maps_of(*faces):
        told = SimpleNamespace(
            labels=split.labels,
            expressions=split.expressions,
            has_map=split.has_map,
            unit_maps=split.unit_maps,
            intensities=lambda: [faces[0]] * len(split.labels),
        )
        return drawn(told, "au_present", side=56, variant=variant)[0][row]

    both, weak = maps_of({1: 0.8, 17: 0.8}), maps_of({1: 0.8, 17: 0.4})
    upper, lower = slice(0, 20), slice(40, 56)
    top = 1.0 if variant == "paper" else 0.8  # `paper` stretches each map to [0, 1]
    assert both[upper].max() == pytest.approx(top, abs=0.05)
    assert weak[lower].max() / both[lower].max() == pytest.approx(0.5, abs=0.01)
    assert weak[upper].max() == pytest.approx(float(both[upper].max()), abs=0.01)
    absent = maps_of({1: 0.8, 17: 0.05})  # below 0.1 a unit is not there; lip bite has no region
    assert torch.equal(absent, maps_of({1: 0.8, 32: 1.0}))
    assert absent[lower].max() < 1e-9


def test_units_present_need_a_dataset_that_knows_them(split, files):
    untold = SimpleNamespace(plugin=files.plugin, name="photographs", ground_truth=lambda: None)
    with pytest.raises(InputError, match="dataset photographs: nobody knows which action units"):
        SplitMaps(SimpleNamespace(**vars(untold)), split.faces).intensities()


def test_class_codes_have_the_area_and_energy_of_the_class(split):
    """Mean and mean square over the pixels equal those of the class's own maps, averaged over its training faces."""
    code, valid = drawn(split, "class_code", side=56)
    own, _ = drawn(split, "au", side=56)
    for name in EXPRESSIONS[1:]:
        faces = of_class(split, name) & valid
        assert code[faces].mean() == pytest.approx(float(own[faces].mean()), rel=5e-3)
        assert code[faces].square().mean() == pytest.approx(float(own[faces].square().mean()), rel=5e-3)
        assert (code[faces] == code[faces][:1]).all()  # one pattern per class, whatever the face


def test_class_codes_differ_between_classes_and_are_the_same_in_every_split_and_cell(split, files):
    code, valid = drawn(split, "class_code", seed=1)
    first = {int(label): code[(torch.from_numpy(split.labels) == label) & valid][0] for label in range(1, 7)}
    for label, pattern in first.items():
        others = torch.stack([other for number, other in first.items() if number != label])
        assert cosine(pattern.expand_as(others), others).max() < 0.9
    test = SplitMaps(files, files.faces("test"))
    found, found_valid = drawn(test, "class_code", seed=2)
    for row in torch.nonzero(found_valid)[:, 0].tolist():
        assert torch.equal(found[row], first[int(test.labels[row])])


def test_places_of_blobs_are_apart_and_mirrored():
    for name in EXPRESSIONS:
        places = _blobs.places_of(f"0/{name}")
        left = places[: _blobs.PAIRS]
        gaps = [np.hypot(*(a - b)) for i, a in enumerate(left) for b in left[:i]]
        assert min(gaps) >= _blobs.APART
        np.testing.assert_allclose(places[_blobs.PAIRS :, 0], 1 - left[:, 0])
        np.testing.assert_allclose(places[_blobs.PAIRS :, 1], left[:, 1])
        assert not np.allclose(places, _blobs.places_of(f"1/{name}"))


def test_a_fitted_pattern_by_hand_and_one_that_does_not_exist():
    pattern = _blobs.Pattern(np.array([[0.5, 0.5]]), width=0.25, power=2.0)
    values = pattern.draw(64)
    # Integrals of exp(-r²/w²) and of its square over the plane: pi w² and pi w² / 2; the square cuts off little.
    assert values.mean() == pytest.approx(np.pi * 0.25**2, rel=0.03)
    assert np.square(values).mean() == pytest.approx(np.pi * 0.25**2 / 2, rel=0.01)
    with pytest.raises(InputError, match=r"no pattern of 6 blobs has a mean of 0\.2 and a mean square of 0\.3"):
        _blobs.fitted("x", 0.2, 0.3)  # values of at most 1 have no larger square than themselves


def test_landmark_map_by_hand():
    # One point in the middle of pixel (row 3, column 1) of 8, the other missing.
    points = torch.tensor([[[1.5 / 8, 3.5 / 8], [torch.nan, torch.nan]], [[1.5 / 8, 3.5 / 8], [1.5 / 8, 5.5 / 8]]])
    one, two = gaussians(points, 8, sigma=1 / 8)
    assert one.abs().max() == 0  # a face with a missing point has no map
    assert two[3, 1] == 1 and two[5, 1] == 1
    assert two[4, 1].item() == pytest.approx(np.exp(-0.5))  # the larger of two equal ones, not their sum
    assert two[3, 3].item() == pytest.approx(np.exp(-2))


def test_landmark_map_peaks_at_the_points_and_leaves_the_jaw_out(split):
    row = int(np.flatnonzero(drawn(split, "landmarks")[1])[0])
    pixels = (split.points()[row] * 56).astype(int)
    inner, whole = (drawn(split, "landmarks", side=56, jaw=jaw)[0][row] for jaw in (False, True))
    assert all(inner[y, x] > 0.85 for x, y in pixels[17:])
    chin = pixels[8, 1], pixels[8, 0]
    assert whole[chin] > 0.85 and inner[chin] < 0.1
    large = drawn(split, "landmarks", side=112)[0][row]
    small = torch.nn.functional.avg_pool2d(large[None, None], 2)[0, 0]
    assert (small - inner).abs().max() < 0.1


def test_face_mask_by_hand():
    points = np.full((68, 2), 0.5, np.float32)
    points[:4] = [[2.5 / 8, 2.5 / 8], [5.5 / 8, 2.5 / 8], [5.5 / 8, 5.5 / 8], [2.5 / 8, 5.5 / 8]]
    expected = np.zeros((8, 8))
    expected[2:6, 2:6] = 1
    np.testing.assert_array_equal(face_mask._filled(points, 8), expected)
    points[0] = np.nan
    assert face_mask._filled(points, 8).max() == 0


def test_face_mask_holds_every_landmark_that_is_inside_the_image(split):
    maps, valid = drawn(split, "face_mask", side=64)
    assert set(maps.unique().tolist()) == {0.0, 1.0}
    for row in torch.nonzero(valid)[:, 0].tolist():
        centre = split.points()[row].mean(axis=0)
        pixels = ((split.points()[row] - centre) * 0.95 + centre) * 64  # a little inside: borders round either way
        inside = ((pixels >= 0) & (pixels < 64)).all(axis=1)
        x, y = pixels[inside].astype(int).T
        assert (maps[row, y, x] == 1).all()


def test_the_centre_is_the_reference_of_the_scores(split):
    maps, valid = drawn(split, "center")
    assert torch.equal(maps[valid][0], centred_gaussian((SIDE, SIDE)))
    assert drawn(split, "center", width=0.1)[0].sum() < maps.sum()


def test_lenders_are_others_of_the_same_group_and_everybody_lends_once():
    groups = [np.array([0, 3, 5, 6]), np.array([1, 2]), np.array([4])]
    lender = _shuffled.lenders(groups, 8, seed=5)
    for group in groups[:2]:
        assert sorted(lender[group]) == sorted(group)
        assert (lender[group] != group).all()
    assert lender[4] == lender[7] == _shuffled.NOBODY
    assert (_shuffled.lenders(groups, 8, seed=5) == lender).all()
    assert any((_shuffled.lenders(groups, 8, seed=seed) != lender).any() for seed in range(6, 12))


@pytest.mark.parametrize(("name", "same_class"), [("shuffled_within", True), ("shuffled_across", False)])
def test_shuffled_maps_are_exactly_the_maps_of_other_faces(split, name, same_class):
    maps, valid = drawn(split, name, seed=4)
    own, rows = drawn(split, "au")[0], torch.nonzero(valid)[:, 0].tolist()
    lenders = []
    for row in rows:
        (equal,) = [other for other in rows if torch.equal(maps[row], own[other])]
        lenders.append(equal)
        assert equal != row
    assert sorted(lenders) == rows  # a permutation: every map is used once
    kept = np.mean(split.labels[rows] == split.labels[lenders])
    assert kept == 1 if same_class else kept < 0.6
    assert not torch.equal(drawn(split, name, seed=5)[0], maps)  # the seed of the cell decides


def test_a_class_of_one_face_is_left_out_with_a_warning(split, caplog):
    labels = split.labels.copy()
    alone = int(np.flatnonzero(labels == 1)[-1])
    labels[labels == 1] = 0
    labels[alone] = 1
    told = SimpleNamespace(
        labels=labels, expressions=split.expressions, has_map=split.has_map, unit_maps=split.unit_maps
    )
    with caplog.at_level(logging.WARNING):
        _, valid = drawn(told, "shuffled_within")
    assert not valid[alone] and valid.sum() == (labels > 1).sum() - int((labels[:BLIND] > 1).sum())
    assert "1 faces have nobody to borrow a map from" in caplog.text
