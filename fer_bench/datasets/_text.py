"""Small helpers for one-line messages."""

from collections.abc import Sequence


def shorten(names: Sequence[str], shown: int = 3) -> str:
    """List the first few names and say how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def one_line(error: BaseException) -> str:
    """Return an error's message without line breaks."""
    return " ".join(str(error).split())
