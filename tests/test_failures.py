"""The reason of a stage's last failure: written by the stage and by the runner, gone after a success."""

import sys

import pytest
from toy_pipeline import COMMAND, Toy

from fer_bench import failures, stage
from fer_bench.cell_stages import planned
from fer_bench.errors import InputError


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def test_a_failure_is_kept_until_the_stage_succeeds(root):
    with pytest.raises(InputError), failures.watched("train@a-b-none-0", root):
        raise InputError("images are missing")
    with pytest.raises(ZeroDivisionError), failures.watched("faces@a", root):
        _ = 1 / 0
    assert failures.noted(root) == {
        "faces@a": "ZeroDivisionError: division by zero",
        "train@a-b-none-0": "images are missing",
    }
    with failures.watched("faces@a", root):
        pass
    assert list(failures.noted(root)) == ["train@a-b-none-0"]


def test_a_reason_is_one_line(root):
    failures.note("tables", "first\n  second\n" + "x" * 5000, root)
    text = (root / failures.FOLDER / "tables").read_text(encoding="utf-8")
    assert text.count("\n") == 1 and text.startswith("first second xxx") and len(text) == 2001


def test_nothing_is_written_where_there_is_no_place_for_it(tmp_path):
    failures.note("tables", "why", tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / ".dvc").mkdir()
    failures.note("x" * 300, "a name too long for a file", tmp_path)
    failures.forget("x" * 300, tmp_path)
    assert failures.noted(tmp_path) == {}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("train/a-b-none-s3", "train@a-b-none-3"),
        ("evaluate/t/a-b-none-s3", "evaluate@a-b-none-3-t"),
        ("faces/a", "faces@a"),
        ("tables", "tables"),
    ],
)
def test_a_file_of_the_plan_names_its_stage(file, name):
    assert planned(file) == name


def test_a_stage_notes_why_it_failed(root, monkeypatch, capsys):
    """As `python stages/train.py CELL` does: the plan entry is not there."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["stages/train.py", "a-b-none-s3"])
    monkeypatch.setattr(stage, "end_with_pipeline", lambda: None)
    with pytest.raises(SystemExit):
        stage.main("train", lambda entry, runtime: None)
    assert "no such plan entry" in failures.noted()["train@a-b-none-3"]
    assert "no such plan entry" in capsys.readouterr().err


def test_the_runner_notes_stages_that_could_not_speak_for_themselves(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train=f"test ${{item.i}} != c || kill -9 $$; {COMMAND}")
    monkeypatch.chdir(toy.folder)
    code, _ = toy.run()
    assert code == 1
    noted = failures.noted(toy.folder)
    assert list(noted) == ["train@c"] and "9" in noted["train@c"]
    (toy.folder / "dvc.yaml").write_text((toy.folder / "dvc.yaml").read_text().replace("!= c", "!= none"))
    code, shown = toy.run()
    assert code == 0, shown
    assert failures.noted(toy.folder) == {}


def test_the_runner_leaves_the_words_of_the_stage_itself(tmp_path, monkeypatch):
    folder = failures.FOLDER.as_posix()
    toy = Toy(
        tmp_path / "toy", train=f"test ${{item.i}} != c || {{ echo own words > {folder}/train@c; exit 1; }}; {COMMAND}"
    )
    monkeypatch.chdir(toy.folder)
    (toy.folder / folder).mkdir(parents=True)
    assert toy.run()[0] == 1
    assert failures.noted(toy.folder) == {"train@c": "own words"}
