import pytest

from fer_bench.au import AU_NAMES, CODEBOOK, REGIONS, VARIANTS, rows_of, wanted_aus
from fer_bench.au.codebook import union
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS_8

DRAWN = {
    "anger": (4, 5, 7, 10, 17, 23, 24, 25, 26),
    "disgust": (5, 9, 16, 17, 25, 26),
    "fear": (1, 2, 4, 5, 20, 25, 26, 27),
    "happiness": (6, 12, 25),
    "sadness": (1, 4, 6, 15, 17),
    "surprise": (1, 2, 5, 26, 27),
}


def test_every_expression_has_an_entry_and_neutral_alone_has_no_units():
    assert tuple(sorted(CODEBOOK)) == tuple(sorted(EXPRESSIONS_8))
    assert {name for name, entry in CODEBOOK.items() if not entry.drawn} == {"neutral", "contempt"}
    assert {name for name, entry in CODEBOOK.items() if not entry.cited} == {"neutral"}
    assert CODEBOOK["contempt"].named("cited") == {112: "Lip Corner Puller, one side", 114: "Dimpler, one side"}


@pytest.mark.parametrize("expression", sorted(DRAWN))
def test_drawn(expression):
    assert CODEBOOK[expression].drawn == DRAWN[expression]


def test_where_the_three_codebooks_differ():
    printed = {name for name, entry in CODEBOOK.items() if entry.printed != entry.drawn}
    cited = {name for name, entry in CODEBOOK.items() if entry.cited != entry.printed}
    assert printed == {"disgust"}
    assert CODEBOOK["disgust"].printed == (9, 10, 16, 17, 25, 26)
    assert cited == {"anger", "sadness", "contempt"}
    assert set(CODEBOOK["anger"].cited) - set(CODEBOOK["anger"].printed) == {22}
    assert set(CODEBOOK["sadness"].cited) - set(CODEBOOK["sadness"].printed) == {11}


def test_every_unit_is_named():
    used = {unit for entry in CODEBOOK.values() for unit in (*entry.drawn, *entry.printed, *entry.cited)}
    assert used <= set(AU_NAMES)
    assert CODEBOOK["happiness"].named("drawn") == {
        6: "Cheek Raiser",
        12: "Lip Corner Puller",
        25: "Lips Part",
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_unit_of_the_default_codebook_has_exactly_one_region(variant):
    drawn = [unit for units in REGIONS[variant] for unit in units]
    assert len(drawn) == len(set(drawn))
    assert set(union(EXPRESSIONS_8, variant)) <= set(drawn)


def test_defaults_ids_and_names():
    assert wanted_aus("disgust") == wanted_aus(5) == DRAWN["disgust"]
    assert wanted_aus("disgust", "facs") == (9, 10, 16, 17, 25, 26)
    assert wanted_aus("disgust", "paper", "printed") == (9, 10, 16, 17, 25, 26)
    assert wanted_aus(0) == wanted_aus(0, "facs") == wanted_aus("contempt") == ()
    assert wanted_aus(7, "facs") == (112, 114)


def test_shared_regions_count_once():
    assert rows_of([23, 24, 26, 27]) == rows_of([23])
    assert len(rows_of([12, 15], "facs")) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wanted_aus("hapiness"), "did you mean 'happiness'"),
        (lambda: wanted_aus(8), "unknown expression 8"),
        (lambda: wanted_aus("fear", "papper"), "did you mean 'paper'"),
        (lambda: wanted_aus("fear", "paper", "shown"), "known: drawn, printed, cited"),
        (lambda: rows_of([11, 22, 1], "paper"), r"no region for AU \[11, 22\]"),
    ],
)
def test_unknown_names_are_told(call, message):
    with pytest.raises(InputError, match=message):
        call()
