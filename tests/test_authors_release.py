"""The whole release with small networks: every folder looked at, written into params.yaml, planned and read back."""

import dataclasses
import itertools
import shutil
from pathlib import Path

import pytest
import torch
from released_networks import narrow, network, published_state
from released_networks import write as write_folder
from rich.console import Console
from typer.testing import CliRunner

from fer_bench import classifier, grids, params, plan
from fer_bench.authors import catalog, command, layout, survey, write
from fer_bench.checkpoints.authors import Checkpoint, Settings
from fer_bench.cli import app
from fer_bench.errors import InputError
from fer_bench.evaluate_facts import facts
from fer_bench.initial import initialised
from fer_bench.train_cell import _used, checkpoint_of
from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent
NARROW = tuple(narrow(release) for release in catalog.RELEASES)
BY_MODEL = {release.model: release for release in NARROW}


def weight(folder: layout.Folder) -> float:
    """A λ of its own for every folder of a dataset."""
    return float(catalog.KEYS.index(folder.key)) + (0.5 if folder.dataset == "AffectNet" else 0.25)


def large_maps(folder: layout.Folder) -> bool:
    return not (folder.dataset == "RAF-DB" and folder.key == "GradCAMpp" and not folder.guided)


def state_of(folder: layout.Folder, states: dict[str, dict]) -> dict:
    """The method's tensors, shifted by a number of the folder, so that no two folders hold the same."""
    number = (folder.dataset == "RAF-DB") + 2 * folder.guided

    def shifted(value):
        if isinstance(value, dict):
            return {key: shifted(inner) for key, inner in value.items()}
        return value + 0.001 * number if value.is_floating_point() else value

    return shifted(states[folder.key])


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 44 folders, and the folds beside them, whose folders have the same names."""
    root = tmp_path_factory.mktemp("unpacked")
    (root / "folds/wsol-done-right-splits/RAF-DB/test").mkdir(parents=True)
    states = {one.key: published_state(one, network(one)) for one in NARROW}
    for folder in layout.expected():
        chosen = next(one for one in NARROW if one.key == folder.key)
        write_folder(
            root / "shared-trained-models/FG_FER",
            folder,
            chosen,
            state_of(folder, states),
            weight=weight(folder),
            layers="4" if folder.key == "CutMIX" else "",
            large_maps=large_maps(folder),
        )
    return root


@pytest.fixture(autouse=True)
def narrow_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (catalog, write):
        monkeypatch.setattr(module, "RELEASES", NARROW)
    monkeypatch.delenv(layout.VARIABLE, raising=False)


@pytest.fixture(scope="module")
def found(release: Path) -> list[survey.Found]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "RELEASES", NARROW)
        return list(survey.survey(layout.holder(release, "test")))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """params.yaml and grids of this repository, with the two datasets."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for name in catalog.DATASETS.values():
        if f"\n  {name}:" not in text:
            text = text.replace("\ndatasets:\n", f"\ndatasets:\n  {name}: {{plugin: synthetic, landmarks: dlib}}\n", 1)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "grids", tmp_path / "grids")
    return tmp_path


def written(project: Path, found: list[survey.Found]) -> params.Params:
    write.write(write.models(found), project)
    return params.load(project / "params.yaml")


def test_every_folder_can_be_used(found):
    assert [one.problem for one in found] == [""] * 44
    assert sorted(model for one in found for model in one.cells) == sorted(
        4 * [one.model for one in NARROW]  # two datasets, two arms
    )


def test_entries_say_what_each_configuration_says(found):
    entries = write.models(found)
    assert list(entries) == [one.model for one in NARROW]
    for (model, entry), (published, dataset) in itertools.product(entries.items(), catalog.DATASETS.items()):
        folder = layout.Folder("", published, "", BY_MODEL[model].key, True)
        cells = entry["cells"][dataset]
        assert "guidance" not in cells["none"]
        assert cells["au"]["guidance"] == {
            "variant": "paper", "codebook": "drawn", "weight": weight(folder), "loss": "cosine", "attention": "avg",
            "layers": [4] if folder.key == "CutMIX" else [5], "normalise": "none", "scale_to": "attention",
        }  # fmt: skip
    maps = entries["authors_gradcampp"]["cells"]
    assert maps["rafdb"]["none"]["kwargs"]["large_maps"] is False
    assert maps["rafdb"]["au"]["kwargs"]["large_maps"] is maps["affectnet"]["none"]["kwargs"]["large_maps"] is True
    assert entries["authors_cam"]["kwargs"]["large_maps"] is True  # what all cells agree on stands once
    assert "kwargs" not in entries["authors_cam"]["cells"]["rafdb"]["none"]
    told = {"modalities": 5, "kmax": 0.5, "kmin": 0.1, "alpha": 0.6}
    assert entries["authors_wildcat"]["method_kwargs"] == {**told, "pooling": "paper"}  # which reads kmax alone
    assert entries["authors_adl_paper"]["method_kwargs"]["cam_block"] == "paper"
    assert entries["authors_apvit"]["input_size"] == 112


def test_params_gets_a_block_and_keeps_every_other_line(project, found):
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8")
    files = write.write(write.models(found), project)
    after = path.read_text(encoding="utf-8")
    start, end = after.index(write.BEGIN), after.index(write.END) + len(write.END) + 1
    assert after[:start] + after[end:] == before
    assert read_yaml(path)["models"]["authors_cam"] == write.models(found)["authors_cam"]
    assert [file.name for file in files] == ["params.yaml", "authors_rafdb.yaml", "authors_affectnet.yaml"]
    write.write(write.models(found), project)
    assert path.read_text(encoding="utf-8") == after
    assert not list(project.glob("*.partial"))


def test_a_later_call_replaces_the_entries_of_an_earlier_one(project, found):
    write.write(write.models(found), project)
    fewer = [one for one in found if one.folder.dataset == "RAF-DB" and one.folder.key == "CAM"]
    write.write(write.models(fewer), project)
    names = [name for name in read_yaml(project / "params.yaml")["models"] if name.startswith("authors_")]
    assert names == ["authors_cam"]


def test_a_block_that_lost_a_mark_is_not_guessed(project, found):
    path = project / "params.yaml"
    write.write(write.models(found), project)
    damaged = path.read_text(encoding="utf-8").replace(write.END, "")
    path.write_text(damaged, encoding="utf-8")
    with pytest.raises(InputError, match="one of the marks of `fer-bench import-authors` is gone"):
        write.write(write.models(found), project)
    assert path.read_text(encoding="utf-8") == damaged


def test_entries_that_cannot_run_change_nothing(project, found):
    before = (project / "params.yaml").read_bytes()
    entries = write.models(found)
    entries["authors_cam"]["input_size"] = 3
    with pytest.raises(InputError, match=r"models\.authors_cam\.input_size"):
        write.write(entries, project)
    assert (project / "params.yaml").read_bytes() == before
    assert not list(project.glob("*.partial")) and not (project / "grids/authors_rafdb.yaml").exists()


def planned(loaded: params.Params, dataset: str, **changed) -> dict[str, dict]:
    """The plan of a grid that was written, with some of its lists exchanged."""
    grid = grids.read(f"authors_{dataset}", Path(loaded.source).parent).model_copy(update=changed)
    return plan.entries(dataclasses.replace(loaded, grid=grid), ROOT)


def test_the_grid_runs_every_network_of_its_dataset(project, found):
    written(project, found)
    grid = grids.use("authors_affectnet", project)
    assert (grid.protocol, grid.datasets, grid.seeds) == ("paper", ["affectnet"], [0])
    entries = plan.entries(params.load(project / "params.yaml"), ROOT)
    train = {name: entry for name, entry in entries.items() if name.startswith("train/")}
    assert len(train) == 24 and not [entry["skip"] for entry in train.values() if entry["skip"]]
    assert {entry["train"]["epochs"] for entry in train.values()} == {0}
    assert not any("cells" in one["model"] or "explainers" in one["model"] for one in train.values())
    entry = train["train/affectnet-authors_gradcampp-au-s0.json"]
    assert entry["guidance"]["settings"]["weight"] == 3.5
    assert entry["model"]["checkpoint"]["folder"].endswith("AffectNet-resnet50-GradCAMpp-WGAP-cp_best-boxv2_False")
    assert "fer_bench.authors.names" in entry["sources"]
    scored = entries["evaluate/affectnet/affectnet-authors_gradcampp-au-s0.json"]
    assert scored["evaluate"]["explainers"] == ["gradcampp_paper", "gradcampp"]


def test_cells_of_other_models_do_not_depend_on_the_release(project, found):
    loaded = written(project, found)
    default = plan.entries(dataclasses.replace(loaded, grid=grids.read("default", project)), ROOT)
    sources = {name for key, entry in default.items() if key.startswith("train/") for name in entry["sources"]}
    assert "fer_bench.checkpoints.base" in sources
    assert not [name for name in sources if name.startswith(("fer_bench.authors", "fer_bench.checkpoints.authors"))]


def reasons(loaded: params.Params, **changed) -> dict[str, str]:
    entries = planned(loaded, "rafdb", models=["authors_cam"], **changed)
    train = {Path(name).stem: entry for name, entry in entries.items() if name.startswith("train/")}
    return {name: entry["skip"] for name, entry in train.items()}


def test_a_network_that_was_not_released_is_skipped_with_its_reason(project, found):
    loaded = written(project, [one for one in found if one.folder.dataset == "RAF-DB" and not one.folder.guided])
    skipped = reasons(loaded, guidance=["none", "au"])
    assert skipped["rafdb-authors_cam-none-s0"] == ""
    assert skipped["rafdb-authors_cam-au-s0"] == (
        "models.authors_cam.cells has no entry for rafdb with au; it has rafdb with none"
    )


def test_one_published_run_stands_for_one_seed_and_never_for_protocol_clean(project, found):
    loaded = written(project, found)
    seeds = reasons(loaded, seeds=[0, 1])
    assert seeds["rafdb-authors_cam-au-s0"] == "" and "a single run" in seeds["rafdb-authors_cam-au-s1"]
    clean = reasons(loaded, protocol="clean")
    assert all("chosen on the test split" in reason for reason in clean.values())


@pytest.mark.parametrize("model", BY_MODEL)
def test_a_round_trip_gives_identical_logits(release, found, model):
    """Our network, written by the published names, read into one that started elsewhere."""
    chosen = BY_MODEL[model]
    plain = [one for one in found if one.folder.dataset == "AffectNet" and not one.folder.guided]
    one = next(one for one in plain if model in one.cells)
    cell = {key: value for key, value in one.cells[model].items() if key != "checkpoint"}
    torch.manual_seed(5)
    described = {key: value for key, value in survey.section(chosen).items() if key not in ("explainers", "train")}
    imported = classifier.build({**described, **cell}).eval()
    images = torch.rand(2, 3, chosen.input_size, chosen.input_size)
    original = network(chosen)
    with torch.no_grad():
        assert not torch.equal(imported(images).logits, original(images).logits)
        checkpoint(one.cells[model]["checkpoint"], release).fill(imported)
        mine, theirs = imported(images), original(images)
    assert imported.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert torch.equal(mine.logits, theirs.logits)
    for layer, value in theirs.features.items():
        assert torch.equal(mine.features[layer], value)


def checkpoint(section: dict, repository: Path) -> Checkpoint:
    """The source of a section `checkpoint`, with the release unpacked below data/authors of a repository."""
    place = repository / layout.DEFAULT
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(repository / "shared-trained-models", target_is_directory=True)
    settings = Settings(folder=section["folder"], fingerprint=section["fingerprint"])
    return Checkpoint(settings, "params.yaml: models.x.checkpoint", repository)


def test_a_cell_starts_with_the_published_network(project, release, found, monkeypatch):
    monkeypatch.setenv(layout.VARIABLE, str(release))
    entries = planned(written(project, found), "rafdb", models=["authors_gradcampp"])
    arms = {}
    for name in ("none", "au"):
        entry = entries[f"train/rafdb-authors_gradcampp-{name}-s0.json"]
        arms[name] = initialised(entry, 7)
        before = arms[name].head_weight.clone()
        source = checkpoint_of(entry)
        source.fill(arms[name])
        assert not torch.equal(arms[name].head_weight, before)
        assert source.facts()["align_atten_to_heatmap"] is (name == "au")
        assert "/elsewhere" not in str(source.facts()) and "best_epoch" not in source.facts()
    assert arms["none"].backbone.map_sizes[5] == (7, 7) and arms["au"].backbone.map_sizes[5] == (28, 28)
    assert torch.allclose(arms["au"].head_weight - arms["none"].head_weight, torch.tensor(0.002))


def test_scores_of_a_published_network_name_no_epoch_and_no_choice_of_ours(project, found, tmp_path):
    entries = planned(written(project, found), "rafdb", models=["authors_cam"], seeds=[0, 1])
    history = tmp_path / "history.csv"
    history.write_text("epoch,val_accuracy,best\n0,88.2,1\n", encoding="utf-8")
    found = facts(entries["evaluate/rafdb/rafdb-authors_cam-au-s0.json"], history)
    assert found["best_epoch"] is None and found["selection"] == "chosen where the network was trained"
    assert facts(entries["evaluate/rafdb/rafdb-authors_cam-au-s1.json"], None)["selection"] == ""  # it was skipped


def test_the_log_says_how_the_network_was_trained(project, release, found, monkeypatch):
    monkeypatch.setenv(layout.VARIABLE, str(release))
    entry = planned(written(project, found), "affectnet", models=["authors_tscam"])
    used = _used(entry["train/affectnet-authors_tscam-au-s0.json"], project)
    assert used["train"] == {"epochs": 0} and "sources" not in used
    assert used["trained_elsewhere"]["optimizer"]["opt__lr"] == 0.002
    assert used["trained_elsewhere"]["align_atten_to_heatmap_layers"] == "1"


def test_files_that_are_not_those_of_params_are_refused(release, found):
    section = found[0].cells["authors_cam"]["checkpoint"] | {"fingerprint": "0" * 16}
    with pytest.raises(InputError, match=r"checkpoint\.fingerprint: .* is now [0-9a-f]{16}, not 0{16}"):
        checkpoint(section, release).fill(network(BY_MODEL["authors_cam"]))


def test_an_absent_release_is_one_clear_line(tmp_path, found):
    section = found[0].cells["authors_cam"]["checkpoint"]
    source = Checkpoint(Settings(folder=section["folder"], fingerprint=section["fingerprint"]), "x", tmp_path)
    with pytest.raises(InputError, match=r"FER_BENCH_ROOT_AUTHORS, else data/authors: no released networks in"):
        source.fill(network(BY_MODEL["authors_cam"]))


@pytest.mark.parametrize("below", ["", "shared-trained-models", "shared-trained-models/FG_FER"])
def test_the_folder_may_be_any_above_the_datasets(release, below):
    assert layout.holder(release / below, "test") == release / "shared-trained-models/FG_FER"


def test_two_copies_are_not_chosen_from(release, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "RAF-DB/resnet50/STD_CL").mkdir(parents=True)
    with pytest.raises(InputError, match="several copies of the release"):
        layout.holder(tmp_path, "test")


def test_the_command_says_what_it_found_and_wrote(project, release, found, monkeypatch, capsys):
    broken = dataclasses.replace(found[0], cells={}, problem="model.pt: no such file")
    monkeypatch.setattr(command, "survey", lambda holder: [broken, *found[1:]])
    command.run(release, Console(width=200), project, dry=True)
    assert not (project / "grids/authors_rafdb.yaml").exists()
    command.run(release, Console(width=200), project)
    out = capsys.readouterr().out
    assert f"not used: {found[0].path}: model.pt: no such file" in out
    assert f"export {layout.VARIABLE}=" in out and "next: fer-bench use authors_rafdb" in out
    assert "authors_rafdb" in grids.names(project)
    cells = read_yaml(project / "params.yaml")["models"]["authors_cam"]["cells"]
    assert "none" not in cells["rafdb"] and "none" in cells["affectnet"]


def test_a_dataset_that_params_has_not_is_named(project, release, found, monkeypatch, capsys):
    path = project / "params.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\n  affectnet:", "\n  of_another_name:"), encoding="utf-8")
    monkeypatch.setattr(command, "survey", lambda holder: found)
    monkeypatch.setattr(write.params, "parse", lambda raw, source: None)  # a grid names it
    command.run(release, Console(width=200), project)
    assert "not used: params.yaml has no datasets.affectnet" in capsys.readouterr().out
    assert list(read_yaml(path)["models"]["authors_cam"]["cells"]) == ["rafdb"]


def test_the_command_on_a_folder_without_networks(tmp_path):
    result = CliRunner().invoke(app, ["import-authors", str(tmp_path)])
    assert result.exit_code == 1 and "no released networks in" in result.output
