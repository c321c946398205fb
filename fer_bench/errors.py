"""The one error type that a user sees: a single line with what was given, where, and what would have worked."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 4000  # characters of a message


class InputError(Exception):
    """Something given by the user cannot be used; the message is one line and complete.

    Messages quote what files say. Characters that are not for print (line breaks, terminal commands) are written as
    escapes, so that a file can neither break the line nor steer the terminal that shows it.
    """

    def __init__(self, message: str) -> None:
        """Make the message printable, and cut it where a file has put thousands of characters into it."""
        shown = "".join(mark if mark.isprintable() else repr(mark)[1:-1] for mark in message[: LONGEST + 1])
        super().__init__(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…")


def unknown(what: str, given: object, source: str, choices: Iterable[object]) -> InputError:
    """Build the error for a name that does not exist: the nearest name first, then every name that would work."""
    names = [str(choice) for choice in choices]
    near = get_close_matches(str(given)[:LONGEST], names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"{source}: unknown {what} {given!r}; {hint}known: {', '.join(names) or 'none'}")
