"""What `fer-bench import-authors` does: look at every folder, say what was found, write what can be used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fer_bench.authors import layout, write
from fer_bench.authors.catalog import GUIDANCE
from fer_bench.authors.survey import ABSENT, Found, survey
from fer_bench.errors import InputError


def run(folder: Path, console: Console, root: Path = Path(), dry: bool = False) -> None:
    """Survey the release below a folder and write params.yaml and grids, or with `dry` nothing.

    Raises:
        InputError: no release there, or nothing in it can be used.
    """
    holder = layout.holder(folder, "fer-bench import-authors")
    found = list(survey(holder))
    console.print(_table(found))
    for one in found:
        if one.problem not in ("", ABSENT):
            print(f"not used: {one.path}: {one.problem}")
    entries = write.models(found)
    if not entries:
        raise InputError(f"{holder}: none of the {len(found)} folders can be used")
    _write(entries, root, dry)
    if not _is_where_training_looks(holder, root):
        print(f"before training: export {layout.VARIABLE}={holder.resolve()}")


def _write(entries: Mapping[str, Any], root: Path, dry: bool) -> None:
    known = write.known_datasets(entries, root)
    absent = sorted({name for entry in entries.values() for name in entry["cells"]} - _datasets(known))
    for name in absent:
        print(f"not used: params.yaml has no datasets.{name}")
    if not known:
        raise InputError("params.yaml: datasets: none of those that the networks were trained on")
    if dry:
        return
    for path in write.write(known, root):
        print(f"written: {path}")
    for name in sorted(_datasets(known)):
        print(f"next: fer-bench use authors_{name}, then dvc repro")


def _datasets(entries: Mapping[str, Any]) -> set[str]:
    return {name for entry in entries.values() for name in entry["cells"]}


def _is_where_training_looks(holder: Path, root: Path) -> bool:
    try:
        return layout.root(root).resolve() == holder.resolve()
    except InputError:
        return False


def _table(found: Sequence[Found]) -> Table:
    table = Table("dataset", "method", "guidance", "λ", "layers", "maps", "models", title="released networks")
    for one in found:
        if one.folder is not None:
            table.add_row(one.folder.dataset, one.folder.key, GUIDANCE[one.folder.guided], *_told(one), _verdict(one))
        else:
            table.add_row(one.path, *[""] * 5, _verdict(one))
    return table


def _told(one: Found) -> tuple[str, str, str]:
    """λ, layers as the published code counts them, and the maps of a ResNet."""
    told = one.told
    if told is None:
        return "", "", ""
    maps = ("28x28" if told.model.large_maps else "7x7") if told.model.encoder_name == "resnet50" else "14x14"
    if not told.align_atten_to_heatmap:
        return "", "", maps
    return str(told.align_atten_to_heatmap_lambda), str(told.align_atten_to_heatmap_layers), maps


def _verdict(one: Found) -> str:
    if one.problem == ABSENT:
        return ABSENT
    return "not used, see below" if one.problem else ", ".join(one.cells)
