"""The parallel runner on a small DVC repository: equal to the serial run, safe against failures, kills and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from dvc.utils.serialize import dumps_yaml
from toy_pipeline import COMMAND, Toy

from fer_bench.engines.base import Resources
from fer_bench.errors import InputError
from fer_bench.runner import command, exclusive, serial
from fer_bench.runner.lock_file import LockFile

SLEEP = "mkdir -p out marks && (sleep 300 & echo $! > marks/${item.i}; wait) && cp plan/${item.i} out/${item.i}"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    made = Toy(tmp_path / "toy")
    monkeypatch.chdir(made.folder)
    return made


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def marks(toy: Toy) -> list[int]:
    return [int(path.read_text()) for path in (toy.folder / "marks").glob("*") if path.read_text().strip()]


def test_parallel_lock_is_the_serial_one(toy, tmp_path, monkeypatch):
    code, shown = toy.run(jobs=3)
    assert code == 0
    assert "6 stages: 6 run, 0 from the run-cache, 0 unchanged, 0 failed" in shown
    assert toy.status() == {}
    assert toy.serial() == []
    other = Toy(tmp_path / "serial")
    monkeypatch.chdir(other.folder)
    assert len(other.serial()) == 6
    assert toy.lock == other.lock
    assert sorted(toy.ran) == sorted(other.ran)
    assert (toy.folder / "sum").read_bytes() == (other.folder / "sum").read_bytes()


def test_nothing_to_do_runs_nothing_and_an_edit_runs_what_depends_on_it(toy):
    toy.run()
    before = (toy.folder / "dvc.lock").stat().st_mtime_ns
    assert "0 run, 0 from the run-cache, 6 unchanged" in toy.run()[1]
    assert (toy.folder / "dvc.lock").stat().st_mtime_ns == before
    edited = (toy.folder / "dvc.yaml").read_text().replace("echo $i >", "echo new-$i | sed s/new-[bcd]/$i/ >")
    (toy.folder / "dvc.yaml").write_text(edited)
    assert "3 run, 0 from the run-cache, 3 unchanged" in toy.run()[1]
    assert toy.ran[6:] == ["plan", "train-a", "sum"]


def test_targets_run_what_leads_to_them(toy):
    assert toy.run(targets=("train@b",))[0] == 0
    assert toy.ran == ["plan", "train-b"]
    with pytest.raises(InputError, match="trian"):
        toy.run(targets=("trian@b",))


def test_outputs_come_back_from_the_run_cache(toy):
    toy.run()
    lock = toy.lock
    (toy.folder / "dvc.lock").unlink()
    shutil.rmtree(toy.folder / "out")
    code, shown = toy.run()
    assert code == 0
    assert "1 run, 5 from the run-cache" in shown  # the output of `sum` is not kept in the cache
    assert toy.ran[6:] == ["sum"]
    assert toy.lock == lock


def test_a_failure_stops_only_what_depends_on_it(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train=f"test ${{item.i}} != b || {{ echo no b today; exit 3; }}; {COMMAND}")
    monkeypatch.chdir(toy.folder)
    code, shown = toy.run()
    assert code == 1
    assert "FAILED train@b: exit status 3; no b today; all lines:" in shown
    assert "not run because of it: 1 (sum)" in shown
    assert "4 run, 0 from the run-cache, 0 unchanged, 1 failed, 1 not run" in shown
    assert set(toy.lock["stages"]) == {"plan", "train@a", "train@c", "train@d"}
    (toy.folder / "dvc.yaml").write_text((toy.folder / "dvc.yaml").read_text().replace("exit 3", "true"))
    assert toy.run(targets=("train@b",))[0] == 0


def test_an_output_that_was_not_made_is_a_failure(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train="mkdir -p out; test ${item.i} = c || touch out/${item.i}")
    monkeypatch.chdir(toy.folder)
    code, shown = toy.run()
    assert code == 1
    assert "FAILED train@c: output 'out/c' does not exist" in shown
    assert "train@d" in toy.lock["stages"]


def test_commands_of_a_list_run_in_order_until_one_fails(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train="\n    - mkdir -p out\n    - test ${item.i} != d\n    - touch out/${item.i}")
    monkeypatch.chdir(toy.folder)
    assert toy.run()[0] == 1
    assert sorted(path.name for path in (toy.folder / "out").iterdir()) == ["a", "b", "c"]


def test_killed_driver_leaves_no_process_and_the_next_run_goes_on(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train=SLEEP)
    monkeypatch.chdir(toy.folder)
    driver = toy.start()
    until(lambda: len(marks(toy)) == 2)
    sleeping = marks(toy)
    assert all(map(alive, sleeping))
    driver.kill()
    driver.wait()
    until(lambda: not any(map(alive, sleeping)), 10)
    (toy.folder / "dvc.yaml").write_text((toy.folder / "dvc.yaml").read_text().replace("sleep 300", "sleep 0"))
    code, shown = toy.run()
    assert code == 0, shown
    assert "0 failed" in shown
    assert toy.status() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_in_order(tmp_path, monkeypatch, number):
    toy = Toy(tmp_path / "toy", train=SLEEP)
    monkeypatch.chdir(toy.folder)
    driver = toy.start()
    until(lambda: len(marks(toy)) == 2)
    driver.send_signal(number)
    shown = driver.communicate(timeout=60)[0]
    assert driver.returncode == 128 + number
    assert "goes on from here" in shown
    assert not any(map(alive, marks(toy)))
    assert set(toy.lock["stages"]) == {"plan"}


def test_two_runs_at_once_are_refused(toy, monkeypatch):
    monkeypatch.setattr(exclusive, "_PATIENCE", 0.1)
    with exclusive.exclusive(toy.folder), pytest.raises(InputError, match=f"process {os.getpid()}"):
        toy.run()
    assert toy.run()[0] == 0


@pytest.mark.parametrize(
    "damage", [b"", b"schema: '2.0'\nstages:\n  plan:\n    cmd: 'half", b"schema: '2.0'\nstages: 3\n"]
)
def test_damaged_lock_is_restored(toy, capsys, damage):
    toy.run()
    lock = toy.lock
    (toy.folder / "dvc.lock").write_bytes(damage)
    assert "6 unchanged" in toy.run()[1]
    assert "restored from the copy" in capsys.readouterr().out
    assert toy.lock == lock


def test_lock_is_worded_as_dvc_words_it(tmp_path):
    def entry(count: int) -> dict:
        deps = [{"path": "é x", "md5": "0e1", "size": count}]
        return {"cmd": "a\nb", "deps": deps, "params": {"p.yaml": {"a": [1, None, "no"]}}}

    path = tmp_path / "dvc.lock"
    lock = LockFile(path, tmp_path / "backup")
    for count in (1, 2):
        for number in range(count):
            lock.record(f"train@{number}-äß", entry(count))
        lock.write(now=True)
        stages = {f"train@{number}-äß": entry(count) for number in range(count)}
        assert path.read_text() == dumps_yaml({"schema": "2.0", "stages": stages})
        assert path.read_bytes() == (tmp_path / "backup").read_bytes()
    again = LockFile(path, tmp_path / "backup")
    again.record("sum", {"cmd": "x"})
    again.write(now=True)
    assert path.read_text() == dumps_yaml({"schema": "2.0", "stages": {**stages, "sum": {"cmd": "x"}}})


def test_damaged_lock_without_a_copy_names_the_way_out(toy):
    (toy.folder / "dvc.lock").write_text("schema: '2")
    with pytest.raises(InputError, match=r"git restore dvc\.lock"):
        toy.run()


def test_unfinished_merge_is_left_to_the_user(toy):
    toy.run()
    text = "<<<<<<< HEAD\n" + (toy.folder / "dvc.lock").read_text()
    (toy.folder / "dvc.lock").write_text(text)
    with pytest.raises(InputError, match="unfinished merge"):
        toy.run()
    assert (toy.folder / "dvc.lock").read_text() == text


def test_half_written_list_of_files_in_use_is_removed(toy):
    toy.run()
    (toy.folder / ".dvc/tmp/rwlock").write_text('{"write": {"/x')
    assert toy.run()[0] == 0
    assert not any(json.loads((toy.folder / ".dvc/tmp/rwlock").read_text()).values())


def test_serial_run_restores_the_lock_too(toy):
    toy.run()
    lock = toy.lock
    (toy.folder / "dvc.lock").write_text("")
    assert serial.run(["-q"], toy.folder) == 0
    assert toy.lock == lock


SERIAL = "import sys; from fer_bench.runner import serial; sys.exit(serial.run(sys.argv[1:]))"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_serial_run_takes_its_stage_along(tmp_path, number):
    """Asked to end, it ends the stage and DVC in order; killed, it takes DVC with it, and stages see to themselves."""
    toy = Toy(tmp_path / "toy", train="mkdir -p marks && echo $$ > marks/${item.i} && exec sleep 300")
    run = subprocess.Popen(
        [sys.executable, "-c", SERIAL, "--keep-going"],
        cwd=toy.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    until(lambda: bool(marks(toy)))
    (dvc,) = psutil.Process(run.pid).children()
    run.send_signal(number)
    if number == signal.SIGKILL:
        run.wait()
        until(lambda: not alive(dvc.pid), 10)
        os.kill(marks(toy)[0], signal.SIGKILL)
        return
    shown = run.communicate(timeout=60)[0]
    assert run.returncode == 128 + number and "goes on from here" in shown
    assert not any(map(alive, [dvc.pid, *marks(toy)]))
    assert set(toy.lock["stages"]) == {"plan"}


def test_dvc_refuses_to_work_on_stages_that_run(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train=SLEEP)
    monkeypatch.chdir(toy.folder)
    driver = toy.start()
    until(lambda: len(marks(toy)) == 2)
    with pytest.raises(Exception, match="failed to reproduce") as caught:
        toy.serial()
    driver.terminate()
    driver.communicate(timeout=60)
    assert "is busy" in str(caught.value.__cause__)


def test_gpus_are_handed_out_one_per_stage(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,9")
    toy = Toy(tmp_path / "toy", train="mkdir -p out && sleep 0.3 && echo $CUDA_VISIBLE_DEVICES > out/${item.i}")
    monkeypatch.chdir(toy.folder)
    assert toy.run(jobs=4, train=Resources(gpus=1))[0] == 0
    assert sorted((toy.folder / "sum").read_text().split()) == ["7", "7", "9", "9"]


def test_unknown_names_are_answered_with_those_that_work(toy):
    with pytest.raises(InputError, match=r"unknown engine 'slrum'; did you mean 'slurm'\? known: local, ray, slurm"):
        command.chosen("slrum", {}, None, "params.yaml")
    with pytest.raises(InputError, match=r"unknown engine 'mine'.* known: local, near, ray, slurm"):
        command.chosen("mine", {"near": {"plugin": "local"}}, None, "params.yaml")
    with pytest.raises(InputError, match="engine 'local' has no address"):
        command.chosen("local", {}, "auto", "params.yaml")
    with pytest.raises(InputError, match=r"resources: unknown stage 'trian'; did you mean 'train'"):
        toy.run(trian=Resources())
    plugin, settings = command.chosen("big", {"big": {"plugin": "ray", "retries": 5}}, "a:1", "params.yaml")
    assert (plugin, settings.retries, settings.address) == ("ray", 5, "a:1")


WHOLE = "ls marks | wc -l >> ran && mkdir -p out && cat plan/${item.i} plan/${item.i} > out/${item.i}"


def with_meta(toy: Toy, part: str) -> None:
    """Let the trainings of a toy be split into parts."""
    text = (toy.folder / "dvc.yaml").read_text()
    (toy.folder / "dvc.yaml").write_text(
        text.replace('    deps: ["plan/', f"    meta: {{part: '{part}'}}\n    deps: [\"plan/")
    )


def test_parts_run_before_their_stage_and_change_nothing_of_it(tmp_path, monkeypatch):
    toy, other = Toy(tmp_path / "toy", train=WHOLE), Toy(tmp_path / "serial", train=WHOLE)
    (toy.folder / "part.sh").write_text("mkdir -p marks && echo part >> ran && touch marks/$1-$2-of-$3")
    with_meta(toy, "sh part.sh ${item.i}")
    monkeypatch.chdir(toy.folder)
    code, shown = toy.run(train=Resources(parts=3))
    assert code == 0
    assert "6 stages in 18 jobs: 18 run" in shown
    assert toy.ran.count("part") == 12
    assert toy.status() == {}
    for item in "abcd":  # every stage came after its three parts
        assert sorted(path.name for path in (toy.folder / "marks").glob(f"{item}-*")) == [
            f"{item}-{number}-of-3" for number in (1, 2, 3)
        ]
    assert all(int(count) >= 3 for count in toy.ran if count.isdigit())
    assert "0 run, 0 from the run-cache, 18 unchanged" in toy.run(train=Resources(parts=3))[1]
    monkeypatch.chdir(other.folder)
    other.serial()
    assert toy.lock == other.lock


def test_a_part_that_fails_stops_its_stage_and_what_depends_on_it_alone(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy")
    with_meta(toy, "test ${item.i} != b && echo part")
    monkeypatch.chdir(toy.folder)
    code, shown = toy.run(jobs=1, train=Resources(parts=3))
    assert code == 1
    assert "FAILED train@b#1of3: exit status 1" in shown
    assert "not run because of it: 2 (train@b, sum)" in shown
    assert "6 stages in 18 jobs: 13 run, 0 from the run-cache, 0 unchanged, 1 failed, 4 not run" in shown
    assert set(toy.lock["stages"]) == {"plan", "train@a", "train@c", "train@d"}


def test_only_stages_that_say_how_are_split(toy):
    with pytest.raises(InputError, match=r"resources\.train\.parts: 2: this stage cannot be split"):
        toy.run(train=Resources(parts=2))
