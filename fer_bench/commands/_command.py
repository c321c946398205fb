"""What every command shares: its examples, its exit statuses, and a user error as one line."""

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from fer_bench.errors import InputError
from fer_bench.mishap import worded

Function = TypeVar("Function", bound=Callable[..., Any])
Json = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
RUN, LOOK, EXTEND, KEEP = "Run", "Look at results", "Your own, and passing on", "House-keeping"

_STATUSES = {0: "done", 1: "an error, told in one line", 2: "arguments that make no sense"}
_ABOUT = "about_command"


@dataclass(frozen=True)
class About:
    """What help says of a command beside its arguments. statuses: exit status -> what it means."""

    name: str
    panel: str
    examples: tuple[str, ...]
    statuses: Mapping[int, str]

    @property
    def epilog(self) -> str:
        """Examples and exit statuses as they stand below the options."""
        examples = "".join(f"\n  {escape(example)}" for example in self.examples)
        statuses = "; ".join(f"{status} {escape(words)}" for status, words in sorted(self.statuses.items()))
        return f"Example:{examples}\n\nExit status: {statuses}."


def command(
    panel: str, *examples: str, name: str = "", statuses: Mapping[int, str] | None = None
) -> Callable[[Function], Function]:
    """Make a function a command; a user error is printed as one line and ends with status 1.

    Args:
        panel: heading of `fer-bench --help` that it stands under.
        examples: whole command lines.
        name: of the command; default: the function's.
        statuses: exit status -> meaning, where it differs from 0 done, 1 an error, 2 wrong arguments.
    """

    def made(function: Function) -> Function:
        @functools.wraps(function)
        def guarded(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except (InputError, OSError) as error:
                line = str(error) if isinstance(error, InputError) else worded(error)
                if not line:
                    raise
                print(f"error: {line}", file=sys.stderr)
                raise typer.Exit(1) from None

        known = About(name or function.__name__, panel, examples, {**_STATUSES, **(statuses or {})})
        setattr(guarded, _ABOUT, known)
        return guarded  # type: ignore[return-value]

    return made


def about(function: Callable[..., Any]) -> About:
    """What was said of a command."""
    known: About = getattr(function, _ABOUT)
    return known


def register(app: typer.Typer, function: Callable[..., Any]) -> None:
    """Add a command to the command line."""
    known = about(function)
    app.command(known.name, epilog=known.epilog, rich_help_panel=known.panel)(function)


@functools.cache
def console() -> Console:
    """Where tables are printed."""
    return Console()
