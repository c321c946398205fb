"""The grid `smoke` from nothing in three folders, with other numbers of processes: the same bits, faces to tables."""

import pytest
from repository_copy import RepositoryCopy

from fer_bench.yaml_file import read_yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PROCESSES = {"a": (0, 1), "a longer name": (1, 2), "c": (2, 3)}  # folder -> loader workers, processes


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Made one after the other, each with a cache of its own."""
    made = {}
    for name, (workers, processes) in PROCESSES.items():
        copy = made[name] = RepositoryCopy(tmp_path_factory.mktemp("copy") / name)
        copy.run("fer_bench.cli", "use", "smoke")
        copy.edit("params.yaml", "\n  workers: 1", f"\n  workers: {workers}")
        copy.edit("params.yaml", "\n  processes: 0", f"\n  processes: {processes}")
        (copy.folder / "dvc.lock").unlink(missing_ok=True)
        assert not (copy.folder / ".dvc/cache").exists()
        assert copy.run("dvc", "repro").count("Running stage") == 10
    return made


def outputs(copy):
    """Hashes of what every stage wrote, by stage and path."""
    stages = read_yaml(copy.folder / "dvc.lock")["stages"]
    return {name: {out["path"]: out["md5"] for out in stage["outs"]} for name, stage in stages.items()}


def test_every_output_of_every_stage_is_the_same(copies):
    first, *others = map(outputs, copies.values())
    assert {name.partition("@")[0] for name in first} >= {
        "faces",
        "landmarks",
        "heatmaps",
        "train",
        "evaluate",
        "tables",
    }
    for other in others:
        assert other == first


def test_committed_files_are_the_same(copies):
    def written(copy):
        folders = ("results/smoke", "results/metrics/synthetic_smoke", "results/hygiene", "paper_tables/smoke")
        paths = [path for folder in folders for path in (copy.folder / folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(copy.folder)): path.read_bytes() for path in sorted(paths)}

    first, *others = map(written, copies.values())
    assert any(name.endswith(".pdf") for name in first) and "results/smoke/metrics.csv" in first
    for other in others:
        assert other.keys() == first.keys()
        assert [name for name in first if first[name] != other[name]] == []
