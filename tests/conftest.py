"""Shared by all tests: one thread, no network, the repository's own params.yaml."""

import os
import socket
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

pytest_plugins = ("small_pipeline",)  # fixtures of a pipeline that is disturbed

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to leave this machine fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and str(address[0]) not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise RuntimeError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def raw_params() -> dict:
    """The committed params.yaml with the default grid, whichever is active, as plain data, free to be changed."""
    from fer_bench import grids
    from fer_bench.yaml_file import read_yaml

    grid = grids.read("default", ROOT).model_dump(mode="json")
    return {**read_yaml(ROOT / "params.yaml"), "grid": grid}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that run the whole pipeline first: they take longest, and a file stays with one worker."""
    items.sort(key=lambda item: "pipeline" not in item.path.name)
