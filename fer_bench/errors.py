"""The one error type that a user sees: a single line with what was given, where, and what would have worked."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 4000  # characters of a message
NEAREST = 3  # names that are suggested
MOST = 60  # names that are listed; a grid may have hundreds of cells


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
    """Build the error for a name that does not exist: the nearest names first, then those that would work."""
    names = [str(choice) for choice in choices]
    near = get_close_matches(str(given)[:LONGEST], names, n=NEAREST)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return InputError(f"{source}: unknown {what} {given!r}; {hint}known: {', '.join(names[:MOST]) or 'none'}{more}")
