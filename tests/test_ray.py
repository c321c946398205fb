"""A Ray cluster of two nodes on this machine: the same lock as serially, also when a node dies in the middle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from toy_pipeline import Toy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
pytest.importorskip("ray", reason="the extra `cluster` is not installed")

# A training marks that it runs and waits for a second one, so that the two run at once, one on each node.
TRAIN = (
    "echo train-${item.i} >> ran && mkdir -p out marks && (sleep 600 & echo $! > marks/${item.i}-$$; "
    "while test $(ls marks | wc -l) -lt 2; do sleep 0.1; done; sleep 8; kill $!) && cat plan/${item.i} > out/${item.i}"
)
# A head and a second node, one core each; the second is killed while a training runs on each. Prints a line of JSON.
DRIVER = """
import json, os, sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
from rich.console import Console
from fer_bench.engines.ray import Settings
from fer_bench.runner import command

node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args=node)
second = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
cluster.wait_for_nodes()

def kill() -> None:
    while len(list(Path("marks").glob("*"))) < 2:
        time.sleep(0.05)
    cluster.remove_node(second, allow_graceful=False)

if "kill" in sys.argv:
    threading.Thread(target=kill, daemon=True).start()
try:
    apart = {"shared": False, "sources": [], "back": [], "here": ["sum"]} if "apart" in sys.argv else {}
    settings = Settings(address=cluster.address, retries=3, **apart)
    code = command.run("ray", settings, None, {}, (), Console(stderr=True))
finally:
    cluster.shutdown()
print(json.dumps({"code": code}))
"""


def on_cluster(toy: Toy, *arguments: str) -> int:
    """Run the driver in a process of its own; return the exit status of the run."""
    root = str(Path(__file__).parent.parent)
    patience = {"RAY_raylet_start_wait_time_s": "300"}  # on a busy machine a node takes longer than Ray's 30 s to start
    environment = {**os.environ, **patience, "PYTHONPATH": root, "RAY_USAGE_STATS_ENABLED": "0"}
    result = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments],
        cwd=toy.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return int(json.loads(result.stdout.strip().splitlines()[-1])["code"])


def serial_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    toy = Toy(folder, train=TRAIN)
    (folder / "marks").mkdir()
    for name in ("first", "second"):  # nobody to wait for
        (folder / "marks" / name).touch()
    monkeypatch.chdir(folder)
    toy.serial()
    return toy.lock


def test_killed_node_changes_nothing_but_the_time(tmp_path, monkeypatch):
    toy = Toy(tmp_path / "toy", train=TRAIN)
    assert on_cluster(toy, "kill") == 0
    assert len(toy.ran) > 6, "no stage was started again: the node died too late for this test to say anything"
    assert sorted(set(toy.ran)) == ["plan", "sum", "train-a", "train-b", "train-c", "train-d"]
    assert toy.lock == serial_lock(tmp_path / "serial", monkeypatch)
    monkeypatch.chdir(toy.folder)
    assert toy.status() == {}
    assert toy.serial() == []
    left = [path for path in (toy.folder / "marks").glob("*") if Path(f"/proc/{path.read_text().strip()}").exists()]
    assert not left, "a training outlived its node"


def test_machines_that_share_no_files_get_them_sent(tmp_path, monkeypatch):
    """A training finds nothing but its part of the plan; what it made comes back; `sum` runs beside the driver."""
    toy = Toy(
        tmp_path / "toy", train="test $(ls | tr -d ' ') = plan && mkdir -p out && cp plan/${item.i} out/${item.i}"
    )
    assert on_cluster(toy, "apart") == 0
    assert [(toy.folder / "out" / item).read_text() for item in "abcd"] == ["a\n", "b\n", "c\n", "d\n"]
    assert toy.ran == ["sum"]
    monkeypatch.chdir(toy.folder)
    assert toy.status() == {}
