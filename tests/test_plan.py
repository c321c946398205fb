"""The plan: one file per stage and thing, nothing of this machine in it, skips with their reason."""

import json
from pathlib import Path

import pytest

from fer_bench import grids, params, plan
from fer_bench.yaml_file import read_yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def raw(raw_params):
    raw_params["grid"]["seeds"] = [0, 1]
    return raw_params


def entries(raw):
    return plan.entries(params.parse(raw), ROOT)


def test_one_file_per_stage_and_thing(raw):
    found = entries(raw)
    kinds = [name.split("/")[0] for name in found]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "faces": 1,
        "landmarks": 1,
        "hygiene": 1,
        "heatmaps": 1,
        "train": 8,
        "evaluate": 8,
        "grid.json": 1,
    }


def test_every_cell_is_scored_on_every_test_dataset(raw):
    raw["grid"]["test_datasets"] = ["synthetic", "synthetic_smoke"]
    found = entries(raw)
    assert sum(name.startswith("evaluate/synthetic_smoke/") for name in found) == 8
    assert "faces/synthetic_smoke.json" in found
    entry = found["evaluate/synthetic_smoke/synthetic-xcit-au-s1.json"]
    assert entry["test_dataset"]["name"] == "synthetic_smoke" and entry["dataset"]["name"] == "synthetic"


def test_root_of_a_dataset_stays_out(raw, tmp_path):
    raw["grid"] |= {"datasets": ["real_photos"], "test_datasets": ["real_photos"]}
    without = entries(raw)
    raw["datasets"]["real_photos"]["root"] = str(tmp_path)
    assert entries(raw) == without
    assert str(tmp_path) not in json.dumps(without)


def test_runtime_changes_nothing(raw):
    before = entries(raw)
    raw["runtime"] |= {"threads": 2, "workers": 0, "progress": False}
    assert entries(raw) == before


def test_guidance_on_a_coarse_map_is_skipped_with_its_reason(raw):
    raw["models"]["resnet10t"]["kwargs"].pop("large_maps")
    found = entries(raw)
    assert "too coarse" in found["train/synthetic-resnet10t-au-s0.json"]["skip"]
    assert found["train/synthetic-resnet10t-none-s0.json"]["skip"] == ""
    skipped = [cell for cell in found["grid.json"]["cells"] if cell["skip"]]
    assert {cell["cell"] for cell in skipped} == {"synthetic-resnet10t-au-s0", "synthetic-resnet10t-au-s1"}


def test_method_that_does_not_fit_its_backbone_is_skipped(raw):
    raw["models"]["resnet10t"]["method"] = "tscam"
    reason = entries(raw)["train/synthetic-resnet10t-none-s0.json"]["skip"]
    assert "tscam" in reason.lower() or "attention" in reason


def test_settings_of_one_model_touch_its_files_only(raw):
    before = entries(raw)
    raw["models"]["xcit"]["kwargs"]["depth"] = 2
    after = entries(raw)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name in before if "xcit" in name} | {"grid.json"}


def test_label_of_a_model_touches_tables_only(raw):
    before = entries(raw)
    raw["models"]["xcit"]["label"] = "another word"
    after = entries(raw)
    assert {name for name in before if before[name] != after[name]} == {"grid.json"}


def test_explainers_touch_evaluation_only(raw):
    before = entries(raw)
    raw["evaluate"]["explainers"] = ["cam"]
    after = entries(raw)
    changed = {name.split("/")[0] for name in before if before[name] != after[name]}
    assert changed == {"evaluate", "grid.json"}


def test_overrides_of_a_model_reach_its_guided_cells_alone(raw):
    before = entries(raw)
    raw["models"]["resnet10t"]["guidance"] = {"layers": [4]}
    after = entries(raw)
    changed = {name for name in before if name.startswith("train/") and before[name] != after[name]}
    assert changed == {f"train/synthetic-resnet10t-au-s{seed}.json" for seed in (0, 1)}
    assert after["train/synthetic-resnet10t-au-s0.json"]["guidance"]["settings"]["layers"] == [4]


def test_blocks_leave_cells_out_of_the_tables_too(raw):
    raw["grid"]["blocks"] = [
        {"models": ["resnet10t"], "guidance": ["none", "au"]},
        {"models": ["xcit"], "guidance": ["none"]},
    ]
    found = entries(raw)
    assert "no block" in found["train/synthetic-xcit-au-s0.json"]["skip"]  # DVC's matrix knows products only
    assert found["train/synthetic-xcit-none-s0.json"]["skip"] == ""
    assert {entry["cell"] for entry in found["grid.json"]["cells"]} == {
        f"synthetic-{pair}-s{seed}" for pair in ("resnet10t-none", "resnet10t-au", "xcit-none") for seed in (0, 1)
    }
    assert len(grids.cells(params.parse(raw).grid)) == 6


def test_a_label_retrains_nothing(raw):
    before = entries(raw)
    raw["models"]["xcit"]["label"] = "another"
    after = entries(raw)
    assert {name for name in before if before[name] != after[name]} == {"grid.json"}
    assert after["grid.json"]["models"]["xcit"] == {
        "label": "another", "trial_of": "", "explainers": None, "recipe": {}
    }  # fmt: skip


def test_a_trial_shares_the_seed_of_its_model_and_differs_in_its_recipe_alone(raw):
    before = entries(raw)
    raw["grid"]["models"] = ["resnet10t", "resnet10t_slow"]
    found = entries(raw)
    for name in ("synthetic-resnet10t-none-s0", "synthetic-resnet10t-au-s1"):
        assert found[f"train/{name}.json"] == before[f"train/{name}.json"]  # having trials changes no result
        trial = found[f"train/{name.replace('resnet10t', 'resnet10t_slow')}.json"]
        own = found[f"train/{name}.json"]
        assert trial["seed"] == own["seed"]  # the same initial weights and batch order
        assert {key for key in own if trial[key] != own[key]} == {"cell", "model", "train"}
        assert {key for key in own["train"] if trial["train"][key] != own["train"][key]} == {"learning_rate"}
    recipes = {name: facts["recipe"] for name, facts in found["grid.json"]["models"].items()}
    assert recipes == {
        "resnet10t": {"synthetic": {"learning_rate": 0.003}},
        "resnet10t_slow": {"synthetic": {"learning_rate": 0.001}},
    }


@pytest.fixture
def with_apvit(raw):
    raw["grid"]["models"] = ["apvit", "resnet10t"]
    raw["models"]["apvit"]["method_kwargs"]["blocks"] = "random"
    return raw


def test_a_file_of_weights_that_is_not_there_skips_its_cells_alone(with_apvit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = entries(with_apvit)
    entry = found["train/synthetic-apvit-none-s0.json"]
    assert entry["skip"].startswith("params.yaml: models.apvit.weights: there is no file weights/backbone_ir50_ms1m_")
    assert "it comes from the model zoo of face.evoLVe" in entry["skip"] and "put the weights there" in entry["skip"]
    assert entry["weights_sha256"] == {}
    assert found["evaluate/synthetic/synthetic-apvit-none-s0.json"]["skip"] == entry["skip"]
    skips = {cell["cell"]: cell["skip"] for cell in found["grid.json"]["cells"]}
    assert {name for name, skip in skips.items() if skip} == {name for name in skips if "apvit" in name}


def test_once_the_file_is_there_its_cells_run_and_depend_on_its_content(with_apvit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = entries(with_apvit)
    path = tmp_path / "weights/backbone_ir50_ms1m_epoch120.pth"
    path.parent.mkdir()
    hashes = []
    for content in (b"one", b"other"):
        path.write_bytes(content)
        found = entries(with_apvit)
        assert found["train/synthetic-apvit-au-s1.json"]["skip"] == ""
        hashes.append(found["train/synthetic-apvit-au-s1.json"]["weights_sha256"])
        changed = {name for name in before if before[name] != found[name]}
        assert changed == {name for name in before if "apvit" in name} | {"grid.json"}
    assert hashes[0] != hashes[1]
    assert hashes[0].keys() == {"weights", "method_kwargs.blocks"} and hashes[0]["method_kwargs.blocks"] == "random"


def test_a_file_of_the_methods_own_counts_too(with_apvit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with_apvit["models"]["apvit"] |= {"weights": "random"}
    with_apvit["models"]["apvit"]["method_kwargs"]["blocks"] = "file:weights/vit_small_p16_224-15ec54c9.pth"
    skip = entries(with_apvit)["train/synthetic-apvit-none-s0.json"]["skip"]
    assert skip.startswith("params.yaml: models.apvit.method_kwargs.blocks: there is no file weights/vit_small_p16")
    assert "it comes from https://github.com/rwightman/pytorch-image-models/releases" in skip


def test_the_plan_is_made_again_when_a_file_of_weights_comes():
    stage = read_yaml(ROOT / "dvc.yaml")["stages"]["plan"]
    assert "weights" in stage["deps"]
    assert (ROOT / "weights/README.md").is_file()  # DVC wants the folder to be there
    assert read_yaml(ROOT / "params.yaml")["models"]["apvit"]["weights"].startswith("file:weights/")
