"""dvc.lock holds the stages of the active grid alone; those of the other grids wait in results/GRID/dvc.lock.

DVC reads and writes the whole of dvc.lock for every stage that it runs: with the stages of all grids in one file that
takes longer than many a stage. The files are taken apart as text, so that every stage keeps its bytes.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path

from fer_bench.errors import InputError
from fer_bench.grid_settings import Grid

LOCK = Path("dvc.lock")
RESULTS = Path("results")
_STAGES = "stages:\n"


def waiting(grid: str) -> Path:
    """Where the stages of a grid wait while another one is active."""
    return RESULTS / grid / LOCK


def switch(old: Grid, new: Grid, root: Path = Path()) -> None:
    """Put away the stages of the old grid and bring those of the new one, what both share included.

    Raises:
        InputError: a file that is not one of DVC's.
    """
    if old.name == new.name or not (root / LOCK).is_file():
        return
    head, here = parts((root / LOCK).read_text(encoding="utf-8"), LOCK)
    source, kept = root / waiting(new.name), dict[str, str]()
    if source.is_file():
        _, kept = parts(source.read_text(encoding="utf-8"), waiting(new.name))
    _write(root / waiting(old.name), head, _only(here, stages(old)))
    # What a grid's own file says made its numbers goes before what another grid says of a stage of the same name.
    _write(root / LOCK, head, _only(kept | {name: here[name] for name in here if name not in kept}, stages(new)))
    source.unlink(missing_ok=True)


def stages(grid: Grid) -> list[str]:
    """Names of the stages of a grid as dvc.yaml's matrices make them."""
    cells = [grid.datasets, grid.models, grid.guidance, map(str, grid.seeds)]
    trainings = ["-".join(names) for names in product(*cells)]
    scored = ["-".join(names) for names in product(trainings, grid.test_datasets)]
    prepared = [
        f"{kind}@{name}" for kind in ("faces", "landmarks", "hygiene", "heatmaps") for name in grid.test_datasets
    ]
    return [
        "plan",
        *prepared,
        *(f"train@{name}" for name in trainings),
        *(f"evaluate@{name}" for name in scored),
        "tables",
    ]


def parts(text: str, source: Path) -> tuple[str, dict[str, str]]:
    """Take a lock file apart: what stands above the stages, and the lines of each stage.

    Raises:
        InputError: the text is not laid out as DVC does it.
    """
    head, found, body = text.partition(_STAGES)
    if not found or (body and not body.startswith("  ")):
        raise InputError(
            f"{source}: not a lock file as DVC writes it; `git restore {source}` brings the committed one back"
        )
    blocks: dict[str, str] = {}
    name = ""
    for line in body.splitlines(keepends=True):
        if line.startswith("  ") and line[2] not in " -":
            name = line.strip().rstrip(":")
            blocks[name] = ""
        blocks[name] += line
    return head + _STAGES, blocks


def _only(blocks: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    wanted = set(names)
    return {name: block for name, block in blocks.items() if name in wanted}


def _write(path: Path, head: str, blocks: Mapping[str, str]) -> None:
    """Write in one step; a file without stages is none."""
    if not blocks:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".lock.partial")
    partial.write_text(head + "".join(blocks.values()), encoding="utf-8")
    partial.replace(path)
