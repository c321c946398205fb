"""The tables of a grid on the terminal."""

from pathlib import Path

from rich.console import Console

from fer_bench.errors import InputError

FIRST = ("table1", "table2", "table3", "figure5", "tuned", "comparison", "scores", "flags", "absent")


def print_tables(grid: str, root: Path = Path(), console: Console | None = None) -> None:
    """Print the main tables of a grid as they were last rendered, and where the others are.

    Raises:
        InputError: nothing has been rendered for this grid yet.
    """
    folder = root / "paper_tables" / grid
    found = [folder / f"{name}.md" for name in FIRST if (folder / f"{name}.md").is_file()]
    if not found:
        raise InputError(f"{folder}: no tables; run `dvc repro`, or choose another grid with `fer-bench use NAME`")
    console = console or Console()
    for path in found:
        # Lines of the table are left whole: a terminal may scroll or wrap them, but no number is cut.
        console.print(path.read_text(encoding="utf-8"), soft_wrap=True, markup=False, highlight=False)
    others = sorted(path.stem for path in folder.glob("*.md") if path.stem not in FIRST)
    console.print(f"Also in {folder}: {', '.join(others)}; figures in {folder / 'figures'}", highlight=False)
