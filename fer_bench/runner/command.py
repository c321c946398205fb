"""`fer-bench repro -j N` and `--engine NAME`: settings, engine and repository put together."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from fer_bench import registry
from fer_bench.engines.base import EngineBase, Job, Resources
from fer_bench.errors import InputError, unknown
from fer_bench.runner.board import Board
from fer_bench.runner.driver import Driver
from fer_bench.runner.exclusive import FOLDER, exclusive
from fer_bench.runner.graph import Graph
from fer_bench.runner.parts import part_of, stage_of, with_parts
from fer_bench.runner.progress import Progress, kind_of
from fer_bench.runner.repository import Repository
from fer_bench.runner.stop import Stop
from fer_bench.validation import validate

# What another machine has to know of the driver's environment, so that it comes to the same result. Thread counts that
# are not set here are unset there too: Ray sets them, and other counts would change last digits.
_SENT = ("FER_BENCH_", "MLFLOW_", "TORCH_HOME")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(
    engine: str,
    settings: Any,
    jobs: int | None,
    resources: Mapping[str, Resources],
    targets: Sequence[str],
    console: Console,
    root: Path = Path(),
) -> int:
    """Run the stages that lead to the targets; return the exit status: 0, 1 when stages failed, 128 + signal.

    Args:
        engine: name of a plug-in of `fer_bench.engines`.
        settings: an object of the plug-in's `Settings`.
        jobs: how many stages may run at once; None: as the engine finds sensible.
        resources: what stages ask for, by their name in dvc.yaml.
        targets: names of stages; none: all.
        console: where progress is shown.
        root: repository root.
    """
    with exclusive(root) as lock, Stop() as stop:
        repository = Repository(root)
        plan = repository.plan(targets)
        if not targets:  # all stages are there to be compared with
            _check_names(resources, plan)
        plan = with_parts(plan, _parts(repository, resources, plan))
        folder = repository.root / FOLDER
        with registry.plugin("engines", engine)(settings, jobs, folder, [lock]) as made:
            progress = Progress(plan, made.slots)
            with Board(progress, console) as board:
                job = _jobs(repository, made, resources, folder)
                Driver(repository, made, Graph(plan), progress, board, job).run(stop)
            board.summary()
    if stop.number:
        console.print("stopped; the next `fer-bench repro` goes on from here", soft_wrap=True)
        return 128 + stop.number
    return 1 if progress.total("failed") else 0


def chosen(name: str, section: Mapping[str, Any], address: str | None, source: str) -> tuple[str, Any]:
    """Return the plug-in behind the name of an engine, and its settings.

    Args:
        name: an entry of the section `engines`, or a plug-in, which then has its default settings.
        section: the section `engines` as plain data.
        address: of the command line; it takes the place of the entry's own.
        source: where the section stands.

    Raises:
        InputError: there is no such engine, or it has no address.
    """
    entry = dict(section.get(name) or {})
    plugin = str(entry.pop("plugin", name))
    if plugin not in registry.names("engines"):
        known = sorted({*section, *registry.names("engines")})
        raise unknown("engine", name, "fer-bench repro --engine", known)
    model = registry.settings("engines", plugin)
    if address is not None and "address" not in model.model_fields:
        raise InputError(f"fer-bench repro --address {address}: engine {name!r} has no address; 'ray' has one")
    given = {**entry, "address": address} if address is not None else entry
    return plugin, validate(model, given, f"{source}: engines.{name}")


def _check_names(resources: Mapping[str, Resources], plan: Iterable[str]) -> None:
    stages = sorted({kind_of(name) for name in plan})
    for name in resources:
        if name not in [*stages, "default"]:
            raise unknown("stage", name, "params.yaml: resources", [*stages, "default"])


def _parts(
    repository: Repository, resources: Mapping[str, Resources], plan: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Return into how many parts the work of stages is split; refuse it for those that cannot be split."""
    asked = {name: resources[kind_of(name)].parts for name in plan if kind_of(name) in resources}
    for name, count in asked.items():
        if count > 1 and not repository.command(name).part:
            where = f"params.yaml: resources.{kind_of(name)}.parts: {count}"
            raise InputError(f"{where}: this stage cannot be split; those that can have `meta: part:` in dvc.yaml")
    return asked


def _jobs(
    repository: Repository, engine: EngineBase, resources: Mapping[str, Resources], folder: Path
) -> Callable[[str], Job]:
    """Return the function that words a stage's command for the engine."""
    sent = _sent() if engine.remote else {}
    fallback = resources.get("default", Resources())

    def job(name: str) -> Job:
        stage, part = stage_of(name), part_of(name)
        command = repository.command(stage)
        return Job(
            name=name,
            commands=[f"{command.part} {part[0]} {part[1]}"] if part else command.lines,
            folder=command.folder,
            log=str(folder / "log" / f"{name.replace('/', '_')}.log"),
            variables={**sent, **command.variables},
            outputs=[] if part else command.outputs,
            resources=resources.get(kind_of(stage), fallback),
            root=str(repository.root),
            inputs=command.inputs,
            keeps=command.kept if part else [*command.persisted, *command.kept],
        )

    return job


def _sent() -> dict[str, str | None]:
    threads = {name: os.environ.get(name) for name in _THREADS}
    return {**threads, **{name: value for name, value in os.environ.items() if name.startswith(_SENT)}}
