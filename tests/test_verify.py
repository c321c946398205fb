"""Verification: scores compared by hand, hashes of stages, environment, verdict."""

import json
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest

from fer_bench import cell_stages, verify
from fer_bench.errors import InputError
from fer_bench.verify import certificate, environment, git, lock
from fer_bench.verify import command as verification

ROOT = Path(__file__).parent.parent
KEYS = dict.fromkeys(verify.KEYS, "x")


def table(**values: tuple[float | None, str, int]) -> pd.DataFrame:
    """A tidy table with one score per keyword: value, unit, number of images."""
    return pd.DataFrame(
        [KEYS | {"metric": name, "value": value, "unit": unit, "n": n} for name, (value, unit, n) in values.items()]
    )


def statuses(found: pd.DataFrame) -> dict[str, str]:
    return dict(zip(found["metric"], found["status"], strict=True))


def test_every_status_by_hand():
    before = table(
        a=(1, "", 9), b=(2, "", 9), c=(3, "%", 9), d=(4, "%", 9), e=(None, "", 0), gone=(1, "", 9), n=(1, "", 9)
    )
    here = table(
        a=(1, "", 9), b=(2.004, "", 9), c=(3.4, "%", 9), d=(4.6, "%", 9), e=(None, "", 0), new=(1, "", 9), n=(1, "", 8)
    )
    found = verify.compared(before, here, tolerance=0.5)
    assert statuses(found) == {
        "a": "identical", "b": "within", "c": "within", "d": "beyond", "e": "identical", "gone": "gone", "new": "new",
        "n": "beyond",
    }  # fmt: skip
    assert certificate.counts(found) == {"identical": 2, "within": 2, "beyond": 2, "new": 1, "gone": 1}


def test_without_tolerance_only_equal_scores_are_equal():
    found = verify.compared(table(a=(0.1, "", 1), b=(0.1, "", 1)), table(a=(0.1, "", 1), b=(0.1 + 1e-12, "", 1)))
    assert statuses(found) == {"a": "identical", "b": "beyond"}


def test_a_point_is_a_hundredth_of_a_cosine():
    found = verify.compared(table(a=(0.5, "", 1), b=(50, "%", 1)), table(a=(0.52, "", 1), b=(50.02, "%", 1)), 1.0)
    assert statuses(found) == {"a": "beyond", "b": "within"}


def test_largest_difference_comes_first_and_new_scores_before_it():
    found = verify.compared(table(a=(1, "", 1), b=(1, "", 1)), table(a=(1.1, "", 1), b=(3, "", 1), c=(0, "", 1)))
    assert list(verify.differences(found)["metric"]) == ["c", "b", "a"]
    assert certificate.largest(found)[1] == KEYS | {
        "metric": "b", "committed": 1.0, "here": 3.0, "difference": 2.0, "status": "beyond"
    }  # fmt: skip


def commit(folder: Path) -> None:
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@e.org", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)


def test_committed_table_is_that_of_the_last_commit(tmp_path):
    path = Path("results/g/metrics.csv")
    (tmp_path / path).parent.mkdir(parents=True)
    table(a=(1, "", 1)).to_csv(tmp_path / path, index=False)
    commit(tmp_path)
    table(a=(2, "", 1)).to_csv(tmp_path / path, index=False)
    assert verify.committed(path, tmp_path)["value"].tolist() == [1]
    with pytest.raises(InputError, match=r"results/h/metrics\.csv: not in the last commit"):
        verify.committed(Path("results/h/metrics.csv"), tmp_path)
    assert len(git.head(tmp_path)) == 40


def test_a_grid_that_was_not_active_in_the_commit_has_a_lock_of_its_own(tmp_path):
    own = tmp_path / "results/trust/g/dvc.lock"
    own.parent.mkdir(parents=True)
    own.write_text("of g")
    (tmp_path / "dvc.lock").write_text("of the active one")
    commit(tmp_path)
    own.unlink()  # it moves to dvc.lock when the grid is made the active one
    assert lock.committed("trust/g", tmp_path) == "of g"
    assert lock.committed("h", tmp_path) == "of the active one"


def lock_text(**outputs: str) -> str:
    stages = {name.replace("_", "@", 1): {"outs": [{"path": "p", "md5": md5}]} for name, md5 in outputs.items()}
    return json.dumps({"schema": "2.0", "stages": stages})


def test_stages_are_compared_by_the_hashes_of_their_outputs():
    before, here = (
        lock_text(train_a="1", train_b="2", train_c="3", plan="4"),
        lock_text(train_a="1", train_b="9", plan="5"),
    )
    assert lock.compared(before, here) == lock.Stages(2, ["train@b"])
    assert lock.compared(before, here, ["train@a"]) == lock.Stages(1, [])
    assert lock.compared("", here) == lock.Stages(0, [])


def test_targets_of_a_cell_are_its_evaluations_and_its_training():
    stages = cell_stages.evaluations(["d-m-au-s1"], ["d", "other"])
    assert stages == ["evaluate@d-m-au-1-d", "evaluate@d-m-au-1-other"]
    assert cell_stages.with_trainings(stages) == [*stages, "train@d-m-au-1"]


def test_environment_names_packages_that_are_not_the_pinned_ones():
    numpy = version("numpy")
    text = (
        f"numpy=={numpy} \\\n    --hash=sha256:00\n# a comment\npandas==0.1 \\\n"
        "no-such-package==1.0\nwindows-only-package==1.0 ; sys_platform == 'win32' \\\n"
    )
    assert environment.from_lock(text) == [
        f"pandas: 0.1 in requirements.lock, {version('pandas')} here",
        "no-such-package: 1.0 in requirements.lock, nothing here",
    ]


def test_installed_packages_are_those_of_the_lock():
    assert environment.from_lock(Path("requirements.lock").read_text(encoding="utf-8")) == []


def test_environment_is_compared_with_the_committed_certificate():
    here = environment.surroundings()
    assert environment.from_certificate(here, here) == []
    before = {**here, "instruction_set": "NONE", "of_an_older_version": "x"}
    assert environment.from_certificate(before, here) == [
        f"instruction_set: NONE in the committed certificate, {here['instruction_set']} here"
    ]


def made(**changed: object) -> certificate.Certificate:
    fields: dict = {
        "grid": "g", "mode": "check", "commit": "0123456789abcdef", "cells": "all", "tolerance": 0.5,
        "scores": {"identical": 1200, "within": 0, "beyond": 0, "new": 0, "gone": 0}, "largest": [],
        "stages": lock.Stages(3, []), "outdated": [], "environment": {}, "environment_differences": [],
    }  # fmt: skip
    return certificate.Certificate(**{**fields, **changed})


def test_verdict_is_one_line_that_says_what_was_done():
    assert made().verdict == "REPRODUCED: g at 0123456789, files here: 1,200 of 1,200 scores identical"
    scores = {"identical": 1, "within": 2, "beyond": 3, "new": 4, "gone": 5}
    assert made(mode="rerun", cells=["c"], scores=scores, outdated=["s"]).verdict == (
        "NOT REPRODUCED: g at 0123456789, 1 cells, run again from nothing: 1 of 15 scores identical, "
        "2 within 0.5 points, 3 further away, 4 new, 5 gone, 1 stages out of date"
    )


@pytest.mark.parametrize("status", ["beyond", "new", "gone"])
def test_a_single_wrong_score_is_no_reproduction(status):
    assert not made(scores={**made().scores, status: 1}).holds
    assert made(scores={**made().scores, "within": 1}).holds


def test_nothing_compared_is_no_reproduction():
    assert not made(scores=dict.fromkeys(made().scores, 0)).holds
    assert not made(outdated=["tables"]).holds


def test_certificate_is_written_beside_the_numbers(tmp_path):
    path = made().write(tmp_path)
    assert path == tmp_path / "results/g/certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["verdict"] == made().verdict and content["stages"] == {"compared": 3, "different": []}


def test_the_certificate_is_printed_for_scripts(tmp_path, monkeypatch, capsys):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.setattr(verification.git, "committed_frame", lambda *given: table(a=(1, "", 9)))
    monkeypatch.setattr(verification, "_as_it_lies", lambda *given: (table(), lock.Stages(3, []), []))
    monkeypatch.setattr(verification, "_certificate", lambda *given: made())
    assert verification.run(0, False, [], tmp_path, as_json=True).holds
    assert json.loads(capsys.readouterr().out)["verdict"] == made().verdict
