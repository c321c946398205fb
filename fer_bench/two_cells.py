"""Two evaluated cells side by side: every score that both have, the difference, and what chance would make of it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Column, Table

from fer_bench import stats
from fer_bench.cells import METRICS, Cell, faces_folder
from fer_bench.errors import InputError, unknown
from fer_bench.report.labels import REFERENCES

KEYS = ["metric", "explainer", "layer", "target", "average"]
HEADLINE = ("accuracy", "macro_f1", "att_cos", "cam_cos")
NO_IMAGES = "No p: the scores of single images are not on this machine; `fer-bench repro` or `dvc pull` brings them."
ROUNDING = 5e-6  # scores are written with six decimals
NOTE = (
    "p: these two networks on these images alone, not other trainings: exact McNemar test (accuracy), permutation test "
    "over subjects (cosines); not corrected for the number of lines. Other seeds: paper_tables/{grid}/significance.md."
)


@dataclass(frozen=True)
class Line:
    """One score. average: macro (over expressions) or micro (over images). difference: second minus first.

    p: None where no scores of single images are on this machine.
    """

    metric: str
    explainer: str
    layer: str
    target: str
    average: str
    unit: str
    first: float
    second: float
    difference: float
    p: float | None
    optimised: bool


@dataclass(frozen=True)
class Evaluation:
    """The scores of one cell on one test dataset. folder: where those of single images are, if they are here."""

    cell: Cell
    rows: pd.DataFrame
    folder: Path

    def images(self, file: str, columns: list[str]) -> pd.DataFrame | None:
        """Columns of a file of single images by id; None where file or column is not on this machine."""
        try:
            return pd.read_parquet(self.folder / file, columns=["id", "label", *columns]).set_index("id").sort_index()
        except (FileNotFoundError, KeyError, ValueError):
            return None


def compare(first: str, second: str, test_dataset: str = "", every: bool = False, root: Path = Path()) -> list[Line]:
    """Compare two cells on a test dataset, by default the one that the first was trained on.

    Args:
        first: name of a cell, e.g. `synthetic-resnet10t-none-s0`.
        second: another one.
        test_dataset: where both were scored.
        every: all scores, not the headline ones alone.
        root: of the repository.

    Raises:
        InputError: a cell has no scores there, or the two were scored on different images.
    """
    test = test_dataset or first.partition("-")[0]
    before, after = _read(first, test, root), _read(second, test, root)
    both = before.rows.merge(after.rows, on=KEYS, suffixes=("", "_second"))
    if not every:
        both = both[both["metric"].isin(HEADLINE) & ((both["target"] == "") | (both["average"] == "macro"))]
    subjects = _subjects(root / faces_folder(test) / "index.csv")
    return [_line(row, before, after, subjects) for row in _records(both)]


def show(names: tuple[str, str], lines: Iterable[Line], console: Console, grid: str = "GRID") -> None:
    """Print a comparison as a table; the names stand above it, because two of them do not fit beside the scores."""
    words = (Column(name, overflow="fold") for name in ("score", "map of", "against"))
    table = Table(*words, *(Column(name, justify="right") for name in ("A", "B", "B - A", "p")))
    shown = list(lines)
    for line in shown:
        mark = " †" if line.optimised else "  "
        unit, digits = (" (%)", ".2f") if line.unit == "%" else ("", ".4f")
        over = " micro" if line.target and line.average == "micro" else ""
        place = line.explainer or (f"layer {line.layer}" if line.layer else "")
        numbers = (f"{line.first:{digits}}", f"{line.second:{digits}}", f"{line.difference:+{digits}}{mark}")
        table.add_row(
            line.metric + over + unit, place, line.target, *numbers, "" if line.p is None else f"{line.p:.4f}"
        )
    for letter, name in zip("AB", names, strict=True):
        console.print(f"{letter}: {name}", highlight=False)
    console.print(table)
    marks = "layer: the attention there; micro: mean over images, else over expressions where there is a map. "
    marks += "† scored against the map that one of them was trained on."
    tested = any(line.p is not None for line in shown)
    console.print(f"{marks} {NOTE.format(grid=grid) if tested else NO_IMAGES}", highlight=False)


def as_json(lines: Iterable[Line]) -> str:
    """The same for scripts: a list of objects, one per score."""
    return json.dumps([asdict(line) for line in lines], indent=1)


def _read(name: str, test: str, root: Path) -> Evaluation:
    folder = root / METRICS / test
    known = sorted(path.stem for path in folder.glob("*.json"))
    if not known:
        tested = sorted(path.name for path in (root / METRICS).glob("*") if path.is_dir())
        raise unknown("test dataset", test, "fer-bench compare", tested)
    if name not in known:
        raise unknown("scored cell", name, f"fer-bench compare, scores on {test}", known)
    document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    rows = pd.DataFrame(document["rows"], columns=document["columns"])
    whole = rows["subset"].isin(["", "all"]) & rows["pairing"].isin(["", "true_true"])
    rows = rows[whole & ~rows["metric"].str.endswith(tuple(REFERENCES)) & rows["value"].notna()]
    cell = Cell.parse(name)
    return Evaluation(cell, rows, root / cell.evaluation(test))


def _line(row: dict[str, Any], before: Evaluation, after: Evaluation, subjects: dict[str, str]) -> Line:
    if row["n"] != row["n_second"]:
        raise InputError(
            f"fer-bench compare: {row['metric']} is over {row['n']} images of {before.cell.name} and "
            f"{row['n_second']} of {after.cell.name}; run `dvc repro evaluate`"
        )
    return Line(
        **{name: row[name] for name in ("metric", "explainer", "layer", "target", "average", "unit")},
        first=row["value"],
        second=row["value_second"],
        difference=row["value_second"] - row["value"],
        p=_p(row, before, after, subjects),
        optimised=bool(row["optimised"] or row["optimised_second"]),
    )


def _p(row: dict[str, Any], before: Evaluation, after: Evaluation, subjects: dict[str, str]) -> float | None:
    if row["metric"] == "accuracy":
        pair = [one.images("predictions.parquet", ["predicted"]) for one in (before, after)]
        right = [frame["label"] == frame["predicted"] for frame in _same_images(pair)]
        return stats.discordant(right[0].to_numpy(), right[1].to_numpy()).p if right else None
    column = f"{row['metric']}.{row['explainer'] or row['layer']}.{row['target']}.true_true"
    frames = list(_same_images([one.images("scores.parquet", [column]) for one in (before, after)]))
    if not frames:
        return None
    change = (frames[1][column] - frames[0][column]).to_numpy(dtype=np.float64)
    defined, ids = np.isfinite(change), frames[0].index.astype(str).tolist()
    units = stats.unit_numbers(ids, [subjects.get(name, "") for name in ids])
    labels = frames[0]["label"].to_numpy(dtype=np.int64)
    macro = row["average"] == "macro"
    layout = stats.macro_layout(defined, labels, units) if macro else stats.micro_layout(defined, units)
    if abs(layout.statistic(change[:, None])[0] - (row["value_second"] - row["value"])) > ROUNDING:
        return None  # the score leaves out classes that these files do not name
    return float(stats.sign_flip_test(layout, change[:, None])[0])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _same_images(pair: list[pd.DataFrame | None]) -> Iterator[pd.DataFrame]:
    """Both frames where both are there; nothing else."""
    first, second = pair
    if first is None or second is None:
        return
    if not first.index.equals(second.index):
        raise InputError("fer-bench compare: the two cells were scored on different images; run `dvc repro evaluate`")
    yield from (first, second)


def _subjects(path: Path) -> dict[str, str]:
    """Image -> subject where the index of the dataset is on this machine; without it every image is its own."""
    if not path.is_file():
        return {}
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=["id", "subject"])
    return dict(zip(frame["id"], frame["subject"], strict=True))
