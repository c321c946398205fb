"""Rows about a cell's guidance: how alike its maps and the target maps are, and which target its loss asks for."""

import pytest
from prepared_faces import NAME, prepare

from fer_bench import params, registry
from fer_bench.cells import Cell
from fer_bench.evaluation import Evaluation
from fer_bench.expressions import EXPRESSIONS
from fer_bench.feasible import skip_reason
from fer_bench.guidance_rows import OVERLAP, guidance_rows
from fer_bench.score_rows import Averaging
from fer_bench.targets import Targets


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("rows"), train=14, val=7, test=14, size=64)


def made(name, **section):
    return registry.plugin("guidance", name)(registry.settings("guidance", name)(**section))


def overlaps(files, guidance):
    faces = files.faces("test")
    targets = Targets(files, faces, ["paper", "facs"], 32)
    averaging = Averaging(faces.labels, faces.labels, EXPRESSIONS, minimum=1)
    rows = guidance_rows(guidance, files, targets, averaging)
    return {(row["target"], row["average"]): row for row in rows if row["metric"] == OVERLAP}


def test_the_map_of_the_scores_overlaps_itself_entirely(files):
    found = overlaps(files, made("au"))
    assert {target for target, _ in found} == {"paper", "facs", "present"}
    assert found["paper", "macro"]["value"] == pytest.approx(1, abs=1e-5)
    assert found["paper", "micro"]["n"] == 12  # two faces of each of six expressions; neutral has no map
    assert 0.4 < found["facs", "macro"]["value"] < 0.95
    assert overlaps(files, made("au", variant="facs"))["facs", "macro"]["value"] == pytest.approx(1, abs=1e-5)


def test_the_wrong_class_overlaps_less_than_the_right_one(files):
    wrong = [overlaps(files, made("au_wrong_class", derangement=d))["paper", "macro"]["value"] for d in range(3)]
    assert max(wrong) < 0.75 and len(set(wrong)) == 3


def test_without_guidance_there_is_nothing_to_compare(files):
    assert overlaps(files, made("none")) == {}


@pytest.mark.parametrize(
    ("guidance", "section", "expected"),
    [
        ("au", {}, {"att_cos.5.paper.true_true"}),
        ("au", {"variant": "facs", "layers": (4, "last")}, {"att_cos.4.facs.true_true", "att_cos.5.facs.true_true"}),
        ("au_present", {}, {"att_cos.5.present.true_true"}),
        ("au_generic", {}, set()),
        ("center", {}, set()),
        ("none", {}, set()),
    ],
)
def test_a_score_is_optimised_only_against_the_map_that_was_trained_on(guidance, section, expected):
    columns = [f"att_cos.{layer}.{name}.true_true" for layer in "45" for name in ("paper", "facs", "present")]
    evaluation = object.__new__(Evaluation)
    evaluation.guidance = made(guidance, **section)
    evaluation.classifier = type("Network", (), {"layers": ["4", "5"]})
    evaluation.entry = {"test_dataset": {"name": "a"}, "dataset": {"name": "a"}}
    assert evaluation._optimised(columns) == expected
    evaluation.entry = {"test_dataset": {"name": "b"}, "dataset": {"name": "a"}}
    assert evaluation._optimised(columns) == set()


def test_units_present_are_skipped_where_nobody_knows_them(raw_params):
    raw_params["grid"] |= {"datasets": ["rafdb"], "test_datasets": ["rafdb"], "guidance": ["none", "au_present", "au"]}
    loaded = params.parse(raw_params)
    reason = skip_reason(loaded, Cell("rafdb", "resnet10t", "au_present", 0))
    assert reason.startswith("nobody knows which action units are really in the faces of rafdb")
    assert skip_reason(loaded, Cell("rafdb", "resnet10t", "au", 0)) == ""
    for known in ("disfa", "synthetic", NAME):
        assert skip_reason(loaded, Cell(known, "resnet10t", "au_present", 0)) == ""
