"""`fer-bench pack`, `prune` and `import-authors`: files made ahead, removed, brought in."""

from pathlib import Path
from typing import Annotated

import typer

from fer_bench.commands import _complete
from fer_bench.commands._command import EXTEND, KEEP, command, console

Dataset = Annotated[
    str,
    typer.Argument(help="a dataset that cells of the active grid train on", autocompletion=_complete.test_datasets),
]
Folder = Annotated[Path, typer.Argument(help="the unpacked release, or a folder at most four levels above it")]


@command(KEEP, "fer-bench pack synthetic", "fer-bench pack affectnet --shard 1/4")
def pack(
    dataset: Dataset,
    shard: Annotated[str, typer.Option(help="I/N: this part of the work, for several machines")] = "1/1",
) -> None:
    """Decode the training images of a dataset once, into files that trainings map into memory."""
    from fer_bench.pack import pack as build  # noqa: PLC0415  pandas takes a second

    for folder in build(dataset, shard):
        print(f"packed: {folder}")


@command(KEEP, "fer-bench prune", "fer-bench prune --yes", statuses={1: "an error, or told not to remove anything"})
def prune(yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Remove runs, scores, tables and prepared data that no grid names any more."""
    from fer_bench import prune as leaving  # noqa: PLC0415  pandas takes a second

    found = leaving.leftovers()
    for path in found:
        print(path)
    if found and (yes or typer.confirm(f"remove these {len(found)}?")):
        leaving.remove(found)
        print(f"removed {len(found)}; the objects stay in DVC's cache until `dvc gc -w`")
    elif not found:
        print("nothing to remove")


@command(
    EXTEND,
    "fer-bench import-authors downloads/fer-aus --dry",
    "fer-bench import-authors downloads/fer-aus",
    name="import-authors",
)
def import_authors(
    folder: Folder,
    dry: Annotated[bool, typer.Option("--dry", help="look only; change no file")] = False,
) -> None:
    """Make the networks that Belharbi et al. released cells of params.yaml and grids (docs/authors_weights.md)."""
    from fer_bench.authors import command as authors  # noqa: PLC0415  torch and timm take seconds

    authors.run(folder, console(), dry=dry)
