"""`fer-bench repro`: the pipeline, one stage after the other or side by side."""

from pathlib import Path
from typing import Annotated

import typer

from fer_bench import cell_stages, grid_locks, grids, params
from fer_bench.cells import Cell
from fer_bench.commands import _complete
from fer_bench.commands._command import RUN, command, console
from fer_bench.commands._cost import say_cost
from fer_bench.commands.report import show
from fer_bench.errors import unknown
from fer_bench.yaml_file import read_yaml

Stages = Annotated[
    list[str] | None, typer.Argument(help="stages; without -j and --engine passed on to `dvc repro` as they are")
]
Cells = Annotated[
    list[str] | None,
    typer.Option(help="train and score only this cell; may be repeated", autocompletion=_complete.cells),
]
Jobs = Annotated[int | None, typer.Option("-j", "--jobs", min=1, help="run so many stages at once")]
Engine = Annotated[
    str | None,
    typer.Option(help="where stages run: local, ray, slurm; local with -j", autocompletion=_complete.engines),
]
Address = Annotated[str | None, typer.Option(help="of the Ray cluster: auto, HOST:PORT or ray://HOST:PORT")]


@command(
    RUN,
    "fer-bench repro",
    "fer-bench repro -j 4",
    "fer-bench repro --cell synthetic-resnet10t-au-s0",
    statuses={0: "everything asked for is up to date", 1: "an error, or a stage that failed", 130: "stopped by Ctrl-C"},
)
def repro(
    stages: Stages = None, cell: Cells = None, jobs: Jobs = None, engine: Engine = None, address: Address = None
) -> None:
    """Validate params.yaml, run the pipeline, print the tables and say where everything is."""
    loaded = params.load()
    known = [one.name for one in grids.cells(loaded.grid)]
    cells = cell_stages.checked(cell or [], known, "fer-bench repro --cell")
    _check(stages or [], loaded)
    wanted = [*(stages or []), *cell_stages.evaluations(cells, loaded.grid.test_datasets)]
    code = _run(loaded, cells or known, wanted, jobs, engine, address)
    if code:
        raise typer.Exit(code)
    for name in cells:
        files = (f"scores: {Cell.parse(name).metrics(test)}" for test in loaded.grid.test_datasets)
        console().print(*files, sep="\n")
    named = [stage for stage in wanted if not stage.startswith("-")]
    if not named or "tables" in named:
        show(loaded.grid.name)


def _check(words: list[str], loaded: params.Params) -> None:
    """Refuse names of stages that do not exist; what is given together with options of DVC, DVC itself understands."""
    known = [*read_yaml(Path("dvc.yaml")).get("stages", {}), *grid_locks.stages(loaded.grid)]
    if any(word.startswith("-") for word in words):
        return
    for word in words:
        if word not in known and not set(word) & set("/.:*"):  # files and patterns may be given too
            raise unknown("stage", word, "fer-bench repro", dict.fromkeys(known))


def _run(
    loaded: params.Params,
    cells: list[str],
    stages: list[str],
    jobs: int | None,
    engine: str | None,
    address: str | None,
) -> int:
    """Run stages one after the other, or side by side when anything is said about how; return the exit status."""
    from fer_bench.runner import command as runner  # noqa: PLC0415  DVC takes a second that other commands need not
    from fer_bench.runner import serial  # noqa: PLC0415

    side_by_side = not (jobs is None and engine is None and address is None)
    if side_by_side:
        name = engine or ("local" if address is None else "ray")
        made = runner.chosen(name, loaded.raw.get("engines") or {}, address, loaded.source)
    say_cost(loaded, [one for one in map(Cell.parse, cells) if not _trained(one)])
    if side_by_side:
        return runner.run(*made, jobs, loaded.resources, stages, console())
    return serial.run(stages)


def _trained(cell: Cell) -> bool:
    return (cell.weights / "model.safetensors").is_file() or (cell.weights / "skipped.json").is_file()
