"""CSV files that come with collections, read as text, whatever is wrong with them told in one line."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fer_bench.datasets._text import one_line
from fer_bench.errors import InputError


def read_csv(path: Path, wanted: Sequence[str], source: str, key: str, hint: str = "") -> pd.DataFrame:
    """Read every cell as text without the spaces around it; row k stands in line k + 2 of the file.

    Args:
        path: UTF-8, with or without its mark.
        wanted: columns that must be there; others are kept.
        source: where the dataset stands in params.yaml.
        key: the key of that section that names the file.
        hint: what the error says besides when there is no such file.

    Raises:
        InputError: the file is missing or unreadable, or lacks a column.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
    except FileNotFoundError:
        raise InputError(f"{source}.{key}: no file {path}{hint}") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{source}.{key}: {path} is not a readable CSV: {one_line(error)}") from error
    require_one_width(table, path, f"{source}.{key}")
    table.columns = table.columns.astype(str).str.strip()  # some copies have spaces in the header
    require_columns(table, wanted, path, source)
    return table.fillna("").apply(lambda column: column.str.strip())


def require_one_width(table: pd.DataFrame, path: Path, source: str) -> None:
    """Raise InputError where lines have more cells than the header: pandas would make the first ones row names."""
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{source}: {path}: lines have more cells than the {len(table.columns)} columns of the header")


def require_columns(table: pd.DataFrame, wanted: Sequence[str], path: Path, source: str) -> None:
    """Raise InputError when a column is missing, naming those that are there."""
    missing = [name for name in wanted if name not in table]
    if missing:
        raise InputError(f"{source}: {path} has no column {', '.join(missing)}; found: {', '.join(map(str, table))}")


def without_blank_lines(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows of empty cells; the others keep their numbers."""
    return table[(table != "").any(axis=1)]
