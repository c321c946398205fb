"""Expressions of faces from a file beside the annotations: a CSV, or the votes of RAF-ML."""

from pathlib import Path

from fer_bench.datasets._csv import read_csv, without_blank_lines
from fer_bench.datasets._lines import lines_of, numbers_of
from fer_bench.errors import InputError

_VOTED = ("surprise", "fear", "disgust", "happiness", "sadness", "anger")  # columns of RAF-ML's distribution.txt
_MAJORITY = 0.5


def read_expressions(path: Path, source: str) -> dict[str, dict[str, str]]:
    """Read image name -> {label, and where given subject and split}.

    A .csv has columns image and label, and may have subject and split. A .txt holds RAF-ML's votes: image name and six
    shares; a face has the expression that more than half of the votes are for, and none otherwise.

    Raises:
        InputError: the file cannot be read, lacks a column, or a line, named by its number, is of another form.
    """
    return _read_votes(path, source) if path.suffix == ".txt" else _read_csv(path, source)


def _read_csv(path: Path, source: str) -> dict[str, dict[str, str]]:
    table = without_blank_lines(read_csv(path, ("image", "label"), source, "labels"))
    repeated = table["image"][table["image"].duplicated()]
    if len(repeated):
        raise InputError(f"{source}: {path}, line {repeated.index[0] + 2}: {repeated.iloc[0]} was listed before")
    given = [name for name in ("label", "subject", "split") if name in table]
    lines = table[given].to_dict("records")
    return {name: {str(k): str(v) for k, v in line.items()} for name, line in zip(table["image"], lines, strict=True)}


def _read_votes(path: Path, source: str) -> dict[str, dict[str, str]]:
    found = {}
    for place, line in lines_of(path.parent, path.name, f"{source}.labels"):
        name, _, rest = line.partition(" ")
        votes = numbers_of(rest, len(_VOTED), place)
        share = max(votes) / (sum(votes) or 1.0)
        found[name] = {"label": _VOTED[votes.index(max(votes))] if share > _MAJORITY else ""}
    return found
