"""The one error type that a user sees: a single line with what was given, where, and what would have worked."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Something given by the user cannot be used; the message is one line and complete."""


def unknown(what: str, given: object, source: str, choices: Iterable[object]) -> InputError:
    """Build the error for a name that does not exist: the nearest name first, then every name that would work."""
    names = [str(choice) for choice in choices]
    near = get_close_matches(str(given), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"{source}: unknown {what} {given!r}; {hint}known: {', '.join(names) or 'none'}")
