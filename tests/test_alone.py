"""The work of a stage is done by one process at a time, and loader workers leave signals to their training."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fer_bench import alone
from fer_bench.errors import InputError
from fer_bench.forked import workers_spared

HOLD = "import sys; from fer_bench.alone import alone\nwith alone('train', 'a/b'): print(flush=True); sys.stdin.read()"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def other(repository):
    """Another process that does the work `train a/b`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_work_that_another_process_does_is_refused_with_its_number(other, repository, monkeypatch, capsys):
    monkeypatch.setattr(alone, "PATIENCE", 0.3)
    assert alone.busy(repository) == [f"train-a_b (process {other.pid})"]
    with pytest.raises(InputError, match=rf"train a/b: process {other.pid} does this work already"), _held():
        pass
    assert capsys.readouterr().err == f"train a/b: waiting for process {other.pid}, which does this work too\n"
    with alone.alone("train", "c"):  # other work
        assert len(alone.busy(repository)) == 2


def _held():
    return alone.alone("train", "a/b")


def test_a_killed_process_holds_nothing(other, repository):
    os.kill(other.pid, signal.SIGKILL)
    with _held():
        assert alone.busy(repository) == [f"train-a_b (process {os.getpid()})"]
    assert alone.busy(repository) == []
    assert alone.left_working(repository, 0) == []


def test_work_waits_for_one_that_ends(other, repository):
    assert other.stdin is not None
    other.stdin.close()
    with _held():
        assert other.wait(10) == 0


def test_outside_of_a_repository_and_beside_the_first_of_several_nothing_is_held(tmp_path, monkeypatch):
    with alone.alone("train", "a", tmp_path):
        assert not list(tmp_path.iterdir())
    (tmp_path / ".dvc").mkdir()
    monkeypatch.setenv("RANK", "1")
    with alone.alone("train", "a", tmp_path):
        assert alone.busy(tmp_path) == []


def _forked():
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(3)
    time.sleep(0.3)
    return child


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="macOS does not tell who has sent a signal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_when_its_parent_asks_and_not_when_others_do(number):
    with workers_spared():
        child = _forked()
    subprocess.run([sys.executable, "-c", f"import os; os.kill({child}, {int(number)})"], check=True)
    time.sleep(0.3)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.kill(child, number)
    assert os.waitpid(child, 0) == (child, 0)


def test_other_children_end_as_ever():
    child = _forked()
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
