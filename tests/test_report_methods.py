"""Which rows the tables have, in which order, and what they are called."""

import pytest
import recorded_results as recorded

from fer_bench.report import methods, results, table_main, tables
from fer_bench.report._builder import NO_MAP
from fer_bench.report.table import text

PAPER_ORDER = ["CAM", "WILDCAT", "GradCAM++", "ACoL", "PRM", "ADL", "CutMix", "TS-CAM", "APViT"]


def load(root, **changes):
    plan = recorded.plan(**changes)
    recorded.write(root, plan, cached=False)
    return results.load(plan, root)


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    models = dict(reversed(recorded.PAPER_MODELS.items()))  # the order of the grid must not matter
    return load(tmp_path_factory.mktemp("paper"), models=models, datasets=("rafdb",), seeds=(0,))


def words_of(table, column):
    index = [one.name for one in table.columns].index(column)
    return list(dict.fromkeys(text(row.contents[index]) for row in table.rows if not row.quiet))


def test_known_methods_are_those_of_the_paper_in_its_order():
    published = [known.published for known in methods.KNOWN if known.published]
    assert published == [
        "CAM", "WILDCAT", "GradCAM", "GradCAM++", "ACoL", "PRM", "ADL", "CutMix", "LayerCAM", "TS-CAM", "APViT",
    ]  # fmt: skip


def test_networks_are_grouped_by_backbone(paper):
    groups = {network.label: network.models for network in methods.networks(paper)}
    assert groups == {
        "IR-50 + ViT": ("apvit",),
        "DeiT-S": ("tscam",),
        "ResNet-50": ("cam", "wildcat", "acol", "prm", "adl", "cutmix"),
    }


def test_rows_of_a_network_stand_in_the_papers_order(paper):
    network = methods.networks(paper)[-1]
    assert [row.word for row in methods.rows(paper, network)] == PAPER_ORDER[:-2]


def test_apvit_has_a_dash_instead_of_cam_cos_and_a_note(paper):
    table = table_main.build(paper)
    row = next(row for row in table.rows if row.contents[:2] == ("IR-50 + ViT", "APViT"))
    titles = [column.title for column in table.columns]
    shown = {title: text(item) for title, item in zip(titles, row.contents, strict=True)}
    assert shown["CAM-COS, without AU"] == shown["CAM-COS, with AU"] == NO_MAP
    assert shown["CL (%), without AU"] == "85.00"
    assert any(note.startswith(f"{NO_MAP}: the method has no map of a class") for note in table.notes)


def test_explainers_of_one_training_are_named(paper):
    notes = " ".join(table_main.build(paper).notes)
    assert "ResNet-50: CAM; GradCAM++ explain one training and share its CL." in notes


def test_two_models_with_one_method_are_two_networks(tmp_path):
    models = {"wide": ("Wide", "resnet10t", "cam"), "narrow": ("Narrow", "resnet10t", "cam")}
    assert [network.label for network in methods.networks(load(tmp_path, models=models))] == ["Wide", "Narrow"]


def test_networks_that_would_be_called_alike_name_their_models(tmp_path):
    models = {"a": ("A", "resnet10t", "cam"), "b": ("B", "resnet10t", "prm"), "c": ("C", "resnet10t", "cam")}
    models |= {"d": ("D", "resnet10t", "prm")}
    labels = [network.label for network in methods.networks(load(tmp_path, models=models))]
    assert labels == ["resnet10t (a, b)", "resnet10t (c, d)"]


def test_other_explainers_have_a_table_of_their_own(tmp_path):
    loaded = load(tmp_path)
    table = table_main.build_explainers(loaded)
    assert words_of(table, "Method") == ["TS-CAM, CAM"]
    assert words_of(table_main.build(loaded), "Method") == ["CAM", "GradCAM++", "TS-CAM"]


def test_chosen_explainers_are_the_rows_of_table_1(tmp_path):
    loaded = load(tmp_path, tables={"explainers": ["cam"], "target": "paper"})
    assert words_of(table_main.build(loaded), "Method") == ["CAM", "TS-CAM, CAM"]
    assert table_main.build_explainers(loaded) is None


RELEASED = {
    "cam": ("ResNet50, released", "resnet50", "cam"),
    "gradcam": ("ResNet50, released", "resnet50", "cam"),
    "prm": ("ResNet50, released", "resnet50", "prm"),
    "adl": ("ResNet50, released", "resnet50", "adl"),
    "adl_paper": ("ResNet50, released, other block", "resnet50", "adl"),
}


def released(root):
    """A network for each explainer, as the released ones are."""
    plan = recorded.plan(models=RELEASED, datasets=("rafdb",), seeds=(0,))
    for name, explainers in (
        ("cam", ["cam"]),
        ("gradcam", ["gradcampp_paper", "gradcampp"]),
        ("adl", ["cam"]),
        ("adl_paper", ["cam"]),
    ):
        plan["models"][name]["explainers"] = explainers
    recorded.write(root, plan, cached=False)
    return results.load(plan, root)


def test_trainings_of_one_explainer_each_are_one_network(tmp_path):
    loaded = released(tmp_path)
    groups = {network.label: network.models for network in methods.networks(loaded)}
    assert groups == {
        "ResNet50, released": ("cam", "gradcam", "prm", "adl"),
        "ResNet50, released, other block": ("adl_paper",),
    }
    assert [methods.training_rows(loaded, name) for name in ("cam", "gradcam")] == [["CAM"], ["GradCAM++"]]


def test_words_are_longer_only_where_methods_are_alike(tmp_path):
    assert methods.model_words(released(tmp_path)) == {
        "cam": "CAM",
        "gradcam": "GradCAM++",
        "prm": "PRM",
        "adl": "ADL, ResNet50, released",
        "adl_paper": "ADL, ResNet50, released, other block",
    }


def test_a_network_is_called_by_what_its_labels_end_with(tmp_path):
    models = {"a": ("ResNet-10t, narrow", "resnet10t", "cam"), "b": ("PRM, ResNet-10t, narrow", "resnet10t", "prm")}
    models |= {"c": ("TS-CAM, DeiT, 4 blocks", "deit_tiny_patch16_224", "tscam")}
    assert [network.label for network in methods.networks(load(tmp_path, models=models))] == [
        "ResNet-10t, narrow",
        "DeiT, 4 blocks",
    ]


def test_a_long_network_is_told_apart_by_its_first_models(tmp_path):
    models = {f"{name}{k}": ("Net", "resnet10t", name) for k in (1, 2) for name in ("cam", "prm", "adl")}
    labels = [network.label for network in methods.networks(load(tmp_path, models=models))]
    assert labels == ["Net (cam1, prm1, …)", "Net (cam2, prm2, …)"]


def test_an_unknown_method_has_a_row_per_explainer(tmp_path):
    loaded = load(tmp_path, models={"own": ("Own", "resnet10t", "max_pooling")})
    assert words_of(table_main.build(loaded), "Method") == ["max pooling, CAM"]


def test_missing_models_keep_their_rows(tmp_path):
    plan = recorded.plan()
    omitted = [entry["cell"] for entry in plan["cells"] if entry["model"] == "resnet_small"]
    recorded.write(tmp_path, plan, omit=omitted, cached=False)
    table = table_main.build(results.load(plan, tmp_path))
    gone = [[text(item) for item in row.contents] for row in table.rows if row.contents[0] == "ResNet small"]
    assert [row[1] for row in gone] == ["CAM"]
    assert all("—" in row for row in gone)


@pytest.mark.parametrize("name", ["scores", "table2"])
def test_the_method_is_left_out_where_it_says_nothing(tmp_path, name):
    models = {"a": ("A", "resnet10t", "cam"), "b": ("B", "resnet18", "cam")}
    table = next(one for one in tables.build(load(tmp_path, models=models)) if one.name == name)
    assert [column.name for column in table.columns][:2] == ["Network", "Training"]


def test_words_that_tell_models_apart(tmp_path):
    same = load(tmp_path / "a", models={"a": ("A", "resnet10t", "cam"), "b": ("B", "resnet18", "cam")})
    assert methods.model_words(same) == {"a": "A", "b": "B"}
    other = load(tmp_path / "b")
    assert methods.model_words(other) == {"resnet_small": "CAM", "deit_small": "TS-CAM"}
