"""What can be wrong with a released folder, each as one clear line that names it."""

import pickle
from pathlib import Path

import pytest
import torch
from released_networks import CONFIG, config, narrow, network, published_state
from released_networks import write as write_folder

from fer_bench.authors import catalog, layout, survey, tensors, translate
from fer_bench.authors import config as configuration
from fer_bench.errors import InputError

CAM = narrow(catalog.releases("CAM")[0])
TSCAM = narrow(catalog.releases("TSCAM")[0])
FOLDERS = {(one.key, one.guided): one for one in layout.expected() if one.dataset == "RAF-DB"}


@pytest.fixture(scope="module")
def state() -> dict:
    return published_state(CAM, network(CAM))


@pytest.fixture(autouse=True)
def narrow_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "RELEASES", (CAM, TSCAM))


def problem(holder: Path, folder: layout.Folder) -> str:
    """What the survey says of a folder."""
    found = {one.path: one for one in survey.survey(holder)}[folder.path]
    assert "\n" not in found.problem and str(holder) not in found.problem
    return found.problem


def with_state(tmp_path: Path, state: dict) -> str:
    write_folder(tmp_path, FOLDERS["CAM", True], CAM, state)
    return problem(tmp_path, FOLDERS["CAM", True])


def with_config(tmp_path: Path, state: dict, old: str, new: str, key: str = "CAM", guided: bool = True) -> str:
    folder = FOLDERS[key, guided]
    path = write_folder(tmp_path, folder, CAM if key == "CAM" else TSCAM, state) / layout.CONFIG_FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return problem(tmp_path, folder)


def test_nothing_is_wrong_with_a_whole_folder(tmp_path, state):
    assert with_state(tmp_path, state) == ""


def test_missing_tensors_are_named_first(tmp_path, state):
    encoder = {name: value for name, value in state["encoder"].items() if not name.startswith("layer1.0.bn1")}
    text = with_state(tmp_path, {**state, "encoder": encoder})
    assert "model.pt: does not fit our network: 5 missing: encoder.layer1.0.bn1.weight" in text and "and 2 more" in text


def test_a_tensor_too_many_is_named(tmp_path, state):
    text = with_state(tmp_path, {**state, "segmentation_head": {"conv.weight": torch.zeros(1, 5, 3, 3)}})
    assert text.endswith("does not fit our network: 1 left over: segmentation_head.conv.weight")


def test_another_shape_or_type_is_told_with_ours(tmp_path, state):
    head = {"fc.weight": torch.zeros(8, 20), "fc.bias": state["classification_head"]["fc.bias"].double()}
    text = with_state(tmp_path, {**state, "classification_head": head})
    assert "classification_head.fc.weight is (8, 20) float32, not (7, 20) float32" in text
    assert "classification_head.fc.bias is (7) float64, not (7) float32".replace("(7)", "(7,)") in text


def test_numbers_that_are_none_are_told(tmp_path, state):
    head = {**state["classification_head"], "fc.bias": torch.tensor([0.0, torch.nan, 0, 0, 0, 0, 0])}
    text = with_state(tmp_path, {**state, "classification_head": head})
    assert text.endswith("values that are not finite in 1 tensors: classification_head.fc.bias")


def test_a_transformer_in_a_resnets_folder_fits_nowhere(tmp_path):
    text = with_state(tmp_path, published_state(TSCAM, network(TSCAM)))
    assert "missing: encoder.conv1.weight" in text and "left over: cls_token" in text


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_told_with_its_size(tmp_path, state, share):
    path = write_folder(tmp_path, FOLDERS["CAM", True], CAM, state) / layout.WEIGHTS_FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    text = problem(tmp_path, FOLDERS["CAM", True])
    assert f"damaged or truncated one ({int(share * len(whole))} bytes)" in text


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_file_that_is_no_torch_file(tmp_path, state, content):
    path = write_folder(tmp_path, FOLDERS["CAM", True], CAM, state) / layout.WEIGHTS_FILE
    path.write_bytes(content)
    assert "model.pt: no torch file of tensors" in problem(tmp_path, FOLDERS["CAM", True])


class Surprise:
    def __reduce__(self):
        return pytest.fail, ("code of a file was run",)


def test_code_in_a_file_is_never_run(tmp_path, state):
    assert "no torch file of tensors" in with_state(tmp_path, {**state, "epoch": Surprise()})
    path = tmp_path / FOLDERS["CAM", True].path / layout.WEIGHTS_FILE
    path.write_bytes(pickle.dumps(Surprise()))
    assert "no torch file of tensors" in problem(tmp_path, FOLDERS["CAM", True])


@pytest.mark.parametrize("content", [torch.zeros(2), {"encoder": {"epoch": 3}}, [torch.zeros(2)]])
def test_what_is_no_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"expected named tensors, found (Tensor|int as encoder\.epoch|list)$"):
        tensors.read(tmp_path / "model.pt")


def test_an_old_file_format_is_read_too(tmp_path, state):
    torch.save(state, tmp_path / "model.pt", _use_new_zipfile_serialization=False)
    assert torch.equal(tensors.read(tmp_path / "model.pt")["encoder.conv1.weight"], state["encoder"]["conv1.weight"])


def test_a_folder_without_a_file(tmp_path, state):
    path = write_folder(tmp_path, FOLDERS["CAM", True], CAM, state)
    (path / layout.CONFIG_FILE).unlink()
    assert problem(tmp_path, FOLDERS["CAM", True]).endswith("config_model.yaml: no such file")
    assert problem(tmp_path, FOLDERS["CAM", False]) == survey.ABSENT


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("CK/resnet50/STD_CL/CAM/align_atten_to_heatmap_True/x", "unknown dataset 'CK'; known: RAF-DB, AffectNet"),
        ("RAF-DB/resnet50/STD_CL/ScoreCAM/align_atten_to_heatmap_True/x", "unknown method 'ScoreCAM'"),
        ("RAF-DB/vgg16/STD_CL/CAM/align_atten_to_heatmap_True/x", "unknown encoder of CAM 'vgg16'; known: resnet50"),
        ("RAF-DB/resnet50/STD_CL/CAM/align_atten_to_heatmap_Maybe/x", "'Maybe'; known: True, False"),
        ("RAF-DB/resnet50/STD_CL/CAM/align_atten_to_heatmap_True/last", "unknown tag 'last'"),
        ("RAF-DB/resnet50/F_CL/CAM/align_atten_to_heatmap_True/x", "not of the form DATASET/ENCODER/STD_CL/METHOD"),
        ("RAF-DB/resnet50/STD_CL/CAM", "not of the form"),
    ],
)
def test_folders_with_other_names_are_listed_with_what_is_unknown(tmp_path, state, path, words):
    (tmp_path / path).mkdir(parents=True)
    torch.save(state, tmp_path / path / layout.WEIGHTS_FILE)
    found = [one for one in survey.survey(tmp_path) if one.path == path]
    assert len(found) == 1 and words in found[0].problem and found[0].folder is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("dataset: RAF-DB\n", "dataset: AffectNet\n", "dataset: the configuration says 'AffectNet', expected 'RAF-DB'"),
        ("\nmethod: CAM", "\nmethod: GradCam", "method: the configuration says 'GradCam', expected 'CAM'"),
        ("heatmap: true", "heatmap: false", "align_atten_to_heatmap: the configuration says False, expected True"),
        ("dense_dims: None", "dense_dims: 1024-512", "dense_dims: the configuration says '1024-512'"),
        ("num_classes: 7", "num_classes: 8", "num_classes: the configuration says 8, expected 7"),
        ("scale_in: 1.0", "scale_in: 2.0", "model.scale_in: the configuration says 2.0"),
        ("background: false", "background: true", "model.support_background: the configuration says True"),
        ("eval_daug_mask_img_heatmap: false", "eval_daug_mask_img_heatmap: true", "the configuration says True"),
        ("weights: imagenet", "weights: VGGFace2", "'VGGFace2' has a normalisation of its own"),
        ("heatmap_action_units_from", "heatmap_generic_action_units_from", "given 'heatmap_generic_action_units"),
        ("normalize: true", "normalize: false", "that are not normalised, expected"),
        ("start_ep: 0", "start_ep: 3", "given (3, -1), expected (0, -1), all epochs"),
        ("layers: '5'", "layers: last", "given 'last', expected numbers such as 5 or 5-4"),
        ("layers: '5'", "layers: '0'", "guidance.layers"),
        ("_loss: cosine", "_loss: l3", "guidance.loss: given 'l3'"),
        ("elb: false", "elb: true\nalign_atten_to_heatmap_loss: l1", "found duplicate key"),
        ("lambda: 4.0", "lambda: -1.0", "guidance.weight: given -1.0"),
        ("lambda: 4.0", "lambda: four", "config.align_atten_to_heatmap_lambda: given 'four'"),
        ("crop_size: 224\n", "", "config.crop_size: missing"),
        ("large_maps: true", "large_maps: 28", "config.model.large_maps: given 28"),
        ("crop_size: 224", "crop_size: 3", "models.authors_cam.input_size: given 3"),
        ("MYSEED: 0", "MYSEED: [0", "config_model.yaml, line 2: expected"),
    ],
)
def test_a_configuration_that_disagrees_or_cannot_be_ours(tmp_path, state, old, new, words):
    assert words in with_config(tmp_path, state, old, new)


def test_a_transformer_has_one_map_only(tmp_path):
    state = published_state(TSCAM, network(TSCAM))
    text = with_config(tmp_path, state, "layers: '1'", "layers: '2'", key="TSCAM")
    assert "given '2'; deit_tscam_small_patch16_224 has a map as layer 1 only" in text


def test_self_attention_is_for_resnets_alone(tmp_path):
    state = published_state(TSCAM, network(TSCAM))
    text = with_config(tmp_path, state, "self_atten: false", "self_atten: true", key="TSCAM")
    assert "use_self_atten: the configuration says True, expected False" in text


@pytest.fixture
def told(tmp_path) -> configuration.Config:
    """The configuration of a CAM that was guided at three layers."""
    path = tmp_path / layout.CONFIG_FILE
    path.write_text(config(FOLDERS["CAM", True], CAM, 4.0, "5-4-3", True), encoding="utf-8")
    return configuration.read(path)


def test_tags_times_and_foreign_paths_are_left_where_they_are(told):
    assert "!munch.Munch" in CONFIG and "2024-01-26" in CONFIG and "best_epoch: 0" in CONFIG
    dumped = str(told.model_dump(mode="json"))
    assert "elsewhere" not in dumped and "2024" not in dumped and "best_epoch" not in dumped
    assert told.optimizer["opt__min_lr"] == 1e-7 and told.model.large_maps is True


def test_self_attention_acts_on_the_guided_layers(told):
    assert "self_attention" not in translate.overrides(told, CAM)
    changed = told.model_copy(update={"align_atten_to_heatmap_use_self_atten": True})
    assert translate.overrides(changed, CAM)["self_attention"] == [5, 4, 3]
    unguided = changed.model_copy(update={"align_atten_to_heatmap": False})
    assert "self_attention" not in translate.overrides(unguided, CAM)


@pytest.mark.parametrize("layers", ["5", 5])
def test_layers_may_be_a_word_or_a_number(told, layers):
    changed = told.model_copy(update={"align_atten_to_heatmap_layers": layers})
    assert translate.overrides(changed, CAM)["guidance"]["layers"] == [5]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {"layers": [5, 4, 3], "weight": 4.0, "loss": "cosine", "attention": "avg"}),
        ({"align_type": "random_avg", "p": 0.3}, {"attention": "random_avg", "p": 0.3}),
        ({"align_type": "avg_fixed_q", "q": 0.5}, {"attention": "avg_fixed_q", "q": 0.5}),
        ({"align_type": "avg_half_left"}, {"attention": "avg_half_left"}),
        ({"elb": True}, {"loss": "elb"}),
        ({"loss": "std_cosine"}, {"loss": "std_cosine"}),
        ({"norm_att": "norm_softmax"}, {"normalise": "softmax"}),
        ({"scale_to": "scale_to_heatmap"}, {"scale_to": "heatmap"}),
    ],
)
def test_the_alignment_term_by_our_names(told, changed, expected):
    update = {f"align_atten_to_heatmap_{key}": value for key, value in changed.items()}
    found = translate.overrides(told.model_copy(update=update), CAM)["guidance"]
    assert {key: found[key] for key in expected} == expected


def test_a_barrier_on_another_loss_is_refused(told):
    update = {"align_atten_to_heatmap_elb": True, "align_atten_to_heatmap_loss": "std_cosine"}
    with pytest.raises(InputError, match="no log-barrier on 'std_cosine' here"):
        translate.overrides(told.model_copy(update=update), CAM)


def test_without_initial_weights_images_were_not_normalised(told):
    network_part = told.model.model_copy(update={"encoder_weights": "None"})
    assert translate.overrides(told.model_copy(update={"model": network_part}), CAM)["normalisation"] == "auto"
