"""The stages of dvc.yaml that belong to a cell."""

from collections.abc import Sequence

from fer_bench.cells import Cell
from fer_bench.errors import unknown


def evaluations(cells: Sequence[str], test_datasets: Sequence[str]) -> list[str]:
    """Names of the stages that score the cells; what they need, the trainings first of all, runs before them."""
    return [planned(f"evaluate/{test}/{name}") for name in cells for test in test_datasets]


def planned(file: str) -> str:
    """Name of the stage that works on a file of the plan, given without its ending: `train/CELL` -> `train@...`."""
    kind, _, name = file.partition("/")
    if kind not in ("train", "evaluate"):
        return f"{kind}@{name}" if name else kind
    test, _, cell = name.rpartition("/")
    one = Cell.parse(cell)
    trained = f"{one.dataset}-{one.model}-{one.guidance}-{one.seed}"
    return f"evaluate@{trained}-{test}" if kind == "evaluate" else f"train@{trained}"


def with_trainings(stages: Sequence[str]) -> list[str]:
    """The stages `evaluate@...` and the trainings before them, as dvc.lock names them."""
    return [*stages, *sorted({f"train@{name.removeprefix('evaluate@').rpartition('-')[0]}" for name in stages})]


def checked(wanted: Sequence[str], known: Sequence[str], source: str) -> list[str]:
    """Return the wanted cells, each of which the grid must have; `source` says where they were asked for."""
    for name in wanted:
        if name not in known:
            raise unknown("cell", name, source, known)
    return list(dict.fromkeys(wanted))
