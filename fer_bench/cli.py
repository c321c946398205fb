"""The command line: `fer-bench COMMAND`, run in the root of the repository."""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from fer_bench import cell_stages, grids, params, prune, registry
from fer_bench.cells import PLAN, Cell
from fer_bench.errors import InputError, unknown

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()
Command = TypeVar("Command", bound=Callable[..., Any])


def command(function: Command) -> Command:
    """Register a command; a user error is printed as one line and ends with status 1."""

    @functools.wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(1) from None

    app.command(name=function.__name__.rstrip("_").replace("_", "-"))(guarded)
    return function


@command
def repro(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="stages; without -j and --engine passed on to `dvc repro` as they are")
    ] = None,
    cell: Annotated[list[str] | None, typer.Option(help="train and score only this cell; may be repeated")] = None,
    jobs: Annotated[int | None, typer.Option("-j", "--jobs", min=1, help="run so many stages at once")] = None,
    engine: Annotated[str | None, typer.Option(help="where stages run: local, ray, slurm; local with -j")] = None,
    address: Annotated[str | None, typer.Option(help="of the Ray cluster: auto, HOST:PORT or ray://HOST:PORT")] = None,
) -> None:
    """Validate params.yaml, run the pipeline, print the tables and say where everything is."""
    loaded = params.load()
    known = [one.name for one in grids.cells(loaded.grid)]
    cells = cell_stages.checked(cell or [], known, "fer-bench repro --cell")
    stages = [*(arguments or []), *cell_stages.evaluations(cells, loaded.grid.test_datasets)]
    code = _run(loaded, cells or known, stages, jobs, engine, address)
    if code:
        raise typer.Exit(code)
    for name in cells:
        console.print(*(f"scores: {Cell.parse(name).metrics(test)}" for test in loaded.grid.test_datasets), sep="\n")
    named = [stage for stage in stages if not stage.startswith("-")]
    if not named or "tables" in named:
        show(loaded.grid.name)


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

    side_by_side = not (jobs is None and engine is None and address is None)
    if side_by_side:
        name = engine or ("local" if address is None else "ray")
        made = runner.chosen(name, loaded.raw.get("engines") or {}, address, loaded.source)
    _say_cost(loaded, [one for one in map(Cell.parse, cells) if not _trained(one)])
    if side_by_side:
        return runner.run(*made, jobs, loaded.resources, stages, console)
    return runner.serial(stages)


@command
def show(grid: Annotated[str, typer.Argument(help="name of a grid; default: the active one")] = "") -> None:
    """Print the tables of a grid and where its files are."""
    from fer_bench import report  # noqa: PLC0415  pandas and matplotlib take a second that other commands need not

    name = grid or params.load().grid.name
    report.print_tables(name, Path())
    console.print(f"\ntables and figures: paper_tables/{name}/\nevery number:       results/{name}/metrics.csv")
    console.print("runs:               .venv/bin/mlflow ui, then open the address that it prints")


@command
def use(name: str) -> None:
    """Make a grid of grids/ the active one (section `grid` of params.yaml)."""
    grid = grids.use(name)
    print(f"active grid: {name}, {len(grids.cells(grid))} cells; `dvc repro` runs what is missing")
    _say_cost(params.load(), grids.cells(grid))


@command
def estimate(device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu") -> None:
    """Count the operations of all trainings of the active grid, and the hours that this machine would need."""
    from fer_bench import cost  # noqa: PLC0415

    loaded = params.load()
    found = cost.estimate(loaded)
    print(found)
    model = loaded.grid.models[0]
    rate = cost.measured_rate(loaded.models[model], device)
    print(f"this machine ({device}, {model}): {rate / 1e9:.3g} GFLOP/s, about {found.hours(rate):.2g} hours")


def _say_cost(loaded: params.Params, cells: list[Cell]) -> None:
    """Print what the trainings cost where that is worth a thought."""
    from fer_bench import cost  # noqa: PLC0415  torch and timm take seconds

    found = cost.estimate(loaded, cells) if cells else None
    if found and (found.unknown or found.hours(cost.NOMINAL_RATE) >= cost.WORTH_SAYING):
        print(f"{found}; `fer-bench estimate` measures this machine")


def _trained(cell: Cell) -> bool:
    return (cell.weights / "model.safetensors").is_file() or (cell.weights / "skipped.json").is_file()


@command
def list_(
    kind: Annotated[
        str, typer.Argument(help="a kind of plug-in, `grids`, or `cells`, one a line; default: all kinds")
    ] = "",
) -> None:
    """List grids and plug-ins, or the cells of the active grid."""
    if kind == "cells":
        print(*(cell.name for cell in grids.cells(params.load().grid)), sep="\n")
        return
    kinds = {"grids": grids.names(), **{name: registry.names(name) for name in registry.KINDS}}
    if kind and kind not in kinds:
        raise unknown("kind", kind, "fer-bench list", [*kinds, "cells"])
    for name, found in kinds.items():
        if kind in ("", name):
            print(f"{name}: {' '.join(found)}")


@command
def check() -> None:
    """Validate params.yaml and the active grid's datasets; print licence, citation and fingerprint of each."""
    loaded = params.load()
    for name in loaded.grid.test_datasets:
        plugin = registry.plugin("datasets", str((loaded.raw["datasets"][name] or {}).get("plugin") or name))
        dataset = plugin(name, loaded.datasets[name])
        print(dataset.terms)
        fingerprint = dataset.check()
        print(f"datasets.{name}: {f'fingerprint: {fingerprint}' if fingerprint else 'generated, nothing to check'}")
    print(f"params.yaml: valid; grid {loaded.grid.name}, {len(grids.cells(loaded.grid))} cells")


@command
def status() -> None:
    """Show which cells of the active grid are trained and scored."""
    grid = params.load().grid
    table = Table("cell", "trained", *(f"scored on {name}" for name in grid.test_datasets))
    for cell in grids.cells(grid):
        scored = [_mark(cell.metrics(test)) for test in grid.test_datasets]
        table.add_row(cell.name, _mark(cell.weights / "model.safetensors", cell.weights / "skipped.json"), *scored)
    console.print(table)


def _mark(path: Path, skipped: Path | None = None) -> str:
    if skipped and skipped.is_file():
        return "skipped"
    return "yes" if path.is_file() else "no"


@command
def prune_(yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Remove runs, scores, tables and prepared data that no grid names any more."""
    found = prune.leftovers()
    for path in found:
        print(path)
    if found and (yes or typer.confirm(f"remove these {len(found)}?")):
        prune.remove(found)
        print(f"removed {len(found)}; the objects stay in DVC's cache until `dvc gc -w`")
    elif not found:
        print("nothing to remove")


@command
def verify(
    tolerance: Annotated[
        float, typer.Option(min=0, help="largest difference that counts as equal, in points (hundredths of a cosine)")
    ] = 0.0,
    rerun: Annotated[bool, typer.Option("--rerun", help="run the last commit again, from nothing, in a clone")] = False,
    cell: Annotated[list[str] | None, typer.Option(help="with --rerun: only this cell; may be repeated")] = None,
) -> None:
    """Compare the active grid's numbers with the committed ones and write results/GRID/certificate.json."""
    from fer_bench.verify import command as verification  # noqa: PLC0415  pandas takes a second

    if cell and not rerun:
        raise InputError("fer-bench verify --cell: only with --rerun; without it every score is compared")
    if not verification.run(tolerance, rerun, cell or []).holds:
        print("to have the committed files back: git restore results paper_tables dvc.lock")
        raise typer.Exit(1)


@command
def import_authors(
    folder: Annotated[Path, typer.Argument(help="the unpacked release, or a folder at most four levels above it")],
    dry: Annotated[bool, typer.Option("--dry", help="look only; change no file")] = False,
) -> None:
    """Make the networks that Belharbi et al. released cells of params.yaml and grids (docs/authors_weights.md)."""
    from fer_bench.authors import command as authors  # noqa: PLC0415  torch and timm take seconds

    authors.run(folder, console, dry=dry)


@command
def mlflow_sync() -> None:
    """Build the MLflow runs that are missing from the result files."""
    from fer_bench import tracking  # noqa: PLC0415

    plan = PLAN / "grid.json"
    if not plan.is_file():
        raise InputError(f"{plan}: no such file; `dvc repro plan` makes it")
    print(tracking.sync(Path(), json.loads(plan.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    app()
