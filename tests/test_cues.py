"""Cues: equal marks, places that keep clear of what a site excludes, and classes drawn from the image's id alone."""

from itertools import combinations

import numpy as np
import pytest

from fer_bench import registry
from fer_bench.au import REGIONS, au_map, wanted_aus
from fer_bench.cues import ALIGNED, CONFLICT, NOWHERE, RANDOM, TRAINED, cover, place, radius_of, shown, stamp
from fer_bench.cues._place import MARGIN
from fer_bench.cues._stamp import CONTRAST, colours, disc, room
from fer_bench.cues.base import CuedFace
from fer_bench.expressions import EXPRESSIONS
from fer_bench.synthface import PRESETS
from fer_bench.synthface.face import draw_face, picture_of
from fer_bench.synthface.plan import plan_faces

SIDE, RADIUS = 112, 4
NAMES = [f"face_{number:04d}" for number in range(2000)]


@pytest.fixture(scope="module")
def faces() -> list[tuple[str, CuedFace]]:
    """Two faces of each expression, as a site sees them."""
    planned = plan_faces(PRESETS["default"])[:14]
    drawn = [draw_face(face, PRESETS["default"]) for face in planned]
    return [(face.planned.id, CuedFace(face.label, picture_of(face)[1], face.landmarks)) for face in drawn]


def covered(site: str, name: str, face: CuedFace) -> np.ndarray:
    centre = place(registry.plugin("cues", site)(), face, RADIUS, 0, name)
    assert centre != NOWHERE
    return cover(face.mask.shape, centre, RADIUS)


def ellipses(face: CuedFace, units: set[int]) -> np.ndarray:
    """Inside of the anatomical regions, from the public map: exp(-1) is its value on an edge."""
    drawn = au_map(face.landmarks.astype(np.float64), units, face.mask.shape, "facs")
    return np.zeros(face.mask.shape, bool) if drawn is None else drawn >= np.exp(-1)


def test_a_background_cue_never_touches_the_face(faces):
    for name, face in faces:
        assert (face.mask[covered("background", name, face)] == 0).all()


def test_a_face_cue_lies_on_the_face_and_touches_no_action_unit_region(faces):
    units = {unit for row in REGIONS["facs"] for unit in row if unit < 100}
    for name, face in faces:
        inside = covered("face", name, face)
        assert (face.mask[inside] == 255).all()
        assert not (ellipses(face, units) & inside).any()


def test_a_unit_cue_lies_in_one_foreign_region_and_touches_none_of_the_class(faces):
    for name, face in faces:
        inside = covered("foreign_unit", name, face)
        own = set(wanted_aus(face.label, "facs"))
        within = [unit for unit in (2, 6, 9) if ellipses(face, {unit})[inside].all()]
        assert within and not set(within) & own
        assert not own or not (ellipses(face, own) & inside).any()


def test_two_of_the_three_units_are_foreign_to_every_expression():
    for expression in EXPRESSIONS:
        assert len({2, 6, 9} - set(wanted_aus(expression, "facs"))) >= 2


@pytest.mark.parametrize("site", registry.names("cues"))
def test_cues_keep_off_the_border_and_stay_where_they_are(site, faces):
    edge = int(np.ceil(MARGIN * SIDE))
    for name, face in faces:
        inside = covered(site, name, face)
        assert inside.sum() == disc(RADIUS).sum()
        assert not inside[:edge].any() and not inside[-edge:].any()
        assert not inside[:, :edge].any() and not inside[:, -edge:].any()
        np.testing.assert_array_equal(inside, covered(site, name, face))


def test_a_face_without_room_has_no_cue():
    full = CuedFace("happiness", np.full((SIDE, SIDE), 255, np.uint8), np.zeros((68, 2)))
    assert place(registry.plugin("cues", "background")(), full, RADIUS, 0, "a") == NOWHERE
    assert not cover((SIDE, SIDE), NOWHERE, RADIUS).any()


def test_room_is_exactly_where_the_mark_fits():
    area = np.zeros((9, 9), bool)
    area[2:7, 2:7] = True  # a mark of radius 2 spans five pixels, so its centre can be (4, 4) alone
    assert room(area, 2, 0).tolist() == [[4, 4]]
    assert room(area, 1, 0).tolist() == [[x, y] for y in (3, 4, 5) for x in (3, 4, 5)]
    assert len(room(area, 2, 3)) == 0


def test_hues_are_equally_bright_and_equally_far_from_grey_and_none_is_anothers_opposite():
    found = colours(7)
    np.testing.assert_allclose(found.mean(axis=1), 0.5)
    np.testing.assert_allclose(np.linalg.norm(found - 0.5, axis=1), CONTRAST)
    assert found.min() >= 0 and found.max() <= 1
    # neighbouring hues are 2 * CONTRAST * sin(pi / 7) apart; hues and opposites are at least half that angle apart
    distances = [np.linalg.norm(a - b) for a, b in combinations(np.concatenate([found, 1 - found]), 2)]
    assert min(distances) == pytest.approx(2 * CONTRAST * np.sin(np.pi / 14))


def test_marks_of_all_classes_have_equal_energy_and_extent():
    grey = np.full((SIDE, SIDE, 3), 127, np.uint8)
    marks = [stamp(grey, (50, 30), RADIUS, number, 7).astype(float) - 127.5 for number in range(7)]
    wanted = cover((SIDE, SIDE), (50, 30), RADIUS)
    energies = [(mark[wanted] ** 2).sum() for mark in marks]
    assert max(energies) / min(energies) < 1.02  # rounding to grey levels
    assert energies[0] == pytest.approx(wanted.sum() * (CONTRAST * 255) ** 2, rel=0.02)
    for mark in marks:
        assert (mark[~wanted] == -0.5).all()


def test_a_mark_looks_the_same_mirrored():
    grey = np.full((9, 9, 3), 127, np.uint8)
    marked = stamp(grey, (4, 4), RADIUS, 3, 7)
    np.testing.assert_array_equal(marked, marked[:, ::-1])
    np.testing.assert_array_equal(marked, marked[::-1])


def test_stamping_leaves_the_image_itself_alone():
    image = np.zeros((20, 20, 3), np.uint8)
    stamp(image, (10, 10), 3, 0, 7)
    assert not image.any()


def test_the_radius_follows_the_side():
    assert [radius_of(0.08, side) for side in (32, 80, 112, 224)] == [2, 3, 4, 9]


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.9, 1.0])
def test_the_rate_is_kept(rate):
    own = np.mean([shown("fear", EXPRESSIONS, rate, 0, name)[TRAINED] == "fear" for name in NAMES])
    assert abs(own - rate) <= 4 * np.sqrt(rate * (1 - rate) / len(NAMES))


def test_views_show_what_their_names_say():
    drawn = [shown("fear", EXPRESSIONS, 0.9, 0, name) for name in NAMES]
    assert {line[ALIGNED] for line in drawn} == {"fear"}
    others = [line[CONFLICT] for line in drawn]
    assert set(others) == set(EXPRESSIONS) - {"fear"}
    any_class = [line[RANDOM] for line in drawn]
    for words, share in ((others, 1 / 6), (any_class, 1 / 7)):
        counts = [words.count(word) for word in set(words)]
        assert max(abs(count - share * len(NAMES)) for count in counts) < 4 * np.sqrt(share * (1 - share) * len(NAMES))


def test_a_higher_rate_only_turns_foreign_cues_into_own_ones():
    low, high = ([shown("anger", EXPRESSIONS, rate, 0, name) for name in NAMES] for rate in (0.5, 0.9))
    for before, after in zip(low, high, strict=True):
        assert after[TRAINED] in (before[TRAINED], "anger")
        assert {key: value for key, value in before.items() if key != TRAINED} == {
            key: value for key, value in after.items() if key != TRAINED
        }
