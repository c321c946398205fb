"""The whole grid `smoke` on a Ray cluster of two nodes of this machine: one dies, the results are the serial ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from repository_copy import RepositoryCopy

from fer_bench.yaml_file import read_yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
pytest.importorskip("ray", reason="the extra `cluster` is not installed")

# Two nodes of one core; the second dies as soon as a training runs on each. Prints a line of JSON.
DRIVER = """
import json, os, subprocess, sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster

def line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""

def trainings() -> int:
    lines = [line(process) for process in Path("/proc").glob("[0-9]*")]
    return sum(b"stages/train.py" in line and b"synthetic_smoke-" in line for line in lines)

node = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
second = cluster.add_node(**node)
cluster.wait_for_nodes()
killed = []

def kill() -> None:
    while trainings() < 2:
        time.sleep(0.05)
    time.sleep(2)
    cluster.remove_node(second, allow_graceful=False)
    killed.append(True)

threading.Thread(target=kill, daemon=True).start()
try:
    command = [sys.executable, "-m", "fer_bench.cli", "repro", "--engine", "ray", "--address", cluster.address]
    run = subprocess.run(command, capture_output=True, text=True)
finally:
    cluster.shutdown()
print(json.dumps({"code": run.returncode, "killed": bool(killed), "shown": run.stdout + run.stderr}))
"""


def smoke(folder: Path) -> RepositoryCopy:
    """A copy of the repository with the grid `smoke`, landmarks in three parts, and one process per stage."""
    folder.mkdir()
    made = RepositoryCopy(folder)
    made.run("fer_bench.cli", "use", "smoke")
    made.edit("params.yaml", "  default: {cpus: 1}\n", "  default: {cpus: 1}\n  landmarks: {parts: 3}\n")
    made.edit("params.yaml", "  processes: 0\n", "  processes: 1\n")
    return made


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> RepositoryCopy:
    made = smoke(tmp_path_factory.mktemp("serial") / "copy")
    made.run("fer_bench.cli", "repro")
    return made


def bytes_of(copy: RepositoryCopy) -> dict[str, bytes]:
    """Every file that git tracks of the results, by name, and the table of landmarks; figures hold no time either."""
    folders = ("results/metrics/synthetic_smoke", "results/smoke", "results/hygiene", "paper_tables/smoke")
    paths = [path for name in folders for path in (copy.folder / name).rglob("*") if path.is_file()]
    paths.append(copy.folder / "data/landmarks/synthetic_smoke.parquet")
    return {path.relative_to(copy.folder).as_posix(): path.read_bytes() for path in paths}


def stages_of(copy: RepositoryCopy) -> dict[str, dict]:
    """What dvc.lock holds, without the whole text of params.yaml that `plan` keeps: it names the engine's settings."""
    stages = read_yaml(copy.folder / "dvc.lock")["stages"]
    stages["plan"].pop("params")
    return stages


@pytest.mark.parametrize("shared", [True, False], ids=["shared files", "files sent"])
def test_the_grid_on_two_nodes_of_which_one_dies_is_the_serial_one(tmp_path, serial, shared):
    copy = smoke(tmp_path / "copy")
    if not shared:
        copy.edit("params.yaml", "  ray: {}\n", "  ray: {shared: false}\n")
    patience = {"RAY_raylet_start_wait_time_s": "300", "RAY_USAGE_STATS_ENABLED": "0"}
    result = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=copy.folder,
        env={**copy.environment, **patience},
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    told = json.loads(result.stdout.strip().splitlines()[-1])
    assert told["code"] == 0, told["shown"]
    assert told["killed"], "no two trainings ran at once, so no node was killed in the middle"
    assert "0 failed" in told["shown"]
    assert stages_of(copy) == stages_of(serial)
    assert bytes_of(copy) == bytes_of(serial)
    assert "up to date" in copy.run("dvc", "repro")
