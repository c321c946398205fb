"""States of a training on disk: whole or not there, the one before a damaged one, nothing left at the end."""

import hashlib
import io
import json

import pytest
import torch

from fer_bench.training_state import KEPT, TrainingState


def state(number):
    weights = torch.randn(3, 5, generator=torch.Generator().manual_seed(number))
    return {"step": number, "model": {"w": weights}, "rows": [{"epoch": 0.5, "loss": 1.25}], "best": None}


@pytest.fixture
def states(tmp_path):
    found = TrainingState(tmp_path / "cell" / "0123")
    for number in (1, 2, 10):
        found.save(state(number), number)
    return found


def test_nothing_there_is_no_state(tmp_path):
    assert TrainingState(tmp_path / "none").load() is None


def test_the_last_state_comes_back_bit_for_bit(states):
    found = states.load()
    assert found["step"] == 10 and found["rows"] == state(10)["rows"] and found["best"] is None
    assert torch.equal(found["model"]["w"], state(10)["model"]["w"])


def test_the_one_before_it_is_kept_and_no_more(states):
    assert sorted(path.name for path in states.folder.iterdir()) == ["000000000002.state", "000000000010.state"]
    assert KEPT == 2


@pytest.mark.parametrize("cut", [0, 1, 40, 100, -1])
def test_a_cut_off_file_is_told_and_the_one_before_it_is_used(states, cut, capsys):
    last = states.folder / "000000000010.state"
    last.write_bytes(last.read_bytes()[:cut])
    assert states.load()["step"] == 2
    assert f"warning: {last}: damaged" in capsys.readouterr().err


@pytest.mark.parametrize("place", [3, 150, -5])
def test_a_changed_byte_is_noticed(states, place):
    last = states.folder / "000000000010.state"
    content = bytearray(last.read_bytes())
    content[place] ^= 1
    last.write_bytes(content)
    assert states.load()["step"] == 2


def test_where_all_are_damaged_training_starts_anew(states, capsys):
    for path in states.folder.iterdir():
        path.write_bytes(b"{}\n")
    assert states.load() is None
    assert capsys.readouterr().err.count("warning") == 2


def test_a_write_that_was_cut_off_leaves_the_last_state(states, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        states.save(state(11), 11)
    assert states.load()["step"] == 10


class Evil:
    """Pickled, it would print."""

    def __reduce__(self):
        return (print, ("run",))


def test_nothing_that_runs_code_is_read(states, capsys):
    content = io.BytesIO()
    torch.save(Evil(), content)
    head = {"bytes": len(content.getvalue()), "sha256": hashlib.sha256(content.getvalue()).hexdigest()}
    (states.folder / "000000000012.state").write_bytes(json.dumps(head).encode() + b"\n" + content.getvalue())
    assert states.load()["step"] == 10
    assert capsys.readouterr().out == ""


def test_the_end_leaves_nothing(states):
    states.clear()
    assert not states.folder.parent.exists()
    states.clear()
